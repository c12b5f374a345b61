/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs of any kind: their states, what is told of them, their beginning and their end. Everything here
 * runs on the desk; what others look at (row, speed, waits) changes under the lock.
 */

#include "manage/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = {
    [JOB_QUEUED] = "queued",
    [JOB_RUNNING] = "running",
    [JOB_PAUSED] = "paused",
    [JOB_DONE] = "done",
    [JOB_FAILED] = "failed",
    [JOB_CANCELLED] = "cancelled",
};

const char *job_state_name(enum catalog_job_state state) {
    return (size_t)state < sizeof state_names / sizeof *state_names ? state_names[state] : "unknown";
}

/* ---- finding ---- */

struct live_job *job_of_model(struct manage *manage, int64_t model_id, const struct job_kind *kind,
    const char *words) {
    list_each (at, &manage->jobs) {
        struct live_job *job = list_entry(at, struct live_job, link);
        if (job->row.model_id == model_id && (!kind || job->kind == kind) &&
            (!words || strcmp(job->row.words, words) == 0))
            return job;
    }
    return NULL;
}

struct live_job *job_of_id(struct manage *manage, int64_t job_id) {
    list_each (at, &manage->jobs)
        if (list_entry(at, struct live_job, link)->row.id == job_id)
            return list_entry(at, struct live_job, link);
    return NULL;
}

void job_describe(const struct live_job *job, char *to, size_t size) {
    int len = snprintf(to, size, "job %lld (%s)", (long long)job->row.id, job->row.kind);
    if (job->row.uid >= 0 && len > 0 && (size_t)len < size)
        (void)snprintf(to + len, size - (size_t)len, " of uid %lld, pid %lld", (long long)job->row.uid,
            (long long)job->row.pid);
}

int job_refuse(struct manage *manage, int64_t model_id, unsigned does, unsigned excludes,
    struct reason *reason) {
    char who[128];
    list_each (at, &manage->jobs) {
        struct live_job *job = list_entry(at, struct live_job, link);
        if (job->row.model_id != model_id || !((job->kind->does & excludes) || (job->kind->excludes & does)))
            continue;
        job_describe(job, who, sizeof who);
        return err_because(reason, -ERR_BUSY, "%s, is under way; `cancel` ends it", who);
    }
    return 0;
}

/* ---- telling ---- */

/* Those who wait, one by one (on a list of ours they could be taken back while they are finished). */
static void release_waits(struct live_job *job) {
    struct manage *manage = job->manage;
    for (;;) {
        lock_take(&manage->lock);
        struct list *link = list_shift(&job->waits);
        lock_drop(&manage->lock);
        if (!link)
            return;
        struct wait *wait = list_entry(link, struct wait, link);
        wait->finish(wait, 0);
    }
}

static bool is_under_way(enum catalog_job_state state) {
    return state == JOB_QUEUED || state == JOB_RUNNING;
}

void job_save(struct live_job *job) {
    job->saved_ms = clock_ms();
    if (catalog_set_job(job->manage->settings.catalog, &job->row) < 0)
        log_warning("job %lld: its state can't be written to the catalogue", (long long)job->row.id);
}

void job_tell(struct live_job *job, const char *event) {
    struct manage *manage = job->manage;
    const char *key = *job->row.key ? job->row.key : NULL;
    struct buf more BUF_CLEANUP = BUF_INIT;
    (void)buf_format(&more, ",\"job\":%lld,\"kind\":\"%s\"", (long long)job->row.id,
        job->row.kind); /* no limit: none of these can fail */
    if (job->row.error)
        (void)buf_format(&more, ",\"error\":\"%s\"", err_name(job->row.error));
    if (job->row.error || *job->row.reason.text) {
        (void)buf_text_add(&more, ",\"reason\":");
        (void)buf_json_string(&more, err_text(&job->row.reason, job->row.error));
    }
    events_add(manage, event, key, buf_text(&more));
    trace(job, "job %lld of %s: %s", (long long)job->row.id, key ? key : "everything", event);
    bus_publish(&(struct news){.kind = NEWS_JOB, .id = job->row.id});
    if (!job->row.model_id)
        return;
    bus_publish(&(struct news){.kind = NEWS_MODEL, .id = job->row.model_id});
    state_renew(manage);
    state_follow_job(manage, job->row.model_id);
    state_mark(manage, job->row.model_id);
}

