/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/known.h"

#include <stdlib.h>

#include "base/buf.h"

enum { SLOTS = 1 << 15 };

struct known {
    bool everything;
    _Atomic int64_t counts[SLOTS];
};

struct known *known_new(bool everything) {
    struct known *known = mem_new(sizeof *known);
    known->everything = everything;
    return known;
}

void known_free(struct known *known) {
    free(known);
}

static size_t slot_of(uint64_t node) {
    return (node * UINT64_C(0x9e3779b97f4a7c15) >> 32) % SLOTS;
}

void known_add(struct known *known, uint64_t node) {
    if (node_kind(node) == NODE_FOLDER)
        atomic_fetch_add_explicit(&known->counts[slot_of(node)], 1, memory_order_relaxed);
}

void known_forget(struct known *known, uint64_t node, uint64_t count) {
    if (node_kind(node) == NODE_FOLDER)
        atomic_fetch_sub_explicit(&known->counts[slot_of(node)], (int64_t)count, memory_order_relaxed);
}

bool known_may_be(const struct known *known, uint64_t node) {
    return known->everything || node == NODE_ROOT ||
           atomic_load_explicit(&known->counts[slot_of(node)], memory_order_relaxed) > 0;
}
