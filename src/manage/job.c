/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pull jobs: each wants some blobs at a time until all of its files are here. Everything here runs
 * on the desk; what others look at (row, done, speed, waits) changes under the lock.
 */

#include "manage/internal.h"

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

struct live_job *job_of_model(struct manage *manage, int64_t model_id) {
    list_each (at, &manage->jobs)
        if (list_entry(at, struct live_job, link)->row.model_id == model_id)
            return list_entry(at, struct live_job, link);
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
    if (job->known && len > 0 && (size_t)len < size)
        (void)snprintf(to + len, size - (size_t)len, " of uid %u, pid %d", (unsigned)job->uid, (int)job->pid);
}

static void key_of(const struct live_job *job, char key[static NAME_KEY_SIZE]) {
    name_format(job->model.source, job->model.name, key);
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
    char key[NAME_KEY_SIZE];
    struct buf more BUF_CLEANUP = BUF_INIT;
    key_of(job, key);
    (void)buf_format(&more, ",\"job\":%lld", (long long)job->row.id); /* no limit: none of these can fail */
    if (job->row.error) {
        (void)buf_format(&more, ",\"error\":\"%s\",\"reason\":", err_name(job->row.error));
        (void)buf_json_string(&more, err_text(&job->row.reason, job->row.error));
    }
    events_add(manage, event, key, buf_text(&more));
    trace(job, "job %lld of %s: %s", (long long)job->row.id, key, event);
    bus_publish(&(struct news){.kind = NEWS_JOB, .id = job->row.id});
    bus_publish(&(struct news){.kind = NEWS_MODEL, .id = job->row.model_id});
    state_renew(manage);
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
    (void)err_because(&job->row.reason, error, "%s", reason && error ? reason : "");
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

/* ---- blobs ---- */

void job_put_item(struct manage *manage, struct item *item) {
    if (!item->blob)
        return;
    blob_unwant(item->blob);
    blob_put(item->blob);
    item->blob = NULL;
    manage->wanted--;
}

static void put_all(struct live_job *job) {
    for (size_t i = 0; i < job->next; i++)
        job_put_item(job->manage, &job->items.array[i]);
}

static void free_job(struct live_job *job) {
    items_done(&job->items);
    free(job);
}

void job_end(struct live_job *job, enum catalog_job_state state, int error, const char *reason) {
    struct manage *manage = job->manage;
    char key[NAME_KEY_SIZE], size[HUMAN_SIZE];
    key_of(job, key);
    put_all(job);
    lock_take(&manage->lock);
    list_remove(&job->link);
    job->row.ended_ms = clock_wall_ms();
    lock_drop(&manage->lock);
    /* Now that nobody new can wait on it. */
    job_set_state(job, state, error, reason);
    if (error && state != JOB_CANCELLED)
        log_notice("job %lld: pull of %s %s: %s", (long long)job->row.id, key, job_state_name(state),
            err_text(&job->row.reason, error));
    else
        log_notice("job %lld: pull of %s %s, %s", (long long)job->row.id, key, job_state_name(state),
            human_bytes(size, job->row.bytes_done));
    unsigned keep = (unsigned)options_number(manage->settings.options, "job_history");
    if (catalog_trim_jobs(manage->settings.catalog, keep) < 0)
        log_warning("ended jobs can't be removed from the catalogue");
    free_job(job);
}

/* ---- beginning, again, and leaving ---- */

void job_retry(struct live_job *job) {
    for (size_t i = 0; i < job->next; i++)
        if (job->items.array[i].blob)
            blob_retry(job->items.array[i].blob);
    job->start_again_ms = 0;
    job->moved_ms = clock_ms();
    job->dirty = true;
    job_set_state(job, JOB_RUNNING, 0, NULL);
}

void job_begin(struct manage *manage, const struct catalog_job *row, const struct catalog_model *model,
    struct items *items, const struct command_request *who) {
    struct live_job *job = mem_new(sizeof *job);
    job->manage = manage;
    job->row = *row;
    job->model = *model;
    job->items = *items;
    *items = (struct items){0};
    for (size_t i = 0; i < job->items.count; i++)
        job->done += job->items.array[i].done;
    job->left = job->items.count - job->done;
    job->row.state = JOB_QUEUED;
    job->row.bytes_total = job->items.bytes_total;
    job->moved_ms = job->saved_ms = job->measured_ms = clock_ms();
    job->dirty = true;
    if (who) {
        job->known = true;
        job->uid = who->uid;
        job->pid = who->pid;
    }
    list_init(&job->waits);
    lock_take(&manage->lock);
    list_append(&manage->jobs, &job->link);
    lock_drop(&manage->lock);
    job_measure(job);
    tell_state(job);
    tick_soon(manage, 0);
}

static int take_up(struct manage *manage, struct catalog_job *row) {
    struct words words WORDS_CLEANUP = {0};
    struct items items ITEMS_CLEANUP = {0};
    struct catalog_model *model = mem_new(sizeof *model);
    struct reason reason = {""};
    int result = catalog_model(manage->settings.catalog, row->model_id, model);
    if (result == 0)
        result = words_parse(row->words, &words, &reason);
    if (result == 0)
        result = items_read(manage, model, &words, &items);
    uint64_t missing;
    if (result == 0)
        result = items_look(manage, model, &items, &missing);
    if (result == 0) {
        row->error = 0;
        row->reason.text[0] = 0;
        job_begin(manage, row, model, &items, NULL);
    } else if (result !=
               -ERR_DATABASE) { /* it can't go on as it was written: it must not stay open for ever */
        row->state = JOB_FAILED;
        row->error = result;
        row->reason = reason;
        row->ended_ms = clock_wall_ms();
        result = catalog_set_job(manage->settings.catalog, row);
    }
    free(model);
    return result;
}

int jobs_take_up(struct manage *manage) {
    struct catalog_job *row = mem_new(sizeof *row);
    int64_t after_id = 0;
    int count;
    while ((count = catalog_list_jobs(manage->settings.catalog, true, after_id, row, 1)) == 1) {
        after_id = row->id;
        count = take_up(manage, row);
        if (count < 0)
            break;
    }
    free(row);
    return count < 0 ? count : 0;
}

void jobs_leave(struct manage *manage) {
    for (struct list *link; (link = list_shift(&manage->jobs));) {
        struct live_job *job = list_entry(link, struct live_job, link);
        put_all(job);
        job_save(job);
        release_waits(job);
        free_job(job);
    }
}
