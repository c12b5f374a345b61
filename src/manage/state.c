/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a model is: counted over the selected files' blobs, with the open job's word on top. Counting
 * costs a little disk work a file, so it is kept for a moment; a model that is being pulled as a
 * whole needs no counting: its job knows.
 */

#include "manage/job.h"
#include "manage/remote_inside.h"

#include <stdlib.h>
#include <string.h>

#define REPORTS_MOST    64
#define REPORT_FRESH_MS 200  /* so long though blobs move */
#define REPORT_QUIET_MS 5000 /* so long when nothing moves here; another daemon of the store may */
/* So long a failure is what ails the whole, without a success; a token does not get better by waiting. */
#define TROUBLE_MS (5 * 60000)

static const char *const state_names[STATE_COUNT] = {
    [STATE_ABSENT] = "absent",
    [STATE_PARTIAL] = "partial",
    [STATE_QUEUED] = "queued",
    [STATE_DOWNLOADING] = "downloading",
    [STATE_PAUSED] = "paused",
    [STATE_READY] = "ready",
    [STATE_FAILED] = "failed",
    [STATE_CORRUPT] = "corrupt",
    [STATE_DISABLED] = "disabled",
    [STATE_REMOTE] = "remote",
};

#define IS(name) (1u << STATE_##name)
/* Where the blobs alone lead to. */
#define AT_REST (IS(ABSENT) | IS(PARTIAL) | IS(READY) | IS(CORRUPT) | IS(DISABLED))
static const unsigned followers[STATE_COUNT] = {
    [STATE_ABSENT] = AT_REST | IS(QUEUED) | IS(REMOTE),
    [STATE_PARTIAL] = AT_REST | IS(QUEUED),
    [STATE_READY] = AT_REST | IS(QUEUED),
    [STATE_CORRUPT] = AT_REST | IS(QUEUED) | IS(FAILED),
    [STATE_FAILED] = AT_REST | IS(QUEUED),
    [STATE_DISABLED] = AT_REST | IS(QUEUED),
    [STATE_QUEUED] = AT_REST | IS(DOWNLOADING) | IS(PAUSED) | IS(FAILED),
    [STATE_DOWNLOADING] = AT_REST | IS(QUEUED) | IS(PAUSED) | IS(FAILED),
    [STATE_PAUSED] = AT_REST | IS(QUEUED) | IS(DOWNLOADING) | IS(FAILED),
    [STATE_REMOTE] = IS(ABSENT),
};

bool model_state_may_follow(enum model_state from, enum model_state to) {
    return (size_t)from < STATE_COUNT && (size_t)to < STATE_COUNT && from != to && followers[from] & 1u << to;
}

const char *model_state_name(enum model_state state) {
    return (size_t)state < STATE_COUNT ? state_names[state] : "unknown";
}

/* ---- counting ---- */

static void count_blob(const struct blob_info *info, const struct catalog_file *file,
    struct model_report *report) {
    report->files_here += info->state == BLOB_COMPLETE;
    report->bytes_here += info->state == BLOB_COMPLETE ? file->size : info->bytes_here;
    if (info->error && !report->error) { /* readers got it; the state says how it is, the reason why */
        report->error = info->error;
        (void)err_because(&report->reason, report->error, "%s: %s", file->path,
            err_text(&info->reason, info->error));
    }
    if (info->state == BLOB_CORRUPT && report->state != STATE_CORRUPT) {
        report->state = STATE_CORRUPT;
        report->error = -ERR_CORRUPT;
        (void)err_because(&report->reason, report->error, "%s: %s", file->path,
            err_text(&info->reason, -ERR_CORRUPT));
    }
}

static int count_file(struct manage *manage, const struct catalog_model *model,
    const struct catalog_file *file, struct model_report *report) {
    struct blob *blob;
    struct blob_info info;
    report->files_total++;
    report->bytes_total += file->size;
    variants_add(report->variants, file->variant);
    int result = model_blob(manage, model, file, &blob);
    if (result == -ERR_GATED)
        return 0; /* masked: it is not here */
    if (result < 0)
        return result;
    blob_look(blob, &info);
    blob_put(blob);
    count_blob(&info, file, report);
    return 0;
}

