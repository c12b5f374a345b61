/* SPDX-License-Identifier: Apache-2.0 */
/* The jobs that pull many models: see collect.h. */

#include "manage/collect.h"

#include <stdlib.h>
#include <string.h>

#define ASKED_MOST  4  /* discoveries at once */
#define STEP_MOST   16 /* models that are measured or begun in a step: the desk has other things to do */
#define FAILED_TOLD 3  /* that the job's reason names */

/* live_job.work */
struct collect {
    uint64_t run; /* this run of the job, for answers that come late */
    struct targets targets;
    size_t asked; /* discoveries under way */
    bool fits;    /* it was looked at whether there is room */
    uint64_t before_bytes;
};

static void fail(struct live_job *job, struct target *target, int error, const struct reason *reason) {
    struct buf more BUF_CLEANUP = BUF_INIT;
    target->stage = TARGET_ENDED;
    target->error = error;
    (void)err_because(&target->reason, error, "%s", err_text(reason, error));
    (void)buf_format(&more, ",\"job\":%lld,\"error\":\"%s\",\"reason\":", (long long)job->row.id,
        err_name(error)); /* no limit: none of these can fail */
    (void)buf_json_string(&more, target->reason.text);
    events_add(job->manage, "collect.failed", target->name, buf_text(&more));
}

/* ---- ask ---- */

struct collect_ask {
    struct discover_ask ask;
    struct manage *manage;
    int64_t job_id;
    uint64_t run;
    size_t index;
};

static void answered(struct discover_ask *ask, int result) {
    struct collect_ask *mine = list_entry(ask, struct collect_ask, ask);
    struct live_job *job = job_of_id(mine->manage, mine->job_id);
    struct collect *collect = job ? job->work : NULL;
    if (collect && collect->run == mine->run) {
        struct target *target = &collect->targets.array[mine->index];
        collect->asked--;
        if (result < 0)
            fail(job, target, result, &ask->reason);
        else
            target->stage = TARGET_KNOWN;
        target->model_id = result < 0 ? 0 : ask->model_id;
        job->moved_ms = clock_ms();
        job->dirty = true;
        tick_soon(mine->manage, 0);
    }
    free(mine);
}

static void ask_for(struct live_job *job, size_t index) {
    struct collect *collect = job->work;
    struct target *target = &collect->targets.array[index];
    const struct source *source;
    struct reason reason = {""};
    int result = known_source_of_files(&target->key, &source, &reason);
    if (result < 0) {
        fail(job, target, result, &reason);
        return;
    }
    target->model_id = target_find_known(job->manage, &target->key);
    if (target->model_id) {
        target->stage = TARGET_KNOWN;
        return;
    }
    struct collect_ask *ask = mem_new(sizeof *ask);
    *ask = (struct collect_ask){.ask.finish = answered,
        .manage = job->manage,
        .job_id = job->row.id,
        .run = collect->run,
        .index = index};
    target->stage = TARGET_ASKED;
    collect->asked++;
    result = discover_refresh(job->manage, source, target->key.model, target->key.revision, &ask->ask);
    if (result < 0) {
        free(ask);
        collect->asked--;
        fail(job, target, result, NULL);
    }
}

/* ---- measure ---- */

static struct words words_of(const struct target *target, const char **variant) {
    *variant = target->key.variant;
    struct words words = {.count = **variant != 0};
    words.array[0] = *variant;
    return words;
}

static void measure(struct live_job *job, struct target *target) {
    struct manage *manage = job->manage;
    struct catalog_model *model = mem_new(sizeof *model);
    struct items items ITEMS_CLEANUP = {0};
    const char *variant;
    struct words words = words_of(target, &variant);
    uint64_t missing = 0;
    int result = catalog_model(manage->settings.catalog, target->model_id, model);
    if (result == 0 && model->revision_id)
        result = items_read(manage, model, &words, &items);
    if (result == 0)
        result = items_look(manage, model, &items, &missing);
    if (result < 0) {
        fail(job, target, result, NULL);
    } else {
        target->stage = TARGET_MEASURED;
        target->bytes_total = items.bytes_total;
        target->here = items.bytes_total > missing ? items.bytes_total - missing : 0;
    }
    free(model);
}

/* ---- pull ---- */

