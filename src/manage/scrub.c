/* SPDX-License-Identifier: Apache-2.0 */
#include "manage/scrub.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/check.h"
#include "manage/checks.h"
#include "manage/heal.h"
#include "manage/job.h"

#define FIRST_LOOK_MS   10000
#define LOOK_EVERY_MS   3600000
#define DAY_MS          86400000ll
#define LOOKS_A_STEP    200
#define LOOKS_FOR_A_JOB 2000
#define BUSY_PART       8 /* while something is fetched it takes this part of its rate */
#define PAUSE_MOST_MS   500

struct scrub { /* live_job.work */
    struct check_run *run;
    int64_t job_id, before_ms;
    char after[DIGEST_TEXT_SIZE]; /* the last that was looked at */
    bool busy, ended;
    uint64_t total_bytes, passed_bytes, told_bytes;
    uint64_t files, rotten;
};

/* ---- the rate, on the scrub's thread ---- */

static bool keep_rate(struct check_run *run, size_t bytes) {
    struct manage *manage = run->manage;
    struct store_figures figures;
    store_look(manage->settings.store, &figures);
    uint64_t rate = (uint64_t)options_number(manage->settings.options, "scrub_rate");
    if (figures.fetches)
        rate /= BUSY_PART;
    uint64_t until_ms = clock_ms() + (uint64_t)bytes * 1000 / rate;
    for (uint64_t now = clock_ms(); now < until_ms; now = clock_ms()) {
        if (atomic_load(&run->cancelled) || checks_are_closing(manage->checks))
            return false;
        checks_pause(manage->checks, until_ms - now < PAUSE_MOST_MS ? until_ms - now : PAUSE_MOST_MS);
    }
    return true;
}

/* ---- one after the other ---- */

static bool is_here(struct manage *manage, const struct catalog_model *model,
    const struct catalog_file *file) {
    struct blob *blob;
    struct blob_info info;
    if (model_blob(manage, model, file, &blob) < 0)
        return false;
    blob_look(blob, &info);
    blob_put(blob);
    return info.state == BLOB_COMPLETE || info.error == -ERR_ROTTEN;
}

/* The next blob that is due and here, behind `after`, which is moved on. 1: found; 0: none is left; -EAGAIN:
 * none among those that were looked at. */
static int next_due(struct manage *manage, int64_t before_ms, char after[static DIGEST_TEXT_SIZE],
    unsigned looks, struct catalog_model *ret_model, struct catalog_file *ret_file, uint64_t *passed_bytes) {
    int count = 1;
    while (
        looks-- && (count = catalog_list_due(manage->settings.catalog, before_ms, after, ret_file, 1)) == 1) {
        memcpy(after, ret_file->digest, DIGEST_TEXT_SIZE);
        if (catalog_model(manage->settings.catalog, ret_file->model_id, ret_model) == 0 &&
            is_here(manage, ret_model, ret_file))
            return 1;
        *passed_bytes += ret_file->size;
    }
    return count == 1 ? -EAGAIN : count;
}

static void file_done(struct file_check *file) {
    struct manage *manage = file->run->manage;
    struct scrub *scrub = file->run->owner;
    struct live_job *job = scrub ? job_of_id(manage, scrub->job_id) : NULL;
    if (job && !atomic_load(&manage->shut)) {
        scrub->busy = false;
        scrub->files += file->checked == FILE_RIGHT || file->checked == FILE_ROTTEN;
        scrub->rotten += file->checked == FILE_ROTTEN;
        scrub->passed_bytes += file->size > file->read_bytes ? file->size - file->read_bytes : 0;
        job->dirty = true;
    }
    if (!atomic_load(&manage->shut))
        file_check_remember(file);
    file_check_free(file);
    if (job && !atomic_load(&manage->shut))
        jobs_step(manage);
}

static int begin_file(struct live_job *job, const struct catalog_model *model,
    const struct catalog_file *row) {
    struct scrub *scrub = job->work;
    struct file_check *file = file_check_new(scrub->run, model, row);
    file->structure = false;
    file->finish = file_done;
    int result = file_check_submit(file, true);
    if (result < 0)
        file_check_free(file);
    else
        scrub->busy = true;
    return result;
}

static void scrub_step(struct live_job *job) {
    struct scrub *scrub = job->work;
    struct catalog_model *model = mem_new(sizeof *model);
    struct catalog_file *file = mem_new(sizeof *file);
    uint64_t read = atomic_load(&scrub->run->read_bytes);
    int result = 1;
    if (read > scrub->told_bytes)
        job_came(job, read - scrub->told_bytes);
    scrub->told_bytes = read;
    if (!scrub->busy)
        result = next_due(job->manage, scrub->before_ms, scrub->after, LOOKS_A_STEP, model, file,
            &scrub->passed_bytes);
    if (!scrub->busy && result == 1)
        result = begin_file(job, model, file) < 0 ? -EAGAIN : 1;
    uint64_t done = read + scrub->passed_bytes;
    job_set_progress(job, result && done < scrub->total_bytes ? done : scrub->total_bytes,
        scrub->total_bytes);
    free(model);
    free(file);
    if (result == -EAGAIN || result == 1)
        return; /* the tick comes back */
    struct reason reason;
    (void)err_because(&reason, 0, "files read %" PRIu64 ", rotten %" PRIu64, scrub->files, scrub->rotten);
    job_end(job, result < 0 ? JOB_FAILED : JOB_DONE, result, result < 0 ? NULL : reason.text);
}

