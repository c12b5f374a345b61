/* SPDX-License-Identifier: Apache-2.0 */
/* The job update: fetches what is wanted of another revision, then selects it. */

#include "manage/pull_items.h"
#include "manage/revision.h"

/* After a kill between fetching and this, the job is taken up and comes here at once. */
static int update_over(struct live_job *job, int error, struct reason *reason) {
    struct manage *manage = job->manage;
    struct catalog *catalog = manage->settings.catalog;
    struct revision_step step;
    struct catalog_revision revision;
    int result = error;
    if (!result)
        result = revision_step_parse(job->row.words, &step, reason);
    if (!result)
        result = catalog_find_revision(catalog, job->row.model_id, step.commit, &revision);
    if (!result)
        result = catalog_select_revision(catalog, job->row.model_id, revision.id,
            *step.follow ? step.follow : NULL, step.stays, !step.back);
    if (!result) {
        SAY(reason, "%.12s is shown now", step.commit);
        revision_switched(manage, job->row.model_id);
        return 0;
    }
    /* `status` tells it, and `retry` knows by it that it is the update that failed. */
    if (catalog_set_error(catalog, job->row.model_id, result, err_text(reason, result)) < 0)
        log_warning("job %lld: its error can't be written to the catalogue", (long long)job->row.id);
    return result;
}

static int update_begin(struct live_job *job) {
    struct manage *manage = job->manage;
    struct revision_step step;
    struct catalog_revision revision;
    struct items items ITEMS_CLEANUP = {0};
    const struct words none = {0};
    uint64_t missing;
    int result = revision_step_parse(job->row.words, &step, &job->sentence);
    if (result == 0)
        result = catalog_find_revision(manage->settings.catalog, job->row.model_id, step.commit, &revision);
    if (result == -ENOENT)
        return err_because(&job->sentence, -ERR_UNKNOWN_REVISION,
            "%.12s is not known any more; `update` again", step.commit);
    if (result < 0)
        return result;
    job->model.revision_id = revision.id; /* what is fetched is its selection */
    result = items_read(manage, &job->model, &none, &items);
    if (result == 0)
        result = items_look(manage, &job->model, &items, &missing);
    if (result == 0)
        pull_begin_items(job, &items, update_over);
    return result;
}

static void update_stop(struct live_job *job, bool goes_on) {
    pull_stop(job, goes_on);
    if (!goes_on && catalog_set_pending(job->manage->settings.catalog, job->row.model_id, 0) < 0)
        log_warning("job %lld: its end can't be written to the catalogue", (long long)job->row.id);
}

const struct job_kind kind_update = {
    .name = "update",
    .help = "fetches what another revision of a model has new, then shows that one",
    .does = JOB_FETCHES | JOB_SWITCHES,
    .excludes = JOB_FETCHES | JOB_CHECKS | JOB_REMOVES | JOB_SWITCHES,
    .most_option = "max_concurrent_downloads",
    .begin = update_begin,
    .step = pull_step,
    .stop = update_stop,
    .retry = pull_retry,
    .hears = pull_hears,
    .report = pull_report_items,
};