/* As the command pull would, though nobody wrote one. */
static void pull(struct live_job *job, struct target *target) {
    struct manage *manage = job->manage;
    struct command *command = mem_new(sizeof *command);
    const char *variant;
    struct words words = words_of(target, &variant);
    struct reason reason = {""};
    command->manage = manage;
    command->request = (struct command_request){.place = COMMAND_ROOT,
        .uid = (uid_t)job->row.uid,
        .pid = (pid_t)job->row.pid,
        .allowed = true};
    list_init(&command->jobs);
    int result = pull_model(command, target->model_id, &words, &reason);
    if (result == 0 && command->in_transaction)
        result = catalog_commit(manage->settings.catalog);
    else if (command->in_transaction)
        catalog_rollback(manage->settings.catalog);
    if (result == 0 && command->after)
        command->after(command);
    target->is_ours = result == 0 && !list_empty(&command->jobs);
    if (result == 0)
        jobs_open(manage, &command->jobs);
    jobs_drop(&command->jobs);
    const struct live_job *open = job_of_model(manage, target->model_id, &kind_pull, command->job.words);
    if (result < 0) {
        fail(job, target, result, &reason);
    } else {
        target->stage = open ? TARGET_PULLED : TARGET_ENDED;
        target->job_id = open ? open->row.id : 0;
        target->here = open ? target->here : target->bytes_total;
    }
    items_done(&command->items);
    free(command);
}

/* ---- await ---- */

/* Its job is no more: the row says how it went; where that is gone from the history, the model does. */
static void look_at_ended(struct live_job *job, struct target *target) {
    struct manage *manage = job->manage;
    struct catalog_job *row = mem_new(sizeof *row);
    struct catalog_model *model = mem_new(sizeof *model);
    struct model_report report = {.state = STATE_ABSENT};
    int result = catalog_job(manage->settings.catalog, target->job_id, row);
    if (result == 0 && row->state == JOB_DONE) {
        target->stage = TARGET_ENDED;
        target->here = target->bytes_total;
    } else if (result == 0) {
        fail(job, target, row->error ? row->error : -ERR_CANCELLED, &row->reason);
    } else if (result == -ENOENT) {
        result = catalog_model(manage->settings.catalog, target->model_id, model);
        if (result == 0)
            result = model_report(manage, model, &report);
        target->stage = TARGET_ENDED;
        if (report.state != STATE_READY)
            fail(job, target, result < 0 ? result : -ERR_CANCELLED, NULL);
    }
    free(model);
    free(row);
}

struct look {
    size_t open, paused;
    int error;
    struct reason reason; /* of the first that is paused */
};

static void look_at(struct live_job *job, struct target *target, struct look *look) {
    const struct live_job *open = job_of_id(job->manage, target->job_id);
    if (!open) {
        look_at_ended(job, target);
        return;
    }
    look->open++;
    target->here = open->row.bytes_done;
    target->bytes_total = open->row.bytes_total;
    if (open->row.state != JOB_PAUSED)
        return;
    if (!look->paused++) {
        look->error = open->row.error;
        (void)err_because(&look->reason, look->error, "%s: %s", target->name,
            err_text(&open->row.reason, open->row.error));
    }
}

/* ---- a step ---- */

static size_t count_stage(const struct collect *collect, enum target_stage stage) {
    size_t count = 0;
    for (size_t i = 0; i < collect->targets.count; i++)
        count += collect->targets.array[i].stage == stage;
    return count;
}

/* Some of those in `stage` are taken on. */
static void take_on(struct live_job *job, enum target_stage stage,
    void (*step)(struct live_job *job, struct target *target)) {
    struct collect *collect = job->work;
    size_t taken = 0;
    for (size_t i = 0; i < collect->targets.count && taken < STEP_MOST; i++) {
        if (collect->targets.array[i].stage != stage)
            continue;
        step(job, &collect->targets.array[i]);
        taken++;
    }
    if (count_stage(collect, stage)) { /* the rest soon */
        job->dirty = true;
        tick_soon(job->manage, 0);
    }
}

/* false: it does not fit, and the job has ended. */
static bool look_for_room(struct live_job *job) {
    struct collect *collect = job->work;
    struct reason reason = {""};
    uint64_t total = 0, here = 0;
    for (size_t i = 0; i < collect->targets.count; i++) {
        total += collect->targets.array[i].bytes_total;
        here += collect->targets.array[i].here;
    }
    int result = pull_room(job->manage, total, total - here, &reason);
    collect->fits = result == 0;
    if (result < 0)
        job_end(job, JOB_FAILED, result, err_text(&reason, result));
    return result == 0;
}

static void tell_progress(struct live_job *job) {
    struct collect *collect = job->work;
    uint64_t total = 0, here = 0;
    for (size_t i = 0; i < collect->targets.count; i++) {
        total += collect->targets.array[i].bytes_total;
        here += collect->targets.array[i].here;
    }
    if (here > collect->before_bytes) {
        job_came(job, here - collect->before_bytes);
        collect->before_bytes = here;
    }
    job_set_progress(job, here, total);
}

