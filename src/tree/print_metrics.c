/* SPDX-License-Identifier: Apache-2.0 */

/* `metrics`: all floors' numbers. The tree's own are the last. */

#include "tree/inside.h"
#include "tree/metrics.h"
#include "tree/place.h"
#include "tree/print.h"

static int read_text_bytes(void *context, double *values, unsigned count) {
    (void)count;
    struct tree *tree = context;
    LOCK_SCOPE(&tree->snapshots.lock);
    values[0] = (double)tree->snapshots.bytes;
    return 0;
}

static int read_open(void *context, double *values, unsigned count) {
    (void)count;
    struct tree *tree = context;
    LOCK_SCOPE(&tree->handles.lock);
    for (size_t i = 0; i < HANDLE_BUCKETS; i++)
        list_each (at, &tree->handles.buckets[i])
            values[0]++;
    return 0;
}

const struct metric_row tree_metrics[TREE_METRICS + 1] = {
    [TREE_TEXTS_MADE] = {.name = "weightfs_tree_texts_made_total",
        .type = METRIC_COUNTER,
        .help = "Texts of the tree (status, card …) that were printed anew.",
        METRIC_CELLS(1)},
    [TREE_TEXTS_GIVEN] = {.name = "weightfs_tree_texts_given_total",
        .type = METRIC_COUNTER,
        .help = "Texts that were asked for, by stat or open; most are kept from before.",
        METRIC_CELLS(1)},
    [TREE_TEXT_BYTES] = {.name = "weightfs_tree_text_cache_bytes",
        .type = METRIC_GAUGE,
        .help = "Texts that are kept.",
        .read = read_text_bytes},
    [TREE_OPEN] = {.name = "weightfs_tree_open_handles",
        .type = METRIC_GAUGE,
        .help = "Open files of the tree, without those that the kernel reads by itself.",
        .read = read_open},
    [TREE_METRICS] = {.name = NULL},
};

int print_metrics(const struct place *place, struct buf *to) {
    struct tree *tree = place->tree;
    const struct metric_section own[] = {{tree_metrics, tree}, {NULL, NULL}};
    int result = tree->settings.metrics ? metrics_print(tree->settings.metrics, to) : 0;
    return result < 0 ? result : metrics_print(own, to);
}
