/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_RUN_H
#define WEIGHTFS_TREE_RUN_H

/*
 * Commands under way for a handle. The asker's wait is passed on by one of our own, so that the outcome
 * is seen here too: when a line failed, what stood behind it in the same write is not run later.
 */

#include "tree/handle.h"

/* What a command written to the node is about: the model's or job's id; 0 for the whole. */
int64_t run_object(node_number node);

/* Runs `text` (whole lines) for the handle's node: PARKED, or an error and nothing was run. While it
 * is under way the handle is referenced. Afterwards nothing that was printed before is young any more. */
int run_await(struct tree *tree, struct handle *handle, const char *text, size_t len,
    const struct tree_caller *caller, struct wait *wait);

/* The same for what is no command: `start` begins it, and answers 0, PARKED or an error. It is called before
 * this returns, so that `context` may be the caller's. */
typedef int run_start(struct tree *tree, const struct handle *handle, const void *context, struct wait *wait);
int run_start_await(struct tree *tree, struct handle *handle, run_start *start, const void *context,
    struct wait *wait);

#endif
