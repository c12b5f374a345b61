/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_WAKE_H
#define WEIGHTFS_TREE_WAKE_H

/* From news to the names whose watchers shall wake; see "Watchers" in tree.h. */

#include "base/bus.h"
#include "tree/tree.h"

/* On the publisher's thread: tells the one listener, which only takes note. */
void wake_hear(struct tree *tree, const struct news *news);

#endif
