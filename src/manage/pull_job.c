/* SPDX-License-Identifier: Apache-2.0 */
/* The job pull: fetches what words name of the selected revision. Desk. */

#include "manage/pull_items.h"

static int pull_begin(struct live_job *job) {
    struct words words WORDS_CLEANUP = {0};
    struct items items ITEMS_CLEANUP = {0};
    uint64_t missing;
    if (options_bool(job->manage->settings.options, "disable_downloads")) /* since it was begun */
        return -ERR_DOWNLOADS_OFF;
    int result = words_parse(job->row.words, &words, &job->sentence);
    if (result == 0)
        result = items_read(job->manage, &job->model, &words, &items);
    if (result == 0)
        result = items_look(job->manage, &job->model, &items, &missing);
    if (result == 0)
        pull_begin_items(job, &items, NULL);
    return result;
}

static bool pull_report(const struct live_job *job, struct model_report *report) {
    return !*job->row.words && pull_report_items(job, report);
}

const struct job_kind kind_pull = {
    .name = "pull",
    .help = "fetches what is wanted of a model",
    .does = JOB_FETCHES,
    .excludes = JOB_CHECKS | JOB_REMOVES | JOB_SWITCHES,
    .most_option = "max_concurrent_downloads",
    .begin = pull_begin,
    .step = pull_step,
    .stop = pull_stop,
    .retry = pull_retry,
    .hears = pull_hears,
    .report = pull_report,
};