/* Absent, partial, ready or corrupt: what the blobs say. */
static int count(struct manage *manage, const struct catalog_model *model, struct model_report *report) {
    struct catalog_file *page = mem_array(FILES_A_PAGE, sizeof *page);
    int64_t after_id = 0;
    int rows, result = 0;
    while (result == 0 && (rows = catalog_list_files(manage->settings.catalog, model->revision_id, true,
                               after_id, page, FILES_A_PAGE)) != 0) {
        if (rows < 0)
            result = rows;
        for (int i = 0; result == 0 && i < rows; i++)
            result = count_file(manage, model, &page[i], report);
        if (rows > 0)
            after_id = page[rows - 1].id;
    }
    free(page);
    if (report->state == STATE_CORRUPT)
        return result;
    if (report->files_here == report->files_total)
        report->state = STATE_READY;
    else
        report->state = report->bytes_here ? STATE_PARTIAL : STATE_ABSENT;
    return result;
}

/* ---- what is kept of it ---- */

static bool is_good(const struct manage *manage, const struct cached_report *kept) {
    uint64_t age_ms = clock_ms() - kept->made_ms;
    if (kept->hard_version != atomic_load(&manage->hard_version))
        return false;
    return age_ms <
           (kept->blob_version == atomic_load(&manage->blob_version) ? REPORT_QUIET_MS : REPORT_FRESH_MS);
}

static struct cached_report *find_kept_locked(struct manage *manage, const struct catalog_model *model) {
    list_each (at, &manage->reports) {
        struct cached_report *kept = list_entry(at, struct cached_report, link);
        if (kept->model_id == model->id && kept->revision_id == model->revision_id)
            return kept;
    }
    return NULL;
}

static bool recall(struct manage *manage, const struct catalog_model *model,
    struct model_report *ret_report) {
    LOCK_SCOPE(&manage->lock);
    struct cached_report *kept = find_kept_locked(manage, model);
    if (!kept || !is_good(manage, kept))
        return false;
    *ret_report = kept->report;
    return true;
}

static void keep(struct manage *manage, const struct cached_report *made) {
    LOCK_SCOPE(&manage->lock);
    list_each (at, &manage->reports)
        if (list_entry(at, struct cached_report, link)->model_id == made->model_id) {
            list_remove(at);
            free(list_entry(at, struct cached_report, link));
            manage->report_count--;
        }
    if (manage->report_count == REPORTS_MOST)
        free(list_entry(list_shift(&manage->reports), struct cached_report, link));
    else
        manage->report_count++;
    struct cached_report *kept = mem_new(sizeof *kept);
    *kept = *made;
    list_append(&manage->reports, &kept->link);
}

void state_renew(struct manage *manage) {
    atomic_fetch_add(&manage->hard_version, 1);
}

static int counted(struct manage *manage, const struct catalog_model *model,
    struct model_report *ret_report) {
    if (recall(manage, model, ret_report))
        return 0;
    /* The versions are read first: what changes meanwhile makes the report old at once. */
    struct cached_report made = {.model_id = model->id,
        .revision_id = model->revision_id,
        .blob_version = atomic_load(&manage->blob_version),
        .hard_version = atomic_load(&manage->hard_version),
        .made_ms = clock_ms()};
    int result = count(manage, model, &made.report);
    if (result < 0)
        return result;
    keep(manage, &made);
    *ret_report = made.report;
    return 0;
}

/* ---- the job's word ---- */

static enum model_state state_of_job(enum catalog_job_state state) {
    static const enum model_state states[] =
        {[JOB_QUEUED] = STATE_QUEUED, [JOB_RUNNING] = STATE_DOWNLOADING, [JOB_PAUSED] = STATE_PAUSED};
    return states[state]; /* live jobs have no other */
}

/* Of several jobs that fetch, the one that gets on most. */
static struct live_job *find_fetching(struct manage *manage, int64_t model_id) {
    static const unsigned ranks[] = {[JOB_PAUSED] = 1, [JOB_QUEUED] = 2, [JOB_RUNNING] = 3};
    struct live_job *best = NULL;
    list_each (at, &manage->jobs) {
        struct live_job *job = list_entry(at, struct live_job, link);
        if (job->row.model_id == model_id && job->kind->does & JOB_FETCHES &&
            (!best || ranks[job->row.state] > ranks[best->row.state]))
            best = job;
    }
    return best;
}

bool state_by_job(struct manage *manage, int64_t model_id, enum model_state *ret_state) {
    const struct live_job *job = find_fetching(manage, model_id);
    if (!job)
        return false;
    *ret_state = state_of_job(job->row.state);
    return true;
}

