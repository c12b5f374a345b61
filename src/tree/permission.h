/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_PERMISSION_H
#define WEIGHTFS_TREE_PERMISSION_H

/*
 * Who may write commands: whoever mounted, root, and the members of the group that the option
 * admin_group names. The group is looked up once, at the start: later it may need the network, or even
 * this mount.
 */

#include "tree/tree.h"

/* A group that does not exist is logged and allows nobody. */
void permission_init(struct tree *tree);
void permission_done(struct tree *tree);
bool permission_allows(const struct tree *tree, const struct tree_caller *caller);

#endif
