/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/rows.h"

#define OBJECT_BITS     32
#define GENERATION_BITS 24
#define OBJECT_MASK     ((UINT64_C(1) << OBJECT_BITS) - 1)
#define GENERATION_MASK ((UINT64_C(1) << GENERATION_BITS) - 1)

node_number node_make(unsigned row, uint64_t object, uint32_t generation) {
    return (node_number)row << (OBJECT_BITS + GENERATION_BITS) | (object & OBJECT_MASK) << GENERATION_BITS |
           (generation & GENERATION_MASK);
}

unsigned node_row(node_number node) {
    return (unsigned)(node >> (OBJECT_BITS + GENERATION_BITS));
}

uint64_t node_object(node_number node) {
    return node >> GENERATION_BITS & OBJECT_MASK;
}

uint32_t node_generation(node_number node) {
    return (uint32_t)(node & GENERATION_MASK);
}

node_number node_inode(node_number node) {
    if (node_row(node) == ROW_REVISION_FILE) /* one file, whichever way one came */
        return node_make(ROW_FILE, node_object(node), 0);
    return node_kind(node) == NODE_MODEL_FILE ? node & ~GENERATION_MASK : node;
}
