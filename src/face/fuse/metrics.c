/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/metrics.h"

#include "face/fuse/backing.h"
#include "face/fuse/inside.h"
#include "face/fuse/park.h"

static const char *const names[] = {
#define OPERATION_TEXT(name, text) text,
    OPERATION_TABLE(OPERATION_TEXT)
#undef OPERATION_TEXT
        NULL,
};

const char *operation_name(enum operation operation) {
    return names[operation];
}

/* Nanoseconds: from what the page cache of the catalogue answers to what the network has to bring. */
static const uint64_t TIMES[] = {10000, 50000, 100000, 500000, 1000000, 5000000, 10000000, 50000000,
    100000000, 500000000, 1000000000, 5000000000, 30000000000, 0};

static int read_parked(void *context, double *values, unsigned count) {
    (void)count;
    const struct face *face = context;
    values[0] = face->park ? (double)park_count(face->park) : 0;
    return 0;
}

static int read_passthrough(void *context, double *values, unsigned count) {
    (void)count;
    const struct face *face = context;
    values[0] = backing_is_on(face->backing);
    return 0;
}

#define BY_OPERATION .labels = {{"operation", .values = names}}

const struct metric_row face_metrics[FACE_METRICS + 1] = {
    [FACE_SECONDS] = {.name = "weightfs_fuse_request_duration_seconds",
        .type = METRIC_HISTOGRAM,
        .help = "Time from taking a request of the kernel to its answer, waiting included.",
        BY_OPERATION,
        .scale = 1e9,
        .bounds = TIMES,
        METRIC_HISTOGRAM_CELLS(OPERATION_COUNT, TIMES)},
    [FACE_ERRORS] = {.name = "weightfs_fuse_errors_total",
        .type = METRIC_COUNTER,
        .help = "Requests of the kernel that were answered with an error; a lookup of what is not there "
                "is one.",
        BY_OPERATION,
        METRIC_CELLS(OPERATION_COUNT)},
    [FACE_READ_BYTES] = {.name = "weightfs_fuse_read_bytes_total",
        .type = METRIC_COUNTER,
        .help = "Bytes that reads were answered with, texts included; what the kernel reads by itself "
                "(complete files, its page cache) is not seen.",
        METRIC_CELLS(1)},
    [FACE_PASSED_OPENS] = {.name = "weightfs_fuse_passthrough_opens_total",
        .type = METRIC_COUNTER,
        .help = "Opens of complete files that were handed to the kernel.",
        METRIC_CELLS(1)},
    [FACE_PARKED] = {.name = "weightfs_fuse_parked_requests",
        .type = METRIC_GAUGE,
        .help = "Requests that wait now.",
        .read = read_parked},
    [FACE_PARKED_TOTAL] = {.name = "weightfs_fuse_waits_total",
        .type = METRIC_COUNTER,
        .help = "Requests that had to wait.",
        METRIC_CELLS(1)},
    [FACE_STALLS] = {.name = "weightfs_fuse_stalls_total",
        .type = METRIC_COUNTER,
        .help = "Requests that were given up because nothing moved for too long.",
        METRIC_CELLS(1)},
    [FACE_INTERRUPTS] = {.name = "weightfs_fuse_interrupts_total",
        .type = METRIC_COUNTER,
        .help = "Requests that were given up because their caller was interrupted.",
        METRIC_CELLS(1)},
    [FACE_TURNED_AWAY] = {.name = "weightfs_fuse_turned_away_total",
        .type = METRIC_COUNTER,
        .help = "Requests that were refused because max_parked others were waiting.",
        METRIC_CELLS(1)},
    [FACE_PASSTHROUGH] = {.name = "weightfs_fuse_passthrough",
        .type = METRIC_GAUGE,
        .help = "1 when complete files can be handed to the kernel.",
        .read = read_passthrough},
    [FACE_METRICS] = {.name = NULL},
};
