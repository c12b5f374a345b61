/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pull jobs: each wants some blobs at a time until all of its files are here. Everything here runs on the desk; what others look at
 * (row, done, speed, waits) changes under the lock.
 */

#include "manage/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAVE_EVERY_MS 5000       /* how often bytes_done is written to the catalogue */
#define START_AGAIN_MS 2000      /* after a blob could not be begun */
#define SPEED_WEIGHT 4           /* each measure counts for a quarter */
#define MEASURE_MS 400

static const char *const state_names[] = {
    [JOB_QUEUED] = "queued", [JOB_RUNNING] = "running", [JOB_PAUSED] = "paused", [JOB_DONE] = "done",
    [JOB_FAILED] = "failed", [JOB_CANCELLED] = "cancelled",
};

const char *job_state_name(enum catalog_job_state state) {
    return (size_t)state < sizeof state_names / sizeof *state_names ? state_names[state] : "unknown";
}

/* How long an error may last before the job says that it waits: hiccups are no pauses. The last row is for all others. */
static const struct patience {
    int error;
    uint64_t ms;
} patiences[] = {
    { -ERR_OFFLINE, 0 }, { -ERR_FULL, 0 }, { -ERR_BUDGET, 0 }, { -ENOSPC, 0 }, { -EDQUOT, 0 },
    { -ERR_RATE_LIMITED, 2000 }, { -ERR_UNREACHABLE, 3000 }, { 0, 30000 },
};

/* Errors that all files of a model share: the others need not be tried. */
static const int common_errors[] = { -ERR_GATED, -ERR_TOKEN, -ERR_DISABLED, -ERR_UNKNOWN_MODEL, -ERR_UNKNOWN_REVISION };

static bool is_common(int error) {
    for (size_t i = 0; i < sizeof common_errors / sizeof *common_errors; i++)
        if (common_errors[i] == error)
            return true;
    return false;
}

static uint64_t patience_of(int error) {
    const struct patience *row = patiences;
    while (row->error && row->error != error)
        row++;
    return row->ms;
}

/* ---- finding ---- */

struct live_job *job_of_model(struct manage *manage, int64_t model_id) {
    list_each(at, &manage->jobs)
        if (list_entry(at, struct live_job, link)->row.model_id == model_id)
            return list_entry(at, struct live_job, link);
    return NULL;
}

struct live_job *job_of_id(struct manage *manage, int64_t job_id) {
    list_each(at, &manage->jobs)
        if (list_entry(at, struct live_job, link)->row.id == job_id)
            return list_entry(at, struct live_job, link);
    return NULL;
}

