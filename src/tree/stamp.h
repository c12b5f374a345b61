/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_STAMP_H
#define WEIGHTFS_TREE_STAMP_H

/*
 * When a text last changed, for st_mtime: find -newer and rsync live by it, so it must stand still
 * while the text does. What is kept of a text is a hash; the memory is bounded, and what falls out of
 * it has the catalogue's time again.
 */

#include "tree/tree.h"

void stamps_init(struct tree *tree);
void stamps_done(struct tree *tree);
/* `base_ms` when this text was first seen so, else the (wall) time at which a change was noticed. */
int64_t stamp_text(struct tree *tree, node_number node, const char *text, size_t len, int64_t base_ms);

#endif
