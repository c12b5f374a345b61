/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_QUESTION_H
#define WEIGHTFS_TREE_QUESTION_H

/*
 * The endpoint's files. A *question* is collected like a document and asked when its last descriptor is
 * closed; its answer exists from the first byte on, so that who opens `reply` meanwhile waits for it. An
 * *answer* is bound to the opener's last question when it is opened, and read as it grows. What one user
 * asked no other sees: both go by the caller's uid.
 */

#include "tree/handle.h"

/* What the node's row asks, and who. */
struct infer_asking question_asking(node_number node, const struct tree_caller *caller);

/* 0: taken. -EIO: a gap, or bytes again: nothing is asked, and `error` says so; -E2BIG, -EOPNOTSUPP. */
int question_write(struct tree *tree, struct handle *handle, uint64_t offset, const void *data, size_t size,
    const struct tree_caller *caller);
/* At release. */
void question_submit(struct tree *tree, struct handle *handle);

/* How many bytes `caller` would read there as things stand: true and the size, for rows that have one. An
 * answer that is under way and has no text yet counts as one byte, which it will have: of a file that is
 * empty `tail -f` would wait for the end before it shows anything. */
bool question_size(struct tree *tree, node_number node, const struct tree_caller *caller, uint64_t *ret_size);

/* Opening an answer: the handle holds the caller's last one of the row's shape, if there is one. */
int reply_open(struct tree *tree, struct handle *handle, const struct tree_caller *caller);
/* Opening `error`: the handle gets the sentence as it is now. */
int failure_open(struct tree *tree, struct handle *handle, const struct tree_caller *caller);
/* 0, PARKED, or -ENODATA: nothing was asked. */
int reply_await(struct handle *handle, uint64_t offset, struct wait *wait);
ssize_t reply_read(struct handle *handle, uint64_t offset, void *data, size_t size);

#endif