void job_describe(const struct live_job *job, char *to, size_t size) {
    int len = snprintf(to, size, "job %lld (%s)", (long long)job->row.id, job->row.kind);
    if (job->known && len > 0 && (size_t)len < size)
        (void)snprintf(to + len, size - (size_t)len, ", asked for by uid %u, pid %d", (unsigned)job->uid, (int)job->pid);
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

static void save(struct live_job *job) {
    job->saved_ms = clock_ms();
    if (catalog_set_job(job->manage->settings.catalog, &job->row) < 0)
        log_warning("job %lld: its state can't be written to the catalogue", (long long)job->row.id);
}

static void tell_state(struct live_job *job) {
    struct manage *manage = job->manage;
    char key[NAME_KEY_SIZE], name[32];
    struct buf more BUF_CLEANUP = BUF_INIT;
    key_of(job, key);
    (void)snprintf(name, sizeof name, "job.%s", job->row.state == JOB_RUNNING ? "started" : job_state_name(job->row.state));
    (void)buf_format(&more, ",\"job\":%lld", (long long)job->row.id); /* no limit: none of these can fail */
    if (job->row.error) {
        (void)buf_format(&more, ",\"error\":\"%s\",\"reason\":", err_name(job->row.error));
        (void)buf_json_string(&more, err_text(&job->row.reason, job->row.error));
    }
    events_add(manage, name, key, buf_text(&more));
    trace(job, "job %lld of %s: %s", (long long)job->row.id, key, job_state_name(job->row.state));
    bus_publish(&(struct news){ .kind = NEWS_JOB, .id = job->row.id });
    bus_publish(&(struct news){ .kind = NEWS_MODEL, .id = job->row.model_id });
    state_renew(manage);
    state_mark(manage, job->row.model_id);
}

static void set_state(struct live_job *job, enum catalog_job_state state, int error, const char *reason) {
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
    save(job);
    if (told)
        tell_state(job);
    if (!is_under_way(state))
        release_waits(job);
}

/* ---- blobs ---- */

static void put_item(struct manage *manage, struct item *item) {
    if (!item->blob)
        return;
    blob_unwant(item->blob);
    blob_put(item->blob);
    item->blob = NULL;
    manage->wanted--;
}

static void put_all(struct live_job *job) {
    for (size_t i = 0; i < job->next; i++)
        put_item(job->manage, &job->items.array[i]);
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
    set_state(job, state, error, reason);
    if (error)
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

/* ---- one step ---- */

static void count_done(struct live_job *job, struct item *item) {
    put_item(job->manage, item);
    item->done = true;
    item->here = item->size;
    job->left--;
    LOCK_SCOPE(&job->manage->lock);
    job->done++;
}

static void count_failed(struct live_job *job, struct item *item, int error, const struct reason *reason) {
    put_item(job->manage, item);
    item->failed = true;
    job->left--;
    if (job->item_error)
        return; /* the first one is told */
    job->item_error = error;
    (void)err_because(&job->item_reason, error, "%s", err_text(reason, error));
}

static void learn_sha256(struct live_job *job, const struct item *item, const struct blob_info *info) {
    if (digest_kind_of(item->digest) == DIGEST_SHA256 || !*info->sha256)
        return;
    if (catalog_set_sha256(job->manage->settings.catalog, item->digest, info->sha256) < 0)
        log_warning("blob %s: its SHA-256 can't be written to the catalogue", item->digest);
}

/* What the blobs under way have in common. */
struct trouble {
    size_t under_way, stuck;
    int error;
    struct reason reason;
};

static void look_at(struct live_job *job, struct item *item, struct trouble *trouble) {
    struct blob_info info;
    blob_look(item->blob, &info);
    if (info.bytes_here > item->here) {
        job->moved_ms = clock_ms();
        job->fetched_bytes += info.bytes_here - item->here;
    }
    item->here = info.bytes_here;
    if (info.state == BLOB_COMPLETE) {
        learn_sha256(job, item, &info);
        count_done(job, item);
    } else if (info.state == BLOB_CORRUPT) {
        count_failed(job, item, info.error ? info.error : -ERR_CORRUPT, &info.reason);
    } else if (info.error && info.final) {
        count_failed(job, item, info.error, &info.reason);
    } else {
        trouble->under_way++;
        if (!info.error || info.fetches)
            return;
        trouble->stuck++;
        if (!trouble->error) {
            trouble->error = info.error;
            trouble->reason = info.reason;
        }
    }
}

static int begin_item(struct live_job *job, struct item *item) {
    struct manage *manage = job->manage;
    struct catalog_file *file = mem_new(sizeof *file);
    int result = catalog_file(manage->settings.catalog, item->file_id, file);
    struct blob *blob = NULL;
    if (result == 0)
        result = item_blob(manage, &job->model, file, &blob);
    free(file);
    if (result == -ENOENT)
        result = -ERR_CHANGED; /* the revision is gone from the catalogue */
    if (result < 0)
        return result;
    struct blob_info info;
    blob_look(blob, &info);
    item->here = info.bytes_here;
    if (info.state == BLOB_COMPLETE) {
        learn_sha256(job, item, &info);
        blob_put(blob);
        count_done(job, item);
        return 0;
    }
    item->blob = blob;
    manage->wanted++;
    blob_want(blob);
    return 0;
}

static void begin_items(struct live_job *job) {
    struct manage *manage = job->manage;
    if (clock_ms() < job->start_again_ms)
        return;
    job->start_error = 0;
    while (job->next < job->items.count && manage->wanted < WANTED_MOST) {
        struct item *item = &job->items.array[job->next];
        int result = item->done ? 0 : begin_item(job, item);
        if (result == -ERR_GATED || result == -ERR_CHANGED || result == -ERR_UNKNOWN_MODEL) {
            count_failed(job, item, result, NULL);
        } else if (result < 0) {
            job->start_error = result; /* of our own disk or descriptors: another time */
            job->start_again_ms = clock_ms() + START_AGAIN_MS;
            return;
        }
        job->next++;
    }
}

static void measure(struct live_job *job) {
    struct manage *manage = job->manage;
    uint64_t here = 0, now_ms = clock_ms();
    for (size_t i = 0; i < job->items.count; i++)
        here += job->items.array[i].here;
    uint64_t span_ms = now_ms - job->measured_ms;
    LOCK_SCOPE(&manage->lock);
    if (span_ms >= MEASURE_MS) {
        uint64_t speed = (job->fetched_bytes - job->measured_bytes) * 1000 / span_ms;
        job->speed = job->speed ? (job->speed * (SPEED_WEIGHT - 1) + speed) / SPEED_WEIGHT : speed;
        job->measured_ms = now_ms;
        job->measured_bytes = job->fetched_bytes;
    }
    if (here > job->row.bytes_done)
        job->row.bytes_done = here; /* a mismatch drops bytes; what people were told does not run backwards */
}

/* true: the job has ended and is gone. */
static bool end_if_over(struct live_job *job) {
    if (job->item_error && (!job->left || is_common(job->item_error))) {
        job_end(job, JOB_FAILED, job->item_error, err_text(&job->item_reason, job->item_error));
        return true;
    }
    if (job->left)
        return false;
    job_end(job, JOB_DONE, 0, NULL);
    return true;
}

static void judge(struct live_job *job, const struct trouble *trouble) {
    uint64_t now_ms = clock_ms();
    int error = trouble->under_way ? trouble->error : job->start_error;
    bool stuck = error && trouble->stuck == trouble->under_way;
    if (!trouble->under_way && !job->start_error) /* others have all the places */
        return;
    if (stuck && now_ms - job->moved_ms >= patience_of(error))
        set_state(job, JOB_PAUSED, error, trouble->under_way ? err_text(&trouble->reason, error) : err_sentence(error));
    else if (!stuck || job->row.state == JOB_QUEUED)
        set_state(job, JOB_RUNNING, 0, NULL);
}

static void step(struct live_job *job) {
    struct trouble trouble = { 0 };
    job->dirty = false;
    for (size_t i = 0; i < job->next; i++)
        if (job->items.array[i].blob)
            look_at(job, &job->items.array[i], &trouble);
    size_t before = job->next;
    begin_items(job);
    for (size_t i = before; i < job->next; i++)
        trouble.under_way += job->items.array[i].blob != NULL;
    measure(job);
    if (end_if_over(job))
        return;
    judge(job, &trouble);
    if (clock_ms() - job->saved_ms >= SAVE_EVERY_MS)
        save(job);
}

void jobs_mark(struct manage *manage, const char *digest) {
    list_each(at, &manage->jobs) {
        struct live_job *job = list_entry(at, struct live_job, link);
        for (size_t i = 0; digest && !job->dirty && i < job->next; i++)
            job->dirty = job->items.array[i].blob && strcmp(job->items.array[i].digest, digest) == 0;
        job->dirty |= !digest;
    }
}

void jobs_step(struct manage *manage) {
    list_each(at, &manage->jobs) {
        struct live_job *job = list_entry(at, struct live_job, link);
        if (job->dirty)
            step(job);
    }
}

void job_retry(struct live_job *job) {
    for (size_t i = 0; i < job->next; i++)
        if (job->items.array[i].blob)
            blob_retry(job->items.array[i].blob);
    job->start_again_ms = 0;
    job->moved_ms = clock_ms();
    job->dirty = true;
    set_state(job, JOB_RUNNING, 0, NULL);
}

/* ---- beginning and leaving ---- */

void job_begin(struct manage *manage, const struct catalog_job *row, const struct catalog_model *model, struct items *items,
    const struct command_request *who) {
    struct live_job *job = mem_new(sizeof *job);
    job->manage = manage;
    job->row = *row;
    job->model = *model;
    job->items = *items;
    *items = (struct items){ 0 };
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
    measure(job);
    tell_state(job);
    tick_soon(manage, 0);
}

static int take_up(struct manage *manage, struct catalog_job *row) {
    struct words words WORDS_CLEANUP = { 0 };
    struct items items ITEMS_CLEANUP = { 0 };
    struct catalog_model *model = mem_new(sizeof *model);
    struct reason reason = { "" };
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
        job_begin(manage, row, model, &items, NULL);
    } else if (result != -ERR_DATABASE) { /* it can't go on as it was written: it must not stay open for ever */
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
        save(job);
        release_waits(job);
        free_job(job);
    }
}
