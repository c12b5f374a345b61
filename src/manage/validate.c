/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kind "validate": all files of a model, or of all models, are checked side by side on the threads of
 * checks.c. Models are begun one after the other, so many that no thread is idle; a model's report is written
 * when its last file is done. Nothing has to be remembered for a restart: what was judged since the job was
 * asked for is not read again. Desk.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "manage/check_set.h"
#include "manage/heal.h"
#include "manage/job.h"
#include "manage/report.h"

#define FILES_A_THREAD 8

struct validation { /* live_job.work */
    struct check_run *run;
    int64_t after_id; /* about all: the last model that was begun */
    bool all_begun;
    unsigned models_under_way;
    size_t files_under_way;
    uint64_t total_bytes, passed_bytes; /* passed: not read, since missing, known or cut short */
    uint64_t told_bytes;
    uint64_t models, files, missing, counts[FINDING_LEVELS];
};

struct model_check {
    struct check_run *run; /* a reference */
    int64_t job_id;
    struct catalog_model model;
    struct set_check set; /* its files, and what they must agree on; all lines */
    size_t left;
    bool part, cut; /* about some files only; a file was cancelled */
};

/* The job that a result is for, if it is still the same run of it. */
static struct live_job *job_of(const struct model_check *check) {
    struct live_job *job = job_of_id(check->run->manage, check->job_id);
    struct validation *validation = job ? job->work : NULL;
    return validation && check->run->owner == validation ? job : NULL;
}

static void free_model(struct model_check *check) {
    set_check_done(&check->set);
    check_run_put(check->run);
    free(check);
}

/* ---- a model's report ---- */

static bool was_not_checked(void *context, const char *file) {
    const struct model_check *check = context;
    return !check_names_have(&check->set.checked, file) && check_names_have(&check->set.listed, file);
}

/* Of files that were not looked at this time, what was said last time stands. */
static void keep_former(struct model_check *check) {
    struct catalog_report former REPORT_CLEANUP = {0};
    if (catalog_report(check->run->manage->settings.catalog, check->model.id, &former) == 0 &&
        strcmp(former.commit, check->model.commit) == 0)
        report_lines_keep(&check->set.lines, former.checks, was_not_checked, check);
}

static int write_report(struct model_check *check, struct catalog_report *ret_report) {
    struct buf json BUF_CLEANUP = BUF_INIT;
    if (check->part)
        keep_former(check);
    report_lines_sort(&check->set.lines);
    report_lines_json(&check->set.lines, &json);
    struct catalog_report report = {
        .model_id = check->model.id,
        .time_ms = clock_wall_ms(),
        .verdict = report_lines_verdict(&check->set.lines),
        .files = report_lines_files(&check->set.lines, LINE_LEVELS),
        .missing = report_lines_files(&check->set.lines, LINE_MISSING),
        .checks = json.data,
    };
    memcpy(report.commit, check->model.commit, sizeof report.commit);
    int result = catalog_set_report(check->run->manage->settings.catalog, &report);
    metric_add(&manage_metrics[MANAGE_VALIDATIONS], (unsigned)report.verdict, 1);
    report.checks = NULL;
    *ret_report = report;
    return result;
}

static void tell_model(struct manage *manage, const struct model_check *check,
    const struct catalog_report *report) {
    struct buf more BUF_CLEANUP = BUF_INIT;
    char key[NAME_KEY_SIZE];
    name_format(check->model.source, check->model.name, key);
    (void)buf_format(&more, ",\"verdict\":\"%s\",\"files\":%" PRIu64 ",\"missing\":%" PRIu64,
        finding_level_name(report->verdict), report->files, report->missing); /* no limit */
    events_add(manage, "model.validated", key, buf_text(&more));
    if (report->verdict >= FINDING_WARNING)
        log_warning("%s: validated: %s; its `report` says why", key, finding_level_name(report->verdict));
    bus_publish(&(struct news){.kind = NEWS_MODEL, .id = check->model.id});
    state_renew(manage);
    state_mark(manage, check->model.id);
}

static void end_model(struct model_check *check) {
    struct manage *manage = check->run->manage;
    struct live_job *job = job_of(check);
    struct validation *validation = job ? job->work : NULL;
    struct catalog_report report = {0};
    if (job && !check->cut) {
        int result = write_report(check, &report);
        if (result < 0)
            log_warning("%s: its report can't be written to the catalogue", check->model.name);
        else
            tell_model(manage, check, &report);
        manage->rot_told |= report.verdict == FINDING_ERROR;
        heal_reports(manage); /* it may be here again by now */
        validation->models++;
        validation->files += report.files;
        validation->missing += report.missing;
        validation->counts[report.verdict]++;
    }
    if (validation)
        validation->models_under_way--;
    free_model(check);
}

/* ---- what its files must agree on ---- */