/* false: none is open. *ret_whole: it is about the whole selection, its figures are filled in. */
static bool take_from_job(struct manage *manage, int64_t model_id, struct model_report *report,
    bool *ret_whole) {
    LOCK_SCOPE(&manage->lock);
    struct live_job *job = find_fetching(manage, model_id);
    if (!job)
        return false;
    report->state = state_of_job(job->row.state);
    report->error = job->row.error;
    report->reason = job->row.reason;
    report->job_id = job->row.id;
    report->speed = job->speed;
    *ret_whole = job->kind->report && job->kind->report(job, report);
    return true;
}

static int take_from_last_job(struct manage *manage, const struct catalog_model *model,
    struct model_report *report) {
    struct catalog_job job;
    int result = catalog_last_job(manage->settings.catalog, model->id, kind_pull.name, &job);
    if (result < 0)
        return result == -ENOENT ? 0 : result;
    report->job_id = job.id;
    if (job.state == JOB_FAILED && strcmp(job.memo, PULL_SETTLED) != 0 &&
        (report->state == STATE_ABSENT || report->state == STATE_PARTIAL)) {
        report->state = STATE_FAILED;
        report->error = job.error;
        report->reason = job.reason;
    }
    return 0;
}

static void finish_figures(struct model_report *report) {
    report->bytes_missing =
        report->bytes_total > report->bytes_here ? report->bytes_total - report->bytes_here : 0;
    report->seconds_left = report->speed ? report->bytes_missing / report->speed : UINT64_MAX;
}

/* Served elsewhere: there is nothing to count. */
static void report_remote(const struct catalog_model *model, struct model_report *ret_report) {
    *ret_report = (struct model_report){.state = catalog_remote_is_gone(model) ? STATE_ABSENT : STATE_REMOTE,
        .seconds_left = UINT64_MAX,
        .error = model->error,
        .reason = model->reason};
}

int model_report(struct manage *manage, const struct catalog_model *model, struct model_report *ret_report) {
    if (remote_is(model)) {
        report_remote(model, ret_report);
        return 0;
    }
    struct model_report report = {.state = STATE_ABSENT}, live = {.state = STATE_ABSENT};
    bool whole = false;
    bool open = take_from_job(manage, model->id, &live, &whole);
    int result = 0;
    if (whole) {
        report = live;
    } else if (model->revision_id) {
        result = counted(manage, model, &report);
        if (result == 0 && open) {
            report.state = live.state;
            report.error = live.error;
            report.reason = live.reason;
            report.job_id = live.job_id;
            report.speed = live.speed;
        }
    }
    if (result == 0 && !open)
        result = take_from_last_job(manage, model, &report);
    if (result < 0)
        return result;
    if (!report.error && model->locked && report.state == STATE_ABSENT) {
        report.error = model->error ? model->error : -ERR_GATED;
        report.reason = model->reason;
    }
    if ((report.state == STATE_ABSENT || report.state == STATE_PARTIAL) &&
        options_bool(manage->settings.options, "disable_downloads"))
        report.state = STATE_DISABLED;
    finish_figures(&report);
    *ret_report = report;
    return 0;
}

int root_report(struct manage *manage, struct root_report *ret_report) {
    struct root_report report = {0};
    struct catalog_totals totals;
    uint64_t counts[STATE_COUNT];
    int result = catalog_totals(manage->settings.catalog, &totals);
    if (result == 0)
        result = catalog_count_states(manage->settings.catalog, counts, STATE_COUNT);
    if (result < 0)
        return result;
    report.models = totals.models;
    report.ready = counts[STATE_READY];
    report.downloading = counts[STATE_DOWNLOADING] + counts[STATE_QUEUED];
    report.failed = counts[STATE_FAILED] + counts[STATE_CORRUPT];
    report.jobs_open = totals.open_jobs;
    report.offline = options_bool(manage->settings.options, "offline");
    store_look(manage->settings.store, &report.store);
    lock_take(&manage->lock);
    report.held_by = manage->held_by;
    if (manage->error == -ERR_TOKEN || (manage->error && clock_ms() - manage->error_ms < TROUBLE_MS)) {
        report.error = manage->error;
        report.reason = manage->reason;
    }
    lock_drop(&manage->lock);
    if (!report.error)
        report.error = store_room(manage->settings.store, STORE_BLOCK_BYTES, &report.reason);
    *ret_report = report;
    return 0;
}
