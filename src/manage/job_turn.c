/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is, one step of all jobs, and how fast they are. Desk. */

#include "manage/job.h"

#include <string.h>

#define SAVE_EVERY_MS  5000 /* how often bytes_done is written to the catalogue */
#define START_AGAIN_MS 2000 /* after a job could not be begun */
#define SPEED_WEIGHT   4    /* each measure counts for a quarter */
#define MEASURE_MS     400
#define STILL_MS       3000 /* nothing came for so long: the speed is 0, not what it once was */
#define TROUBLE_MS     5000 /* between two events that tell of trouble */

/* ---- how far, how fast ---- */

void job_came(struct live_job *job, uint64_t bytes) {
    if (!bytes)
        return;
    job->moved_ms = clock_ms();
    job->came_bytes += bytes;
}

uint64_t job_still_ms(const struct live_job *job) {
    return clock_ms() - job->moved_ms;
}

void job_set_progress(struct live_job *job, uint64_t bytes_done, uint64_t bytes_total) {
    LOCK_SCOPE(&job->manage->lock);
    job->row.bytes_total = bytes_total;
    if (bytes_done > job->row.bytes_done)
        job->row.bytes_done = bytes_done;
}

static void measure(struct live_job *job) {
    uint64_t now_ms = clock_ms(), span_ms = now_ms - job->measured_ms;
    LOCK_SCOPE(&job->manage->lock);
    if (now_ms - job->moved_ms >= STILL_MS) {
        job->speed = 0; /* what comes next is measured over the whole silence: a slow link sends in steps */
    } else if (span_ms >= MEASURE_MS) {
        uint64_t speed = (job->came_bytes - job->measured_bytes) * 1000 / span_ms;
        job->speed = job->speed ? (job->speed * (SPEED_WEIGHT - 1) + speed) / SPEED_WEIGHT : speed;
        job->measured_ms = now_ms;
        job->measured_bytes = job->came_bytes;
    }
}

/* It goes on in spite of it: the state stays, people are told why nothing comes. */
static void tell_trouble(struct live_job *job) {
    uint64_t now_ms = clock_ms();
    if (job->row.state != JOB_RUNNING || !job->row.error ||
        (job->trouble_ms && now_ms - job->trouble_ms < TROUBLE_MS))
        return;
    job->trouble_ms = now_ms;
    job_tell(job, "job.trouble");
}

/* ---- whose turn it is ---- */

/* Jobs that share the option's places and use one. What waits for the world gives its place away, and
 * comes back without asking: for a moment there may be one more. */
static int64_t count_running(struct manage *manage, const char *most_option) {
    int64_t count = 0;
    list_each (at, &manage->jobs) {
        const struct live_job *job = list_entry(at, struct live_job, link);
        count += job->begun && job->row.state == JOB_RUNNING && job->kind->most_option &&
                 strcmp(job->kind->most_option, most_option) == 0;
    }
    return count;
}

/* Of each kind, whether there is a place: looked at once for thousands that are queued. */
static void find_places(struct manage *manage, bool places[static JOB_KINDS_MOST]) {
    const struct job_kind *kind;
    for (size_t i = 0; i < JOB_KINDS_MOST && (kind = job_kind_row(i)); i++)
        places[i] = !kind->most_option || count_running(manage, kind->most_option) <
                                              options_number(manage->settings.options, kind->most_option);
}

static bool may_begin(const struct live_job *job, const bool places[static JOB_KINDS_MOST]) {
    return !job->begun && job->row.state == JOB_QUEUED && clock_ms() >= job->again_ms &&
           places[job_kind_index(job->kind)];
}

static struct live_job *find_next(struct manage *manage) {
    struct live_job *best = NULL;
    bool places[JOB_KINDS_MOST] = {false};
    find_places(manage, places);
    list_each (at, &manage->jobs) {
        struct live_job *job = list_entry(at, struct live_job, link);
        if ((!best || job->row.priority > best->row.priority) && may_begin(job, places))
            best = job;
    }
    return best;
}

unsigned job_position_locked(const struct live_job *job) {
    unsigned position = 1;
    if (job->row.state != JOB_QUEUED)
        return 0;
    list_each (at, &job->manage->jobs) {
        const struct live_job *other = list_entry(at, struct live_job, link);
        position += other->row.state == JOB_QUEUED && other->kind->most_option == job->kind->most_option &&
                    (other->row.priority > job->row.priority ||
                        (other->row.priority == job->row.priority && other->row.id < job->row.id));
    }
    return position;
}

static void begin(struct live_job *job) {
    struct manage *manage = job->manage;
    int result = 0;
    job->sentence.text[0] = 0;
    if (job->row.model_id)
        result = catalog_model(manage->settings.catalog, job->row.model_id, &job->model);
    if (result == 0)
        result = job->kind->begin(job);
    if (result == -ERR_DATABASE) {
        job->again_ms = clock_ms() + START_AGAIN_MS;
        return;
    }
    if (result < 0) {
        job_end(job, JOB_FAILED, result, err_text(&job->sentence, result));
        return;
    }
    job->begun = job->dirty = true;
    job->moved_ms = job->measured_ms = clock_ms();
    job->measured_bytes = job->came_bytes;
    lock_take(&manage->lock);
    if (!job->row.started_ms)
        job->row.started_ms = clock_wall_ms();
    lock_drop(&manage->lock);
    job_set_state(job, JOB_RUNNING, 0, NULL);
}

void job_retry(struct live_job *job) {
    job->again_ms = 0;
    if (!job->begun)
        return;
    if (job->kind->retry)
        job->kind->retry(job);
    job->moved_ms = clock_ms();
    job->dirty = true;
    job_set_state(job, JOB_RUNNING, 0, NULL);
}

/* ---- one step ---- */

void jobs_mark(struct manage *manage, const char *digest) {
    list_each (at, &manage->jobs) {
        struct live_job *job = list_entry(at, struct live_job, link);
        if (job->begun && !job->dirty)
            job->dirty = !digest || (job->kind->hears && job->kind->hears(job, digest));
    }
}

static void step(struct live_job *job) {
    struct manage *manage = job->manage;
    int64_t id = job->row.id;
    job->dirty = false;
    job->kind->step(job);
    if (job_of_id(manage, id) != job)
        return; /* it has ended */
    measure(job);
    tell_trouble(job);
    if (clock_ms() - job->saved_ms >= SAVE_EVERY_MS)
        job_save(job);
}

void jobs_step(struct manage *manage) {
    list_each (at, &manage->jobs) {
        struct live_job *job = list_entry(at, struct live_job, link);
        if (job->begun && job->dirty)
            step(job);
    }
    for (struct live_job *next; (next = find_next(manage));)
        begin(next);
}
