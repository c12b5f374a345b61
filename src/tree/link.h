/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_LINK_H
#define WEIGHTFS_TREE_LINK_H

/*
 * The link `default` in the root. `ln -s` makes it with one call; `ln -sf` makes a link of a random name and
 * renames it. That one is in memory only, for a moment: object 1… of ROW_DEFAULT, 0 being the link itself.
 */

#include "tree/rows.h"

void links_init(struct tree *tree);
void links_done(struct tree *tree);

int find_default(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait);
int list_default(const struct place *folder, uint64_t after, struct found *ret_found);
/* The target, as readlink tells it. */
int print_default(const struct place *place, struct buf *to);
/* Is the object of ROW_DEFAULT still there? */
bool link_is_there(struct tree *tree, uint64_t object);

#endif
