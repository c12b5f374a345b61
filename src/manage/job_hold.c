/* SPDX-License-Identifier: Apache-2.0 */
/* What people want of jobs: pause, resume, priority. Desk. A job that is paused is stopped as when the daemon
 * ends, and begun again as after a restart: so each kind can be paused. */

#include "manage/job.h"

static int64_t holder_of(const struct live_job *job) {
    return job->row.held_by >= 0 ? job->row.held_by : job->manage->held_by;
}

bool job_follow_hold(struct live_job *job) {
    struct reason reason;
    if (holder_of(job) < 0)
        return false;
    job_stop(job, true);
    (void)err_because(&reason, 0, "paused by uid %lld%s", (long long)holder_of(job),
        job->row.held_by >= 0 ? "" : ", as all jobs");
    /* It may have been paused by the world before: that is no longer why. */
    if (job->row.state == JOB_PAUSED) {
        lock_take(&job->manage->lock);
        job->row.error = 0;
        job->row.reason = reason;
        lock_drop(&job->manage->lock);
        job_save(job);
        job_tell(job, "job.paused");
    } else {
        job_set_state(job, JOB_PAUSED, 0, reason.text);
    }
    return true;
}

static void set_holder(struct live_job *job, int64_t uid) {
    LOCK_SCOPE(&job->manage->lock);
    job->row.held_by = uid;
}

void job_hold(struct live_job *job, int64_t uid) {
    set_holder(job, uid);
    (void)job_follow_hold(job); /* true */
    tick_soon(job->manage, 0);  /* its place is free */
}

bool job_release(struct live_job *job) {
    bool was_held = job->row.held_by >= 0;
    set_holder(job, -1);
    if (job_follow_hold(job))
        return false;
    if (job->row.state == JOB_PAUSED && !job->begun)
        job_set_state(job, JOB_QUEUED, 0, NULL);
    else if (was_held)
        job_save(job);
    tick_soon(job->manage, 0);
    return true;
}

int jobs_hold(struct manage *manage, int64_t uid) {
    int result = catalog_set_hold(manage->settings.catalog, uid);
    if (result < 0)
        return result;
    lock_take(&manage->lock);
    manage->held_by = uid;
    lock_drop(&manage->lock);
    list_each (at, &manage->jobs) {
        struct live_job *job = list_entry(at, struct live_job, link);
        if (uid < 0)
            (void)job_release(job); /* nothing holds it any more */
        else
            (void)job_follow_hold(job); /* true */
    }
    bus_publish(&(struct news){.kind = NEWS_JOB});
    return 0;
}

void job_set_priority(struct live_job *job, enum catalog_job_priority priority) {
    lock_take(&job->manage->lock);
    job->row.priority = priority;
    lock_drop(&job->manage->lock);
    job_save(job);
    bus_publish(&(struct news){.kind = NEWS_JOB, .id = job->row.id});
}

void job_set_rate(struct live_job *job, uint64_t bytes_a_second) {
    lock_take(&job->manage->lock);
    job->row.limit_rate = bytes_a_second;
    lock_drop(&job->manage->lock);
    job_save(job);
    job->dirty = job->begun;
    tick_soon(job->manage, 0);
    bus_publish(&(struct news){.kind = NEWS_JOB, .id = job->row.id});
}

int job_refuse_held(const struct live_job *job, struct reason *reason) {
    int64_t holder = holder_of(job);
    if (holder < 0)
        return 0;
    return err_because(reason, -ERR_BUSY, "job %lld is paused by uid %lld%s; `resume` goes on",
        (long long)job->row.id, (long long)holder, job->row.held_by >= 0 ? "" : ", as all jobs");
}
