/* SPDX-License-Identifier: Apache-2.0 */
/* One step of a job: what its blobs did, the next blobs, and what follows for the job. Desk. */

#include "manage/internal.h"

#include <stdlib.h>
#include <string.h>

#define SAVE_EVERY_MS  5000 /* how often bytes_done is written to the catalogue */
#define START_AGAIN_MS 2000 /* after a blob could not be begun */
#define SPEED_WEIGHT   4    /* each measure counts for a quarter */
#define MEASURE_MS     400
#define STILL_MS       3000 /* nothing came for so long: the speed is 0, not what it once was */
#define TROUBLE_MS     5000 /* between two events that tell of trouble */

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

static void count_done(struct live_job *job, struct item *item) {
    job_put_item(job->manage, item);
    item->done = true;
    item->here = item->size;
    job->left--;
    LOCK_SCOPE(&job->manage->lock);
    job->done++;
}

static void count_failed(struct live_job *job, struct item *item, int error, const struct reason *reason) {
    job_put_item(job->manage, item);
    item->failed = true;
    job->left--;
    if (job->item_error)
        return; /* the first one is told */
    job->item_error = error;
    (void)err_because(&job->item_reason, error, "%s", err_text(reason, error));
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
    if (info.bytes_here > item->here) {
        job->moved_ms = clock_ms();
        job->fetched_bytes += info.bytes_here - item->here;
    }
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
        item_learn_sha256(job->manage, item->digest, &info);
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

void job_measure(struct live_job *job) {
    struct manage *manage = job->manage;
    uint64_t here = 0, now_ms = clock_ms();
    for (size_t i = 0; i < job->items.count; i++)
        here += job->items.array[i].here;
    uint64_t span_ms = now_ms - job->measured_ms;
    LOCK_SCOPE(&manage->lock);
    if (now_ms - job->moved_ms >= STILL_MS) {
        job->speed = 0; /* what comes next is measured over the whole silence: a slow link sends in steps */
    } else if (span_ms >= MEASURE_MS) {
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

/* It goes on in spite of it: the state stays, people are told why nothing comes. */
static void tell_trouble(struct live_job *job) {
    uint64_t now_ms = clock_ms();
    if (!job->row.error || (job->trouble_ms && now_ms - job->trouble_ms < TROUBLE_MS))
        return;
    job->trouble_ms = now_ms;
    job_tell(job, "job.trouble");
}

static void judge(struct live_job *job, const struct trouble *trouble) {
    uint64_t now_ms = clock_ms();
    int error = trouble->under_way ? trouble->error : job->start_error;
    bool stuck = error && trouble->stuck == trouble->under_way;
    if (!trouble->under_way && !job->start_error) /* others have all the places */
        return;
    if (stuck && now_ms - job->moved_ms >= patience_of(error))
        job_set_state(job, JOB_PAUSED, error,
            trouble->under_way ? err_text(&trouble->reason, error) : err_sentence(error));
    else if (!stuck || job->row.state != JOB_PAUSED)
        job_set_state(job, JOB_RUNNING, trouble->under_way ? trouble->last_error : error,
            trouble->last_error ? err_text(&trouble->last_reason, trouble->last_error) : err_sentence(error));
    if (job->row.state == JOB_RUNNING)
        tell_trouble(job);
}

static void step(struct live_job *job) {
    struct trouble trouble = {0};
    job->dirty = false;
    for (size_t i = 0; i < job->next; i++)
        if (job->items.array[i].blob)
            look_at(job, &job->items.array[i], &trouble);
    size_t before = job->next;
    begin_items(job);
    for (size_t i = before; i < job->next; i++)
        trouble.under_way += job->items.array[i].blob != NULL;
    job_measure(job);
    if (end_if_over(job))
        return;
    judge(job, &trouble);
    if (clock_ms() - job->saved_ms >= SAVE_EVERY_MS)
        job_save(job);
}

void jobs_mark(struct manage *manage, const char *digest) {
    list_each (at, &manage->jobs) {
        struct live_job *job = list_entry(at, struct live_job, link);
        for (size_t i = 0; digest && !job->dirty && i < job->next; i++)
            job->dirty = job->items.array[i].blob && strcmp(job->items.array[i].digest, digest) == 0;
        job->dirty |= !digest;
    }
}

void jobs_step(struct manage *manage) {
    list_each (at, &manage->jobs) {
        struct live_job *job = list_entry(at, struct live_job, link);
        if (job->dirty)
            step(job);
    }
}
