/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_WALK_H
#define WEIGHTFS_TREE_WALK_H

#include "tree/place.h"

/* st_mode of a row. */
mode_t entry_mode(const struct row *row);
/* What getattr says of a place: its row's and its object's parts together. A text is printed for its size. */
int entry_fill(const struct place *place, struct tree_entry *ret_entry);

#endif
