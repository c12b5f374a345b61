/* SPDX-License-Identifier: Apache-2.0 */
/* The job update-all: asks the sources about every model, and begins an update of each that has a newer
 * revision. After a restart those that were asked since it began are not asked again. */

#include <stdlib.h>

#include "manage/remote_inside.h"
#include "manage/revision.h"

#define LOOKS_AT_ONCE 4

/* live_job.work */
struct all {
    int64_t run; /* of the job: what was asked before a pause is answered to nobody */
    unsigned under_way;
    int64_t after_id; /* models up to this were looked at */
    bool at_end;
    size_t asked, newer, failed, stayed;
    int error; /* of the first that failed */
    struct reason reason;
};

static struct live_job *job_of_run(struct manage *manage, int64_t run) {
    list_each (at, &manage->jobs) {
        struct live_job *job = list_entry(at, struct live_job, link);
        const struct all *all = job->kind == &kind_update_all ? job->work : NULL;
        if (all && all->run == run)
            return job;
    }
    return NULL;
}

static void looked(struct manage *manage, int64_t owner, int64_t model_id, int result,
    const struct reason *reason) {
    struct live_job *job = job_of_run(manage, owner);
    if (!job)
        return; /* it has ended, or was paused meanwhile */
    struct all *all = job->work;
    all->under_way--;
    all->asked++;
    all->newer += result > 0;
    if (result < 0 && !all->failed++) {
        char key[NAME_KEY_SIZE] = "";
        struct catalog_model *model = mem_new(sizeof *model);
        if (catalog_model(manage->settings.catalog, model_id, model) == 0)
            name_format(model->source, model->name, key);
        free(model);
        all->error = err_because(&all->reason, result, "%s: %s", key, err_text(reason, result));
    }
    job_came(job, 1);
    job->dirty = true;
    tick_soon(manage, 0);
}

static void consider(struct live_job *job, const struct catalog_model *model) {
    struct all *all = job->work;
    struct manage *manage = job->manage;
    struct catalog_following following;
    struct reason reason = {""};
    if (model->checked_ms >= job->row.created_ms || remote_is(model))
        return;
    if (catalog_following(manage->settings.catalog, model->id, &following) == 0 && following.stays) {
        all->stayed++;
        return;
    }
    all->under_way++;
    int result = revision_look(manage, model, true, looked, all->run);
    if (result < 0)
        looked(manage, all->run, model->id, err_because(&reason, result, "%s", err_sentence(result)),
            &reason);
}

/* Whether an update that it began, or anybody since, is open. */
static bool any_open(const struct live_job *all) {
    list_each (at, &all->manage->jobs) {
        const struct live_job *job = list_entry(at, struct live_job, link);
        if (job->kind == &kind_update && job->row.id > all->row.id &&
            (job->row.state == JOB_QUEUED || job->row.state == JOB_RUNNING))
            return true;
    }
    return false;
}

static void end(struct live_job *job) {
    const struct all *all = job->work;
    struct reason reason = {""};
    SAY(&reason,
        "asked about %zu models: %zu have a newer revision, %zu stay where `use` or `rollback` put them%s%s",
        all->asked, all->newer, all->stayed, all->failed ? "; the first that failed is " : "",
        all->failed ? all->reason.text : "");
    bool failed = all->failed && all->failed == all->asked;
    job_end(job, failed ? JOB_FAILED : JOB_DONE, failed ? all->error : 0, reason.text);
}

static void all_step(struct live_job *job) {
    struct all *all = job->work;
    struct catalog_model *page = mem_new(sizeof *page);
    while (!all->at_end && all->under_way < LOOKS_AT_ONCE) {
        int count = catalog_list_models(job->manage->settings.catalog, 0, all->after_id, page, 1);
        if (count < 0)
            break; /* our disk: at the next tick */
        all->at_end = count == 0;
        if (count) {
            all->after_id = page->id;
            consider(job, page);
        }
    }
    free(page);
    if (all->at_end && !all->under_way && !any_open(job))
        end(job);
}

static int all_begin(struct live_job *job) {
    struct all *all = mem_new(sizeof *all);
    all->run = (int64_t)clock_ns();
    job->work = all;
    return 0;
}

static void all_stop(struct live_job *job, bool goes_on) {
    (void)goes_on;
    free(job->work);
    job->work = NULL;
}

const struct job_kind kind_update_all = {
    .name = "update-all",
    .help = "asks about every model, and updates those that have a newer revision",
    .begin = all_begin,
    .step = all_step,
    .stop = all_stop,
};

int run_update_all(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)arguments;
    struct command *command = command_of(request);
    struct live_job *open = job_of_model(manage, 0, &kind_update_all, NULL);
    int64_t id = 0;
    if (open) {
        SAY(reason, "job %lld does it already", (long long)open->row.id);
        return 0;
    }
    (void)remote_refresh(manage);
    int result = command_begin(command);
    if (result == 0)
        result = job_add(manage, &kind_update_all, 0, NULL, request, &id);
    if (result == 0)
        SAY(reason, "job %lld asks about every model", (long long)id);
    return result;
}
