/* SPDX-License-Identifier: Apache-2.0 */
#include "store/metrics.h"

#include "store/internal.h"

static const char *const classes[] = {
    [FETCH_READER] = "reader",
    [FETCH_AHEAD] = "ahead",
    [FETCH_PULL] = "pull",
    [FETCH_CLASSES] = NULL,
};
static const char *const outcomes[] = {
    [STORE_READ_HERE] = "here",
    [STORE_READ_WAITED] = "waited",
    [STORE_READ_FAILED] = "failed",
    NULL,
};
static const char *const verdicts[] = {
    [STORE_VERDICT_OK] = "ok",
    [STORE_VERDICT_MISMATCH] = "mismatch",
    NULL,
};

static int read_bytes_here(void *context, double *values, unsigned count) {
    (void)count;
    struct store_figures figures;
    store_look(context, &figures);
    values[0] = (double)figures.bytes_here;
    return 0;
}

static int read_budget(void *context, double *values, unsigned count) {
    (void)count;
    struct store_figures figures;
    store_look(context, &figures);
    values[0] = (double)figures.budget_bytes;
    return 0;
}

static int read_disk_free(void *context, double *values, unsigned count) {
    (void)count;
    struct store_figures figures;
    store_look(context, &figures);
    values[0] = (double)figures.disk_free_bytes;
    return 0;
}

static int read_fetches(void *context, double *values, unsigned count) {
    (void)count;
    struct store_figures figures;
    store_look(context, &figures);
    values[0] = figures.fetches;
    return 0;
}

#define BY(name, array) .labels = {{(name), .values = (array)}}

const struct metric_row store_metrics[STORE_METRICS + 1] = {
    [STORE_BYTES_HERE] = {.name = "weightfs_store_bytes",
        .type = METRIC_GAUGE,
        .help = "Bytes of models on this disk, complete and partial, of all mounts that share the store.",
        .read = read_bytes_here},
    [STORE_BUDGET] = {.name = "weightfs_store_budget_bytes",
        .type = METRIC_GAUGE,
        .help = "What the store may take (cache_max_bytes); 0 is no limit.",
        .read = read_budget},
    [STORE_DISK_FREE] = {.name = "weightfs_store_disk_free_bytes",
        .type = METRIC_GAUGE,
        .help = "What is free on the store's disk, less min_free_bytes.",
        .read = read_disk_free},
    [STORE_FETCHES_RUNNING] = {.name = "weightfs_store_fetches_running",
        .type = METRIC_GAUGE,
        .help = "Ranges that are being fetched.",
        .read = read_fetches},
    [STORE_FETCHED_BYTES] = {.name = "weightfs_store_fetched_bytes_total",
        .type = METRIC_COUNTER,
        .help = "Bytes of model files that came over the network, by who wanted them: a reader that waits, "
                "read-ahead, or a pull.",
        BY("class", classes),
        METRIC_CELLS(FETCH_CLASSES)},
    [STORE_FETCHES] = {.name = "weightfs_store_fetches_total",
        .type = METRIC_COUNTER,
        .help = "Ranges that were asked for.",
        BY("class", classes),
        METRIC_CELLS(FETCH_CLASSES)},
    [STORE_FETCH_ERRORS] = {.name = "weightfs_store_fetch_errors_total",
        .type = METRIC_COUNTER,
        .help = "Ranges that could not be had from their source, by the error that readers would get; most "
                "are tried again.",
        .labels = {{"source", .value_of = source_label}, {"error", .value_of = metric_error_label}},
        METRIC_CELLS(SOURCES_MOST *METRIC_ERRORS)},
    [STORE_READS] = {.name = "weightfs_store_reads_total",
        .type = METRIC_COUNTER,
        .help = "Reads of model files that reached the store: answered from what was here, after waiting "
                "for the network, or not.",
        BY("outcome", outcomes),
        METRIC_CELLS(3)},
    [STORE_READ_BYTES] = {.name = "weightfs_store_read_bytes_total",
        .type = METRIC_COUNTER,
        .help = "The bytes that those reads asked for; here / (here + waited) is the hit ratio.",
        BY("outcome", outcomes),
        METRIC_CELLS(3)},
    [STORE_VERIFIED] = {.name = "weightfs_store_files_verified_total",
        .type = METRIC_COUNTER,
        .help = "Files whose last byte came, by whether their digest was the promised one.",
        BY("verdict", verdicts),
        METRIC_CELLS(2)},
    [STORE_EVICTIONS] = {.name = "weightfs_store_evictions_total",
        .type = METRIC_COUNTER,
        .help = "Files that were dropped to make room or on command.",
        METRIC_CELLS(1)},
    [STORE_EVICTED_BYTES] = {.name = "weightfs_store_evicted_bytes_total",
        .type = METRIC_COUNTER,
        .help = "Bytes that this freed.",
        METRIC_CELLS(1)},
    [STORE_LOSSES] = {.name = "weightfs_store_losses_total",
        .type = METRIC_COUNTER,
        .help = "Files that had come and that the disk could not keep.",
        METRIC_CELLS(1)},
    [STORE_METRICS] = {.name = NULL},
};
