/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/listings.h"

#include <stdlib.h>

#include "base/buf.h"

enum { SETS = 1 << 14, WAYS = 4, LASTS_MS = 45000 };

struct listing {
    uint64_t node; /* 0: free */
    uint64_t stamp, until_ms;
};

struct listings {
    _Atomic uint64_t forgotten;
    struct lock lock; /* QUEUE: all below */
    struct listing sets[SETS][WAYS];
};

struct listings *listings_new(void) {
    struct listings *listings = mem_new(sizeof *listings); /* its pages are taken as they are used */
    lock_init(&listings->lock, LOCK_QUEUE);
    return listings;
}

void listings_free(struct listings *listings) {
    if (!listings)
        return;
    lock_done(&listings->lock);
    free(listings);
}

/* The folder's place, or the one that is given up for it: of the set's the oldest. */
static struct listing *place_locked(struct listings *listings, uint64_t node) {
    struct listing *set = listings->sets[(node * UINT64_C(0x9e3779b97f4a7c15) >> 32) % SETS], *oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].node == node)
            return &set[i];
        if (set[i].until_ms < oldest->until_ms)
            oldest = &set[i];
    }
    return oldest;
}

bool listings_keep(struct listings *listings, uint64_t node, uint64_t version) {
    /* Both only rise: so does their sum, with each of them. */
    uint64_t stamp = version + atomic_load(&listings->forgotten), now = clock_ms();
    LOCK_SCOPE(&listings->lock);
    struct listing *listing = place_locked(listings, node);
    if (listing->node == node && listing->stamp == stamp && now < listing->until_ms)
        return true;
    *listing = (struct listing){.node = node, .stamp = stamp, .until_ms = now + LASTS_MS};
    return false;
}

void listings_forget(struct listings *listings, uint64_t node) {
    if (node_kind(node) == NODE_MODEL_FILE)
        atomic_fetch_add(&listings->forgotten, 1);
}
