/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_PERMISSION_H
#define WEIGHTFS_TREE_PERMISSION_H

/*
 * Who may write commands and settings: whoever mounted, root, and the members of the group that the
 * option admin_group names. The group is looked up at the start and when the option changes, never for a
 * request: it may need the network, or even this mount.
 */

#include "tree/rows.h"
#include "tree/tree.h"

/* A group that does not exist is logged and allows nobody. */
void permission_init(struct tree *tree);
void permission_done(struct tree *tree);
/* The option has another value. Looks it up, which may take long: on no thread that serves requests. */
void permission_renew(struct tree *tree);
/* The group; false: there is none. */
bool permission_group(struct tree *tree, gid_t *ret_group);
bool permission_allows(struct tree *tree, const struct tree_caller *caller);

#endif
