/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_STORE_METRICS_H
#define WEIGHTFS_STORE_METRICS_H

/*
 * What the store counts. The rows are store_metrics[] (store.h); these are its indices.
 */

#include "base/metric.h"

enum store_metric {
    STORE_BYTES_HERE,
    STORE_BUDGET,
    STORE_DISK_FREE,
    STORE_FETCHES_RUNNING,
    STORE_FETCHED_BYTES, /* by class of fetch */
    STORE_FETCHES,       /* by class */
    STORE_FETCH_ERRORS,  /* by source and error: store_metric_source() */
    STORE_READS,         /* by enum store_read */
    STORE_READ_BYTES,    /* the same */
    STORE_VERIFIED,      /* by enum store_verdict */
    STORE_EVICTIONS,
    STORE_EVICTED_BYTES,
    STORE_LOSSES,
    STORE_METRICS
};
enum store_read { STORE_READ_HERE, STORE_READ_WAITED, STORE_READ_FAILED };
enum store_verdict { STORE_VERDICT_OK, STORE_VERDICT_MISMATCH };

#endif
