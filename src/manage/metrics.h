/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_METRICS_H
#define WEIGHTFS_MANAGE_METRICS_H

/*
 * What the manager counts. The rows are manage_metrics[] (manage.h); these are their indices.
 */

#include "base/metric.h"

enum manage_metric {
    MANAGE_MODELS,  /* by state */
    MANAGE_FORMATS, /* models by enum file_format */
    MANAGE_PINNED,
    MANAGE_REQUIRED,
    MANAGE_MISSING,
    MANAGE_FILES,
    MANAGE_JOBS,        /* open ones by state */
    MANAGE_JOBS_ENDED,  /* by enum job_end_as */
    MANAGE_JOB_SECONDS, /* milliseconds */
    MANAGE_VALIDATIONS, /* by enum finding_level */
    MANAGE_COMMANDS,    /* by error */
    MANAGE_DISCOVERIES, /* by source and error */
    MANAGE_EVENTS,
    MANAGE_OFFLINE,
    MANAGE_METRICS
};

#endif
