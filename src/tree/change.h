/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_CHANGE_H
#define WEIGHTFS_TREE_CHANGE_H

/*
 * News from below become changes that the kernel must hear of. The bus's publisher only has them
 * queued; a thread of the tree's own looks up which files they mean, and calls the one listener.
 */

#include "tree/tree.h"

int changes_start(struct tree *tree);
/* Also when the start failed. The bus must have forgotten its listeners, or nobody publish any more. */
void changes_done(struct tree *tree);
/* The kernel was shown names of this revision: when another one is selected, these are what it must
 * forget. Threads: any. */
void change_saw(struct tree *tree, int64_t model_id, int64_t revision_id);

#endif
