/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/stamp.h"

#include <stdlib.h>

#include "base/clock.h"
#include "tree/inside.h"

void stamps_init(struct tree *tree) {
    lock_init(&tree->stamps.lock, LOCK_HANDLE);
    tree->stamps.sets = mem_array(STAMP_SETS, sizeof(tree->stamps.sets[0]));
}

void stamps_done(struct tree *tree) {
    free(tree->stamps.sets);
    lock_done(&tree->stamps.lock);
}

static uint64_t hash_text(const char *text, size_t len) {
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    return hash;
}

int64_t stamp_text(struct tree *tree, node_number node, const char *text, size_t len, int64_t base_ms) {
    uint64_t hash = hash_text(text, len);
    size_t set = (size_t)((node * 0x9e3779b97f4a7c15u) >> 32) % STAMP_SETS;
    LOCK_SCOPE(&tree->stamps.lock);
    struct stamp *stamps = tree->stamps.sets[set];
    for (unsigned way = 0; way < STAMP_WAYS; way++) {
        struct stamp *stamp = &stamps[way];
        if (stamp->node != node)
            continue;
        if (stamp->hash != hash) {
            stamp->hash = hash;
            stamp->changed_ms = clock_wall_ms();
        }
        return stamp->changed_ms;
    }
    unsigned way = tree->stamps.turn[set]++ % STAMP_WAYS;
    stamps[way] = (struct stamp){.node = node, .hash = hash, .changed_ms = base_ms};
    return base_ms;
}