static void end(struct live_job *job) {
    struct collect *collect = job->work;
    struct buf text BUF_CLEANUP = BUF_INIT;
    size_t failed = 0;
    int error = 0;
    for (size_t i = 0; i < collect->targets.count; i++) {
        const struct target *target = &collect->targets.array[i];
        if (!target->error)
            continue;
        error = error ? error : target->error;
        if (failed++ < FAILED_TOLD)
            (void)buf_format(&text, "%s%s: %s", text.len ? "; " : ": ", target->name,
                err_text(&target->reason, target->error));
    }
    struct reason reason = {""};
    size_t count = collect->targets.count;
    if (failed)
        (void)err_because(&reason, error, "%zu of %zu failed%s%s", failed, count, buf_text(&text),
            failed > FAILED_TOLD ? "; …" : "");
    else
        (void)err_because(&reason, 0, "all of it is here (models: %zu)", count);
    job_end(job, failed ? JOB_FAILED : JOB_DONE, error, reason.text);
}

static void collect_step(struct live_job *job) {
    struct collect *collect = job->work;
    struct look look = {0};
    for (size_t i = 0; i < collect->targets.count && collect->asked < ASKED_MOST; i++)
        if (collect->targets.array[i].stage == TARGET_NEW)
            ask_for(job, i);
    if (collect->asked || count_stage(collect, TARGET_NEW))
        return;
    take_on(job, TARGET_KNOWN, measure);
    if (count_stage(collect, TARGET_KNOWN))
        return;
    if (!collect->fits && !look_for_room(job))
        return;
    take_on(job, TARGET_MEASURED, pull);
    for (size_t i = 0; i < collect->targets.count; i++)
        if (collect->targets.array[i].stage == TARGET_PULLED)
            look_at(job, &collect->targets.array[i], &look);
    tell_progress(job);
    if (!look.open && !count_stage(collect, TARGET_MEASURED))
        end(job);
    else if (look.open && look.open == look.paused)
        job_set_state(job, JOB_PAUSED, look.error, look.reason.text);
    else
        job_set_state(job, JOB_RUNNING, 0, NULL);
}

/* ---- the kinds ---- */

static int collect_begin(struct live_job *job) {
    struct targets targets;
    if (options_bool(job->manage->settings.options, "disable_downloads"))
        return -ERR_DOWNLOADS_OFF;
    int result = targets_choose(job->manage, job->row.words, &targets, &job->sentence);
    if (result < 0)
        return result;
    struct collect *collect = mem_new(sizeof *collect);
    collect->run = clock_ns();
    collect->targets = targets;
    job->work = collect;
    return 0;
}

/* The pulls that it began end with it. Later, on the desk: whoever stops us may be walking over the jobs. */
struct collect_cancel {
    struct work work;
    struct manage *manage;
    size_t count;
    int64_t job_ids[];
};

static void cancel_pulls(struct work *work) {
    struct collect_cancel *cancel = list_entry(work, struct collect_cancel, work);
    for (size_t i = 0; i < cancel->count && !atomic_load(&cancel->manage->shut); i++) {
        struct live_job *pull_job = job_of_id(cancel->manage, cancel->job_ids[i]);
        if (pull_job)
            job_end(pull_job, JOB_CANCELLED, -ERR_CANCELLED, NULL);
    }
    free(cancel);
}

static void cancel_soon(struct live_job *job, const struct collect *collect) {
    size_t count = count_stage(collect, TARGET_PULLED);
    if (!count)
        return;
    struct collect_cancel *cancel = mem_new(sizeof *cancel + count * sizeof cancel->job_ids[0]);
    cancel->manage = job->manage;
    cancel->work.run = cancel_pulls;
    for (size_t i = 0; i < collect->targets.count; i++)
        if (collect->targets.array[i].stage == TARGET_PULLED && collect->targets.array[i].is_ours)
            cancel->job_ids[cancel->count++] = collect->targets.array[i].job_id;
    desk_submit(job->manage, &cancel->work);
}

static void collect_stop(struct live_job *job, bool goes_on) {
    struct collect *collect = job->work;
    if (!goes_on)
        cancel_soon(job, collect);
    job->work = NULL;
    targets_done(&collect->targets);
    free(collect);
}

static void collect_retry(struct live_job *job) {
    struct collect *collect = job->work;
    for (size_t i = 0; i < collect->targets.count; i++) {
        struct target *target = &collect->targets.array[i];
        struct live_job *pull_job =
            target->stage == TARGET_PULLED ? job_of_id(job->manage, target->job_id) : NULL;
        if (pull_job)
            job_retry(pull_job);
        if (!target->error)
            continue;
        target->stage = TARGET_NEW;
        target->error = 0;
    }
}

#define COLLECTS .begin = collect_begin, .step = collect_step, .stop = collect_stop, .retry = collect_retry

const struct job_kind kind_ensure = {.name = "ensure",
    .help = "fetches all required models that are missing",
    COLLECTS};
const struct job_kind kind_collect = {.name = "collect",
    .help = "fetches a category of known models, the recommended ones, or all",
    COLLECTS};