/* ---- the kind ---- */

static int scrub_begin(struct live_job *job) {
    struct manage *manage = job->manage;
    uint64_t total = 0;
    /* What was judged since the job was asked for is not read again, also after a restart. */
    int64_t before_ms = strtoll(job->row.words, NULL, 10);
    int result = catalog_due_bytes(manage->settings.catalog, before_ms, &total);
    if (result < 0)
        return result;
    struct scrub *scrub = mem_new(sizeof *scrub);
    scrub->run = check_run_new(manage, scrub);
    scrub->run->direct = true;
    scrub->run->pace = keep_rate;
    scrub->job_id = job->row.id;
    scrub->before_ms = before_ms;
    scrub->total_bytes = job->row.bytes_done + total;
    scrub->passed_bytes = job->row.bytes_done;
    lock_take(&manage->lock);
    job->work = scrub;
    lock_drop(&manage->lock);
    return 0;
}

static void scrub_stop_job(struct live_job *job, bool goes_on) {
    (void)goes_on;
    struct scrub *scrub = job->work;
    atomic_store(&scrub->run->cancelled, true);
    scrub->run->owner = NULL;
    checks_wake(job->manage->checks);
    lock_take(&job->manage->lock);
    job->work = NULL;
    lock_drop(&job->manage->lock);
    check_run_put(scrub->run);
    free(scrub);
}

const struct job_kind kind_scrub = {
    .name = "scrub",
    .help = "reads what is here again, slowly, to find what the disk has lost",
    .does = JOB_CHECKS,
    .begin = scrub_begin,
    .step = scrub_step,
    .stop = scrub_stop_job,
};

/* ---- when: by itself, and by command ---- */

static int add(struct manage *manage, int64_t before_ms, enum catalog_job_priority priority,
    const struct command_request *who, int64_t *ret_id) {
    struct catalog_job *row = mem_new(sizeof *row);
    (void)snprintf(row->words, sizeof row->words, "%" PRId64, before_ms); /* fits */
    row->priority = priority;
    int result = job_add_row(manage, &kind_scrub, 0, row, who, ret_id);
    free(row);
    return result;
}

/* Adds a job when something is due that is here. */
static void look(struct manage *manage) {
    int64_t days = options_number(manage->settings.options, "scrub_interval");
    int64_t before_ms = clock_wall_ms() - days * DAY_MS, id;
    if (!days || job_of_model(manage, 0, &kind_scrub, NULL))
        return;
    struct catalog_model *model = mem_new(sizeof *model);
    struct catalog_file *file = mem_new(sizeof *file);
    char after[DIGEST_TEXT_SIZE] = "";
    uint64_t passed = 0;
    if (next_due(manage, before_ms, after, LOOKS_FOR_A_JOB, model, file, &passed) == 1 &&
        add(manage, before_ms, PRIORITY_LOW, NULL, &id) < 0)
        log_warning("the scrub can't be begun: the catalogue can't be written");
    free(model);
    free(file);
}

struct look_work {
    struct work work;
    struct manage *manage;
};

static void look_on_desk(struct work *work) {
    struct look_work *looking = list_entry(work, struct look_work, work);
    if (!atomic_load(&looking->manage->shut)) {
        heal_reports(looking->manage); /* of before a restart */
        look(looking->manage);
    }
    free(looking);
}

static void look_due(struct timer *timer) {
    struct scrub_watch *watch = list_entry(timer, struct scrub_watch, timer);
    struct look_work *looking = mem_new(sizeof *looking);
    *looking = (struct look_work){.work.run = look_on_desk, .manage = watch->manage};
    desk_submit(watch->manage, &looking->work);
    timer_arm(watch->manage->settings.timers, timer, clock_ms() + LOOK_EVERY_MS);
}

void scrub_start(struct manage *manage) {
    manage->scrub.manage = manage;
    manage->rot_told = true; /* by a report of the time before, perhaps */
    manage->scrub.timer.fire = look_due;
    timer_arm(manage->settings.timers, &manage->scrub.timer, clock_ms() + FIRST_LOOK_MS);
}

void scrub_stop(struct manage *manage) {
    timer_cancel(manage->settings.timers, &manage->scrub.timer);
}

int run_scrub(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)arguments;
    int64_t id;
    const struct live_job *same = job_of_model(manage, 0, &kind_scrub, NULL);
    if (same) {
        SAY(reason, "job %lld does it already", (long long)same->row.id);
        return 0;
    }
    int result = command_begin(command_of(request));
    if (result == 0)
        result = add(manage, clock_wall_ms(), PRIORITY_NORMAL, request, &id);
    if (result == 0)
        SAY(reason, "job %lld reads what is here again", (long long)id);
    return result;
}