static void sets_done(struct set_check *set) {
    struct model_check *check = list_entry(set, struct model_check, set);
    struct manage *manage = check->run->manage;
    struct live_job *job = atomic_load(&manage->shut) ? NULL : job_of(check);
    check->cut |= !job || set->error;
    if (job) {
        struct validation *validation = job->work;
        validation->files_under_way--;
        job->dirty = true;
    }
    end_model(check);
    if (job)
        jobs_step(manage);
}

/* All files were checked one by one. */
static void end_files(struct model_check *check) {
    struct live_job *job = atomic_load(&check->run->manage->shut) ? NULL : job_of(check);
    struct validation *validation = job ? job->work : NULL;
    check->set.finish = sets_done;
    int result = job && !check->cut && check->set.checked.count ? set_check_submit(&check->set) : -ENOENT;
    if (result < 0)
        end_model(check);
    else
        validation->files_under_way++; /* as one of them: the job waits for it */
}

/* ---- a file's result ---- */

static void add_right(struct model_check *check, const struct file_check *file) {
    const struct findings *findings = &file->findings;
    size_t told = 0;
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].level != FINDING_OK) {
            report_lines_add(&check->set.lines, line_level_of(findings->items[i].level), file->path,
                findings->items[i].text);
            told++;
        }
    if (findings->dropped) {
        struct reason more;
        (void)err_because(&more, 0, "%zu findings more, none graver", findings->dropped);
        report_lines_add(&check->set.lines, LINE_NOTE, file->path, more.text);
    }
    if (told)
        return;
    const char *ok = findings->count ? findings->items[0].text : "no structure to check";
    struct reason text;
    (void)err_because(&text, 0, "the digest is right; %s", ok);
    report_lines_add(&check->set.lines, LINE_OK, file->path, text.text);
}

static void add_missing(struct model_check *check, const struct file_check *file) {
    struct reason text;
    char here[HUMAN_SIZE], size[HUMAN_SIZE];
    if (!file->blob)
        (void)err_because(&text, 0, "its digest is told to those with access only");
    else
        (void)err_because(&text, 0, "%s of %s are here", human_bytes(here, file->here_bytes),
            human_bytes(size, file->size));
    report_lines_add(&check->set.lines, LINE_MISSING, file->path, text.text);
}

static void add_lines(struct model_check *check, const struct file_check *file) {
    switch (file->checked) {
    case FILE_RIGHT: add_right(check, file); break;
    case FILE_MISSING: add_missing(check, file); break;
    case FILE_ROTTEN: report_lines_add_rotten(&check->set.lines, file->path, file->reason.text); break;
    case FILE_UNJUDGED:
        check->cut |= file->error == -ERR_CANCELLED;
        report_lines_add(&check->set.lines, LINE_WARNING, file->path, err_text(&file->reason, file->error));
        break;
    }
}

static void file_done(struct file_check *file) {
    struct model_check *check = file->context;
    struct manage *manage = check->run->manage;
    struct live_job *job = job_of(check);
    if (job && !atomic_load(&manage->shut)) {
        struct validation *validation = job->work;
        add_lines(check, file);
        file_check_remember(file);
        validation->passed_bytes += file->size > file->read_bytes ? file->size - file->read_bytes : 0;
        validation->files_under_way--;
        job->dirty = true;
    } else {
        check->cut = true;
    }
    file_check_free(file);
    if (!--check->left)
        end_files(check);
    if (job && !atomic_load(&manage->shut))
        jobs_step(manage);
}

/* ---- beginning ---- */

/* Judged since the job was asked for: a restart does not begin again. */
static bool is_known(const struct live_job *job, const char *digest) {
    struct catalog_check known;
    return catalog_check(job->manage->settings.catalog, digest, &known) == 0 && !known.result &&
           known.checked_ms > job->row.created_ms;
}

static int begin_file(struct live_job *job, struct model_check *check, const struct item *item) {
    struct validation *validation = job->work;
    struct catalog_file *row = mem_new(sizeof *row);
    int result = catalog_file(job->manage->settings.catalog, item->file_id, row);
    if (result < 0) {
        free(row);
        return result == -ENOENT ? 0 : result; /* another revision was selected meanwhile */
    }
    struct file_check *file = file_check_new(validation->run, &check->model, row);
    free(row);
    file->finish = file_done;
    file->context = check;
    file->bytes = !is_known(job, file->digest);
    check_names_add(&check->set.checked, file->path);
    result = file_check_submit(file, false);
    if (result < 0) {
        file_check_free(file);
        return result;
    }
    check->left++;
    validation->files_under_way++;
    return 0;
}

