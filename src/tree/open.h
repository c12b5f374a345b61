/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_OPEN_H
#define WEIGHTFS_TREE_OPEN_H

#include "tree/handle.h"

/* The open file behind a number that the kernel named: one of ours, or a predecessor's, which is taken
 * up under its number as if it had just been opened. A reference (handle_unref). -ERR_STALE when the
 * node can't be served any more. */
int handle_adopt(struct tree *tree, node_number node, uint64_t number, struct handle **ret_handle);

#endif
