/* SPDX-License-Identifier: Apache-2.0 */
/* What jobs that fetch have in common: they want some blobs at a time until all of their files are here.
 * Desk. */

#include <stdlib.h>
#include <string.h>

#include "manage/pull_items.h"
#include "manage/setting.h"

#define START_AGAIN_MS 2000 /* after a blob could not be begun */

/* live_job.work */
struct pull {
    struct items items;
    size_t next;    /* the first item that was not looked at yet */
    size_t left;    /* items that are neither done nor failed */
    size_t done;    /* under lock: items done */
    int item_error; /* of the first item that failed for good */
    struct reason item_reason;
    int start_error; /* why the next item could not be begun (no room, no descriptor) */
    uint64_t start_again_ms;
    struct http_rate *rate; /* that all its blobs keep */
    uint64_t begun_ms;
    pull_over *over; /* NULL: nothing follows */
};

/* How long an error may last before the job says that it waits: hiccups are no pauses. The last row
 * is for all others. */
static const struct patience {
    int error;
    uint64_t ms;
} patiences[] = {
    {-ERR_OFFLINE, 0},
    {-ERR_FULL, 0},
    {-ERR_BUDGET, 0},
    {-ENOSPC, 0},
    {-EDQUOT, 0},
    {-EIO, 3000}, /* our own disk */
    {-ERR_RATE_LIMITED, 2000},
    {-ERR_UNREACHABLE, 3000},
    {0, 30000},
};

/* Errors that all files of a model share: the others need not be tried. */
static const int common_errors[] = {-ERR_GATED, -ERR_TOKEN, -ERR_DISABLED, -ERR_UNKNOWN_MODEL,
    -ERR_UNKNOWN_REVISION};

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

static void put_item(struct manage *manage, struct item *item) {
    if (!item->blob)
        return;
    blob_unwant(item->blob);
    blob_set_rate(item->blob, NULL);
    blob_put(item->blob);
    item->blob = NULL;
    manage->wanted--;
}

static void count_done(struct live_job *job, struct item *item) {
    struct pull *pull = job->work;
    put_item(job->manage, item);
    item->done = true;
    item->here = item->size;
    pull->left--;
    LOCK_SCOPE(&job->manage->lock);
    pull->done++;
}

static void count_failed(struct live_job *job, struct item *item, int error, const struct reason *reason) {
    struct pull *pull = job->work;
    put_item(job->manage, item);
    item->failed = true;
    pull->left--;
    if (pull->item_error)
        return; /* the first one is told */
    pull->item_error = error;
    (void)err_because(&pull->item_reason, error, "%s", err_text(reason, error));
}

/* What the blobs under way have in common. */
struct trouble {
    size_t under_way, stuck;
    int error; /* of one that is stuck */
    struct reason reason;
    int last_error; /* of one that tries again, perhaps at this moment */
    struct reason last_reason;
};