/* The model's files go to the threads; 0 also when it has none. */
static int begin_model(struct live_job *job, const struct catalog_model *model, const struct words *words) {
    struct validation *validation = job->work;
    struct items items ITEMS_CLEANUP = {0};
    struct model_check *check = mem_new(sizeof *check);
    check->run = validation->run;
    check->run->references++;
    check->job_id = job->row.id;
    check->model = *model;
    check->part = words->count > 0;
    int result = items_read(job->manage, model, words, &items);
    if (result == 0)
        result = set_check_read(&check->set, check->run, &check->model);
    check->left = 1; /* ours, so that it does not end before its last file has begun */
    validation->models_under_way++;
    for (size_t i = 0; result == 0 && i < items.count; i++)
        result = begin_file(job, check, &items.array[i]);
    check_names_sort(&check->set.checked);
    check->cut |= result < 0;
    if (!--check->left)
        end_files(check);
    return result;
}

/* About all: the next model that has anything here. */
static int begin_next(struct live_job *job) {
    struct validation *validation = job->work;
    struct catalog_model *model = mem_new(sizeof *model);
    const struct words none = {0};
    int result = catalog_list_models(job->manage->settings.catalog, 0, validation->after_id, model, 1);
    if (result == 0)
        validation->all_begun = true;
    if (result == 1) {
        validation->after_id = model->id;
        result = model->revision_id && model->state != STATE_ABSENT ? begin_model(job, model, &none) : 0;
    }
    free(model);
    return result < 0 ? result : 0;
}

static void validate_stop(struct live_job *job, bool goes_on) {
    (void)goes_on;
    struct validation *validation = job->work;
    atomic_store(&validation->run->cancelled, true);
    validation->run->owner = NULL;
    lock_take(&job->manage->lock);
    job->work = NULL;
    lock_drop(&job->manage->lock);
    check_run_put(validation->run);
    free(validation);
}

static int validate_begin(struct live_job *job) {
    struct manage *manage = job->manage;
    struct words words WORDS_CLEANUP = {0};
    struct items items ITEMS_CLEANUP = {0};
    uint64_t total = 0;
    int result = words_parse(job->row.words, &words, &job->sentence);
    if (result == 0 && !job->row.model_id)
        result = catalog_selected_bytes(manage->settings.catalog, STATE_ABSENT, &total);
    else if (result == 0)
        result = items_read(manage, &job->model, &words, &items);
    if (result < 0)
        return result;
    struct validation *validation = mem_new(sizeof *validation);
    validation->run = check_run_new(manage, validation);
    validation->total_bytes = job->row.model_id ? items.bytes_total : total;
    lock_take(&manage->lock);
    job->work = validation;
    lock_drop(&manage->lock);
    job_set_progress(job, 0, validation->total_bytes);
    if (!job->row.model_id)
        return 0;
    validation->all_begun = true;
    result = begin_model(job, &job->model, &words);
    if (result < 0)
        validate_stop(job, false);
    return result;
}

/* ---- going on ---- */

static void end_job(struct live_job *job) {
    const struct validation *validation = job->work;
    struct reason reason;
    uint64_t bad = validation->counts[FINDING_ERROR] + validation->counts[FINDING_DANGER];
    (void)err_because(&reason, 0,
        "models %" PRIu64 ", files %" PRIu64 ", not here %" PRIu64 "; models with errors %" PRIu64
        ", dangers %" PRIu64 ", warnings %" PRIu64 "%s",
        validation->models, validation->files, validation->missing, validation->counts[FINDING_ERROR],
        validation->counts[FINDING_DANGER], validation->counts[FINDING_WARNING],
        bad ? "; `report` says which" : "");
    job_set_progress(job, validation->total_bytes, validation->total_bytes);
    job_end(job, JOB_DONE, 0, reason.text);
}

static void validate_step(struct live_job *job) {
    struct validation *validation = job->work;
    uint64_t read = atomic_load(&validation->run->read_bytes);
    size_t width = (size_t)checks_width() * FILES_A_THREAD;
    int result = 0;
    if (read > validation->told_bytes)
        job_came(job, read - validation->told_bytes);
    validation->told_bytes = read;
    uint64_t done = read + validation->passed_bytes;
    job_set_progress(job, done < validation->total_bytes ? done : validation->total_bytes,
        validation->total_bytes);
    /* Models without files here cost a look each: so many in one step, the desk has other things to do. */
    for (unsigned looks = 0;
         result == 0 && !validation->all_begun && validation->files_under_way < width && looks < 100; looks++)
        result = begin_next(job);
    if (result < 0)
        job_end(job, JOB_FAILED, result, NULL);
    else if (validation->all_begun && !validation->models_under_way)
        end_job(job);
    else if (!validation->files_under_way)
        tick_soon(job->manage, 0);
}

const struct job_kind kind_validate = {
    .name = "validate",
    .help = "reads what is here of a model, or of all, and checks digests and formats",
    .does = JOB_CHECKS,
    .excludes = JOB_FETCHES | JOB_REMOVES | JOB_SWITCHES,
    .begin = validate_begin,
    .step = validate_step,
    .stop = validate_stop,
};