static void tell_state(struct live_job *job) {
    char name[32];
    (void)snprintf(name, sizeof name, "job.%s",
        job->row.state == JOB_RUNNING ? "started" : job_state_name(job->row.state));
    job_tell(job, name);
}

void job_set_state(struct live_job *job, enum catalog_job_state state, int error, const char *reason) {
    struct manage *manage = job->manage;
    if (job->row.state == state && job->row.error == error)
        return;
    bool told = job->row.state != state;
    lock_take(&manage->lock);
    job->row.state = state;
    job->row.error = error;
    (void)err_because(&job->row.reason, error, "%s", reason ? reason : "");
    if (!is_under_way(state))
        job->speed = 0;
    lock_drop(&manage->lock);
    if (!told)
        return; /* the row is saved every few seconds anyway */
    job_save(job);
    tell_state(job);
    if (!is_under_way(state))
        release_waits(job);
}

void job_count_try(struct live_job *job) {
    LOCK_SCOPE(&job->manage->lock);
    job->row.tries++;
}

int job_set_memo(struct live_job *job, const char *memo) {
    if (strlen(memo) >= sizeof job->row.memo)
        return -ERR_BAD_VALUE;
    lock_take(&job->manage->lock);
    (void)text_copy(job->row.memo, sizeof job->row.memo, memo); /* fits */
    lock_drop(&job->manage->lock);
    job_save(job);
    return 0;
}

/* ---- adding ---- */

static struct live_job *job_new(struct manage *manage, const struct job_kind *kind,
    const struct catalog_job *row) {
    struct live_job *job = mem_new(sizeof *job);
    job->manage = manage;
    job->kind = kind;
    job->row = *row;
    job->moved_ms = job->saved_ms = job->measured_ms = clock_ms();
    list_init(&job->waits);
    return job;
}

int job_add_row(struct manage *manage, const struct job_kind *kind, int64_t model_id, struct catalog_job *row,
    const struct command_request *who, int64_t *ret_id) {
    struct catalog_model model = {0};
    int result = model_id ? catalog_model(manage->settings.catalog, model_id, &model) : 0;
    if (result < 0)
        return result;
    row->model_id = model_id;
    if (model_id)
        name_format(model.source, model.name, row->key);
    (void)text_copy(row->kind, sizeof row->kind, kind->name); /* a kind's name fits: a test looks */
    row->state = JOB_QUEUED;
    row->held_by = row->uid = -1;
    row->created_ms = clock_wall_ms();
    if (who) {
        row->uid = who->uid;
        row->pid = who->pid;
    }
    result = catalog_add_job(manage->settings.catalog, row, &row->id);
    if (result < 0)
        return result;
    LIST_HEAD(jobs);
    list_append(who ? &command_of(who)->jobs : &jobs, &job_new(manage, kind, row)->link);
    jobs_open(manage, &jobs);
    *ret_id = row->id;
    return 0;
}

int job_add(struct manage *manage, const struct job_kind *kind, int64_t model_id, const char *words,
    const struct command_request *who, int64_t *ret_id) {
    struct catalog_job *row = mem_new(sizeof *row);
    int result = text_copy(row->words, sizeof row->words, words ? words : "");
    if (result == 0)
        result = job_add_row(manage, kind, model_id, row, who, ret_id);
    free(row);
    return result;
}

void jobs_open(struct manage *manage, struct list *jobs) {
    bool any = false;
    for (struct list *link; (link = list_shift(jobs)); any = true) {
        struct live_job *job = list_entry(link, struct live_job, link);
        lock_take(&manage->lock);
        list_append(&manage->jobs, &job->link);
        lock_drop(&manage->lock);
        if (!job_follow_hold(job))
            tell_state(job);
    }
    if (any)
        tick_soon(manage, 0);
}

