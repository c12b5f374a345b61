/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/snapshot.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "tree/inside.h"
#include "tree/metrics.h"
#include "tree/stamp.h"
#include "tree/version.h"

#define YOUNG_MS   1000
#define MOST_COUNT 16384
#define MOST_BYTES (8u << 20)
#define TEXT_LIMIT (64u << 20)

void snapshots_init(struct tree *tree) {
    lock_init(&tree->snapshots.lock, LOCK_HANDLE);
    for (size_t i = 0; i < SNAPSHOT_BUCKETS; i++)
        list_init(&tree->snapshots.buckets[i]);
    list_init(&tree->snapshots.ages);
}

static struct list *bucket_of(struct snapshots *snapshots, node_number node) {
    return &snapshots->buckets[(node * 0x9e3779b97f4a7c15u) >> 48 & (SNAPSHOT_BUCKETS - 1)];
}

static struct snapshot *find_locked(struct snapshots *snapshots, node_number node) {
    struct list *bucket = bucket_of(snapshots, node);
    list_each (at, bucket) {
        struct snapshot *snapshot = list_entry(at, struct snapshot, link);
        if (snapshot->node == node)
            return snapshot;
    }
    return NULL;
}

void snapshot_put(struct snapshot *snapshot) {
    if (atomic_fetch_sub(&snapshot->refs, 1) > 1)
        return;
    free(snapshot->text);
    free(snapshot);
}

/* It is not its node's current one any more; who has it open keeps it. */
static void retire_locked(struct snapshots *snapshots, struct snapshot *snapshot) {
    lock_assert(&snapshots->lock);
    list_remove(&snapshot->link);
    list_remove(&snapshot->age);
    snapshots->count--;
    snapshots->bytes -= snapshot->len;
    snapshot_put(snapshot);
}

static void trim_locked(struct snapshots *snapshots, uint64_t now_ms) {
    while (!list_empty(&snapshots->ages)) {
        struct snapshot *oldest = list_entry(snapshots->ages.next, struct snapshot, age);
        if (now_ms < oldest->until_ms && snapshots->count <= MOST_COUNT &&
            snapshots->bytes <= MOST_BYTES)
            return;
        retire_locked(snapshots, oldest);
    }
}

void snapshots_done(struct tree *tree) {
    lock_take(&tree->snapshots.lock);
    while (!list_empty(&tree->snapshots.ages))
        retire_locked(&tree->snapshots, list_entry(tree->snapshots.ages.next, struct snapshot, age));
    lock_drop(&tree->snapshots.lock);
    lock_done(&tree->snapshots.lock);
}

/* One reference is the table's; a second one is somebody's who reads it now. Figures may be a second old. */
static bool is_usable(const struct snapshot *snapshot, enum snapshot_use use, const struct place *place,
    uint64_t now_ms) {
    bool young = now_ms - snapshot->made_ms < YOUNG_MS;
    if (now_ms >= snapshot->until_ms || (!young && snapshot->figures != version_of_figures(place)))
        return false;
    return snapshot->version == version_of(place) ||
           (young && use == SNAPSHOT_LOOK && snapshot->refs > 1);
}

static int print(const struct place *place, struct buf *text) {
    text->limit = TEXT_LIMIT;
    int result = place->row->print(place, text);
    if (result == -ENOENT)
        return -ERR_STALE; /* what it is about went while we looked */
    return result;
}

int snapshot_get(const struct place *place, enum snapshot_use use, struct snapshot **ret_snapshot) {
    struct tree *tree = place->tree;
    struct snapshots *snapshots = &tree->snapshots;
    metric_add(&tree_metrics[TREE_TEXTS_GIVEN], 0, 1);
    uint64_t now_ms = clock_ms();
    /* Before printing: what comes meanwhile makes it old. */
    uint64_t version = version_of(place), figures = version_of_figures(place);
    lock_take(&snapshots->lock);
    struct snapshot *current = find_locked(snapshots, place->node);
    if (current && is_usable(current, use, place, now_ms)) {
        *ret_snapshot = snapshot_ref(current);
        lock_drop(&snapshots->lock);
        return 0;
    }
    lock_drop(&snapshots->lock);

    struct buf text BUF_CLEANUP = BUF_INIT;
    metric_add(&tree_metrics[TREE_TEXTS_MADE], 0, 1);
    int result = print(place, &text);
    if (result < 0) {
        log_warning("the text of node %016llx can't be printed: %s", (unsigned long long)place->node,
            err_sentence(result));
        return result;
    }
    struct snapshot *made = mem_new(sizeof(*made));
    made->node = place->node;
    made->refs = 2; /* the table's and the caller's */
    made->made_ms = now_ms;
    made->until_ms = now_ms + version_lasts_ms(place);
    made->version = version;
    made->figures = figures;
    made->changed_ms = stamp_text(tree, place->node, buf_text(&text), text.len, place_changed_ms(place));
    made->len = text.len;
    made->text = buf_take(&text);

    lock_take(&snapshots->lock);
    current = find_locked(snapshots, place->node);
    if (current)
        retire_locked(snapshots, current);
    list_append(bucket_of(snapshots, place->node), &made->link);
    list_append(&snapshots->ages, &made->age);
    snapshots->count++;
    snapshots->bytes += made->len;
    trim_locked(snapshots, now_ms);
    lock_drop(&snapshots->lock);
    trace(tree, "node %016llx: a text of %zu bytes", (unsigned long long)place->node, made->len);
    *ret_snapshot = made;
    return 0;
}
