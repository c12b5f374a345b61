/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_SNAPSHOT_H
#define WEIGHTFS_TREE_SNAPSHOT_H

/*
 * A snapshot is what a text said at one moment. stat and open share it, so that the size that was told
 * is the size that is read: a node's current snapshot is used for some time (version.h), unless what it
 * shows may have changed in between. Memory: those that are not open are dropped after that time, and
 * before when they are many.
 */

#include <stdatomic.h>

#include "base/list.h"
#include "tree/place.h"
#include "tree/tree.h"

struct snapshot {
    struct list link; /* in its bucket and the list of ages while it is its node's current one */
    struct list age;
    node_number node;
    _Atomic unsigned refs;
    uint64_t made_ms, until_ms;
    uint64_t version, figures; /* version.h */
    int64_t changed_ms;
    size_t len;
    char *text;
};

enum snapshot_use {
    SNAPSHOT_LOOK, /* for stat: what is open now is told for its second, whatever happened */
    SNAPSHOT_OPEN  /* for reading */
};

void snapshots_init(struct tree *tree);
void snapshots_done(struct tree *tree);
/* A reference (snapshot_put). Prints with no lock held. */
int snapshot_get(const struct place *place, enum snapshot_use use, struct snapshot **ret_snapshot);
void snapshot_put(struct snapshot *snapshot);
static inline struct snapshot *snapshot_ref(struct snapshot *snapshot) {
    atomic_fetch_add(&snapshot->refs, 1);
    return snapshot;
}

#endif