static void look_at(struct live_job *job, struct item *item, struct trouble *trouble) {
    struct blob_info info;
    blob_look(item->blob, &info);
    if (info.bytes_here > item->here)
        job_came(job, info.bytes_here - item->here);
    item->here = info.bytes_here;
    if (info.state == BLOB_COMPLETE) {
        item_learn_sha256(job->manage, item->digest, &info);
        count_done(job, item);
    } else if (info.state == BLOB_CORRUPT) {
        count_failed(job, item, info.error ? info.error : -ERR_CORRUPT, &info.reason);
    } else if (info.error && info.final) {
        count_failed(job, item, info.error, &info.reason);
    } else {
        trouble->under_way++;
        if (info.error && !item->troubled)
            job_count_try(job);
        item->troubled = info.error;
        if (info.error && !trouble->last_error) {
            trouble->last_error = info.error;
            trouble->last_reason = info.reason;
        }
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
        result = model_blob(manage, &job->model, file, &blob);
    free(file);
    if (result == -ENOENT)
        result = -ERR_CHANGED; /* the revision is gone from the catalogue */
    if (result < 0)
        return result;
    struct blob_info info;
    blob_look(blob, &info);
    item->here = info.bytes_here;
    if (info.state == BLOB_COMPLETE) {
        item_learn_sha256(job->manage, item->digest, &info);
        blob_put(blob);
        count_done(job, item);
        return 0;
    }
    item->blob = blob;
    manage->wanted++;
    blob_set_rate(blob, ((struct pull *)job->work)->rate);
    blob_want(blob);
    return 0;
}

static void begin_items(struct live_job *job) {
    struct manage *manage = job->manage;
    struct pull *pull = job->work;
    if (clock_ms() < pull->start_again_ms)
        return;
    pull->start_error = 0;
    while (pull->next < pull->items.count && manage->wanted < WANTED_MOST) {
        struct item *item = &pull->items.array[pull->next];
        int result = item->done ? 0 : begin_item(job, item);
        if (result == -ERR_GATED || result == -ERR_CHANGED || result == -ERR_UNKNOWN_MODEL) {
            count_failed(job, item, result, NULL);
        } else if (result < 0) {
            pull->start_error = result; /* of our own disk or descriptors: another time */
            pull->start_again_ms = clock_ms() + START_AGAIN_MS;
            return;
        }
        pull->next++;
    }
}

static void end(struct live_job *job, int error, const struct reason *why) {
    const struct pull *pull = job->work;
    struct reason reason = *why; /* stop() frees the pull */
    if (pull->over)
        error = pull->over(job, error, &reason);
    job_end(job, error ? JOB_FAILED : JOB_DONE, error, error ? err_text(&reason, error) : reason.text);
}

/* true: the job has ended and is gone. */
static bool end_if_over(struct live_job *job) {
    const struct pull *pull = job->work;
    bool failed = pull->item_error && (!pull->left || is_common(pull->item_error));
    if (!failed && pull->left)
        return false;
    end(job, pull->item_error, &pull->item_reason);
    return true;
}

static void judge(struct live_job *job, const struct trouble *trouble) {
    const struct pull *pull = job->work;
    int error = trouble->under_way ? trouble->error : pull->start_error;
    bool stuck = error && trouble->stuck == trouble->under_way;
    if (!trouble->under_way && !pull->start_error) /* others have all the places */
        return;
    if (stuck && job_still_ms(job) >= patience_of(error))
        job_set_state(job, JOB_PAUSED, error,
            trouble->under_way ? err_text(&trouble->reason, error) : err_sentence(error));
    else if (!stuck || job->row.state != JOB_PAUSED)
        job_set_state(job, JOB_RUNNING, trouble->under_way ? trouble->last_error : error,
            trouble->last_error ? err_text(&trouble->last_reason, trouble->last_error) : err_sentence(error));
}

static void tell_progress(struct live_job *job) {
    const struct pull *pull = job->work;
    uint64_t here = 0;
    for (size_t i = 0; i < pull->items.count; i++)
        here += pull->items.array[i].here;
    job_set_progress(job, here, pull->items.bytes_total);
}

/* The smaller of the job's own limit and its model's. */
static void follow_rate(struct live_job *job) {
    const struct pull *pull = job->work;
    uint64_t model = (uint64_t)model_setting_number(job->manage, &job->model, "limit_rate");
    uint64_t own = job->row.limit_rate;
    http_rate_set(pull->rate, own && (!model || own < model) ? own : model);
}

/* true: it took too long, and has ended. */
static bool end_if_late(struct live_job *job) {
    const struct pull *pull = job->work;
    struct reason reason;
    int64_t most_s = options_number(job->manage->settings.options, "model_download_timeout_s");
    if (!most_s || clock_ms() - pull->begun_ms < (uint64_t)most_s * 1000)
        return false;
    int error = err_because(&reason, -ERR_DEADLINE,
        "not complete %lld s after it began (model_download_timeout_s); what came stays, `retry` goes on",
        (long long)most_s);
    end(job, error, &reason);
    return true;
}

void pull_step(struct live_job *job) {
    struct pull *pull = job->work;
    struct trouble trouble = {0};
    for (size_t i = 0; i < pull->next; i++)
        if (pull->items.array[i].blob)
            look_at(job, &pull->items.array[i], &trouble);
    size_t before = pull->next;
    begin_items(job);
    for (size_t i = before; i < pull->next; i++)
        trouble.under_way += pull->items.array[i].blob != NULL;
    tell_progress(job);
    if (end_if_over(job) || end_if_late(job))
        return;
    follow_rate(job);
    judge(job, &trouble);
}

/* ---- for the kinds ---- */

void pull_begin_items(struct live_job *job, struct items *items, pull_over *over) {
    struct pull *pull = mem_new(sizeof *pull);
    pull->items = *items;
    *items = (struct items){0};
    pull->rate = http_rate_new();
    pull->begun_ms = clock_ms();
    pull->over = over;
    for (size_t i = 0; i < pull->items.count; i++)
        pull->done += pull->items.array[i].done;
    pull->left = pull->items.count - pull->done;
    lock_take(&job->manage->lock);
    job->work = pull;
    lock_drop(&job->manage->lock);
    follow_rate(job);
    tell_progress(job);
}

void pull_stop(struct live_job *job, bool goes_on) {
    (void)goes_on;
    struct pull *pull = job->work;
    lock_take(&job->manage->lock);
    job->work = NULL;
    lock_drop(&job->manage->lock);
    for (size_t i = 0; i < pull->next; i++)
        put_item(job->manage, &pull->items.array[i]);
    items_done(&pull->items);
    http_rate_unref(pull->rate);
    free(pull);
}

void pull_retry(struct live_job *job) {
    struct pull *pull = job->work;
    for (size_t i = 0; i < pull->next; i++)
        if (pull->items.array[i].blob)
            blob_retry(pull->items.array[i].blob);
    pull->start_again_ms = 0;
}

bool pull_hears(const struct live_job *job, const char *digest) {
    const struct pull *pull = job->work;
    for (size_t i = 0; i < pull->next; i++)
        if (pull->items.array[i].blob && strcmp(pull->items.array[i].digest, digest) == 0)
            return true;
    return false;
}

bool pull_report_items(const struct live_job *job, struct model_report *report) {
    const struct pull *pull = job->work;
    if (!pull)
        return false;
    report->files_total = pull->items.count;
    report->files_here = pull->done;
    report->bytes_total = job->row.bytes_total;
    report->bytes_here = job->row.bytes_done;
    memcpy(report->variants, pull->items.variants, sizeof report->variants);
    return true;
}
