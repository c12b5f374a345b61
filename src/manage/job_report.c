/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs as others see them, from any thread: reports, and waiting for their end. */

#include <stdlib.h>

#include "manage/job.h"

/* ---- waiting ---- */

static int park_locked(struct manage *manage, struct live_job *job, struct wait *wait) {
    wait->where = manage;
    atomic_store_explicit(&wait->progress, NULL, memory_order_relaxed);
    atomic_store_explicit(&wait->withdraw, wait_take_back, memory_order_release);
    list_append(&job->waits, &wait->link);
    return PARKED;
}

static bool is_under_way(const struct live_job *job) {
    return job->row.state == JOB_QUEUED || job->row.state == JOB_RUNNING;
}

int model_wait_await(struct manage *manage, int64_t model_id, struct wait *wait) {
    LOCK_SCOPE(&manage->lock);
    list_each (at, &manage->jobs) {
        struct live_job *job = list_entry(at, struct live_job, link);
        if (job->row.model_id == model_id && is_under_way(job))
            return park_locked(manage, job, wait);
    }
    return 0;
}

int job_wait_await(struct manage *manage, int64_t job_id, struct wait *wait) {
    LOCK_SCOPE(&manage->lock);
    list_each (at, &manage->jobs) {
        struct live_job *job = list_entry(at, struct live_job, link);
        if (job->row.id == job_id && is_under_way(job))
            return park_locked(manage, job, wait);
    }
    return 0;
}

static void take_figures_locked(const struct live_job *job, struct job_report *report) {
    const struct catalog_job *row = &job->row;
    report->row = *row;
    report->speed = job->speed;
    report->position = job_position_locked(job);
    if (job->speed && row->bytes_total > row->bytes_done)
        report->seconds_left = (row->bytes_total - row->bytes_done) / job->speed;
}

int job_report(struct manage *manage, int64_t job_id, struct job_report *ret_report) {
    bool open = false;
    struct job_report *report = mem_new(sizeof *report);
    report->seconds_left = UINT64_MAX;
    lock_take(&manage->lock);
    list_each (at, &manage->jobs) {
        const struct live_job *job = list_entry(at, struct live_job, link);
        if (job->row.id != job_id)
            continue;
        take_figures_locked(job, report);
        open = true;
    }
    lock_drop(&manage->lock);
    int result = open ? 0 : catalog_job(manage->settings.catalog, job_id, &report->row);
    if (result == 0)
        *ret_report = *report;
    free(report);
    return result;
}