void jobs_drop(struct list *jobs) {
    for (struct list *link; (link = list_shift(jobs));)
        free(list_entry(link, struct live_job, link));
}

/* ---- ending, going on, leaving ---- */

void job_stop(struct live_job *job, bool goes_on) {
    if (job->begun)
        job->kind->stop(job, goes_on);
    job->begun = false;
}

static void log_end(const struct live_job *job) {
    const struct catalog_job *row = &job->row;
    char size[HUMAN_SIZE];
    const char *key = *row->key ? row->key : "everything";
    if (row->error && row->state != JOB_CANCELLED)
        log_notice("job %lld: %s of %s %s: %s", (long long)row->id, row->kind, key,
            job_state_name(row->state), err_text(&row->reason, row->error));
    else
        log_notice("job %lld: %s of %s %s, %s", (long long)row->id, row->kind, key,
            job_state_name(row->state), human_bytes(size, row->bytes_done));
}

static void count_end(const struct live_job *job) {
    unsigned label = METRIC_PAIR((unsigned)job_kind_index(job->kind), job->row.state, JOB_CANCELLED + 1);
    int64_t took_ms = job->row.ended_ms - job->row.created_ms; /* the wall's clock may be set back */
    metric_add(&manage_metrics[MANAGE_JOBS_ENDED], label, 1);
    metric_observe(&manage_metrics[MANAGE_JOB_SECONDS], label, took_ms > 0 ? (uint64_t)took_ms : 0);
}

void job_end(struct live_job *job, enum catalog_job_state state, int error, const char *reason) {
    struct manage *manage = job->manage;
    job_stop(job, false);
    lock_take(&manage->lock);
    list_remove(&job->link);
    job->row.ended_ms = clock_wall_ms();
    lock_drop(&manage->lock);
    /* Now that nobody new can wait on it. */
    job_set_state(job, state, error, reason);
    log_end(job);
    count_end(job);
    unsigned keep = (unsigned)options_number(manage->settings.options, "job_history");
    if (catalog_trim_jobs(manage->settings.catalog, keep) < 0)
        log_warning("ended jobs can't be removed from the catalogue");
    free(job);
    if (!list_empty(&manage->jobs))
        tick_soon(manage, 0); /* its place is free */
}

/* A kind that this build does not have, or a model that is gone: it must not stay open for ever. */
static int give_up(struct manage *manage, struct catalog_job *row, int error, const char *reason) {
    row->state = JOB_FAILED;
    row->ended_ms = clock_wall_ms();
    row->error = err_because(&row->reason, error, "%s", reason);
    return catalog_set_job(manage->settings.catalog, row);
}

int jobs_take_up(struct manage *manage) {
    struct catalog_job *row = mem_new(sizeof *row);
    LIST_HEAD(jobs);
    int64_t after_id = 0;
    int count;
    while ((count = catalog_list_jobs(manage->settings.catalog, true, after_id, row, 1)) == 1) {
        const struct job_kind *kind = job_kind_of(row->kind);
        after_id = row->id;
        if (!kind) {
            count = give_up(manage, row, -ERR_UNKNOWN_COMMAND, "this weightfs knows no such kind of job");
        } else {
            row->state = JOB_QUEUED;
            row->error = 0;
            row->reason.text[0] = 0;
            list_append(&jobs, &job_new(manage, kind, row)->link);
        }
        if (count < 0)
            break;
    }
    free(row);
    int held = catalog_hold(manage->settings.catalog, &manage->held_by);
    jobs_open(manage, &jobs);
    if (count < 0)
        return count;
    return held == -ENOENT ? 0 : held;
}

void jobs_leave(struct manage *manage) {
    for (struct list *link; (link = list_shift(&manage->jobs));) {
        struct live_job *job = list_entry(link, struct live_job, link);
        job_stop(job, true);
        job_save(job);
        release_waits(job);
        free(job);
    }
}
