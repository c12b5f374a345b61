/* SPDX-License-Identifier: Apache-2.0 */
#include "manage/metrics.h"

#include <string.h>

#include "manage/internal.h"
#include "manage/job.h"
#include "manage/known.h"
#include "model/catalog_by.h"
#include "model/finding.h"
#include "model/format.h"

/* Milliseconds: from a tokenizer that is there at once to a day of weights. */
static const uint64_t TIMES[] = {100, 1000, 10000, 60000, 300000, 1800000, 7200000, 86400000, 0};

static const char *state_label(unsigned index) {
    return index < STATE_COUNT ? model_state_name((enum model_state)index) : NULL;
}

static const char *job_label(unsigned index) {
    return index <= JOB_CANCELLED ? job_state_name((enum catalog_job_state)index) : NULL;
}

static const char *kind_label(unsigned index) {
    const struct job_kind *kind = job_kind_row(index);
    return kind ? kind->name : NULL;
}

static int read_models(void *context, double *values, unsigned count) {
    struct manage *manage = context;
    uint64_t counts[STATE_COUNT] = {0};
    int error = catalog_count_states(manage->settings.catalog, counts, STATE_COUNT);
    for (unsigned i = 0; i < count && !error; i++)
        values[i] = (double)counts[i];
    return error;
}

static const char *format_label(unsigned index) {
    if (index >= FORMAT_END)
        return NULL;
    return index == FORMAT_UNKNOWN ? "other" : format_row((enum file_format)index)->name;
}

static const char *verdict_label(unsigned index) {
    return index < FINDING_LEVELS ? finding_level_name((enum finding_level)index) : NULL;
}

/* "other", and what was not looked at yet, are of no format that is known. */
static void count_format(void *context, const char *format, uint64_t count) {
    double *values = context;
    unsigned index = FORMAT_UNKNOWN;
    for (unsigned i = 0; i < FORMAT_END; i++)
        if (strcmp(format_label(i), format) == 0)
            index = i;
    values[index] += (double)count;
}

static int read_formats(void *context, double *values, unsigned count) {
    struct manage *manage = context;
    double counts[FORMAT_END] = {0};
    int error = catalog_count_formats(manage->settings.catalog, count_format, counts);
    for (unsigned i = 0; i < count && i < FORMAT_END && error >= 0; i++)
        values[i] = counts[i];
    return error;
}

static int read_pinned(void *context, double *values, unsigned count) {
    (void)count;
    struct manage *manage = context;
    struct catalog_totals totals;
    int error = catalog_totals(manage->settings.catalog, &totals);
    if (!error)
        values[0] = (double)totals.pinned;
    return error;
}

static int read_required(void *context, double *values, unsigned count) {
    (void)count;
    REQUIRED_REPORT_CLEANUP struct required_report report = {0};
    required_report(context, &report);
    values[0] = (double)report.required;
    return 0;
}

static int read_missing(void *context, double *values, unsigned count) {
    (void)count;
    REQUIRED_REPORT_CLEANUP struct required_report report = {0};
    required_report(context, &report);
    values[0] = (double)report.missing_count;
    return 0;
}

static int read_files(void *context, double *values, unsigned count) {
    (void)count;
    struct manage *manage = context;
    struct catalog_totals totals;
    int error = catalog_totals(manage->settings.catalog, &totals);
    if (!error)
        values[0] = (double)totals.files;
    return error;
}

static int read_jobs(void *context, double *values, unsigned count) {
    struct manage *manage = context;
    LOCK_SCOPE(&manage->lock);
    list_each (at, &manage->jobs) {
        const struct live_job *job = list_entry(at, struct live_job, link);
        unsigned label = METRIC_PAIR((unsigned)job_kind_index(job->kind), job->row.state, JOB_CANCELLED + 1);
        if (label < count)
            values[label]++;
    }
    return 0;
}

static int read_offline(void *context, double *values, unsigned count) {
    (void)count;
    struct manage *manage = context;
    values[0] = options_bool(manage->settings.options, "offline");
    return 0;
}

const struct metric_row manage_metrics[MANAGE_METRICS + 1] = {
    [MANAGE_MODELS] = {.name = "weightfs_models",
        .type = METRIC_GAUGE,
        .help = "Models that are known, by state.",
        .labels = {{"state", .value_of = state_label}},
        .read = read_models},
    [MANAGE_FORMATS] = {.name = "weightfs_models_by_format",
        .type = METRIC_GAUGE,
        .help = "Models that are known, by the format of their weights.",
        .labels = {{"format", .value_of = format_label}},
        .read = read_formats},
    [MANAGE_PINNED] = {.name = "weightfs_models_pinned",
        .type = METRIC_GAUGE,
        .help = "Models that are never evicted to make room.",
        .read = read_pinned},
    [MANAGE_REQUIRED] = {.name = "weightfs_models_required",
        .type = METRIC_GAUGE,
        .help = "Models that are required here.",
        .read = read_required},
    [MANAGE_MISSING] = {.name = "weightfs_models_required_missing",
        .type = METRIC_GAUGE,
        .help = "Required models that are not ready.",
        .read = read_missing},
    [MANAGE_FILES] = {.name = "weightfs_catalog_files",
        .type = METRIC_GAUGE,
        .help = "Files of all models in the catalogue.",
        .read = read_files},
    [MANAGE_JOBS] = {.name = "weightfs_jobs",
        .type = METRIC_GAUGE,
        .help = "Jobs that have not ended, by kind and state.",
        .labels = {{"kind", .value_of = kind_label}, {"state", .value_of = job_label}},
        .read = read_jobs},
    [MANAGE_JOBS_ENDED] = {.name = "weightfs_jobs_ended_total",
        .type = METRIC_COUNTER,
        .help = "Jobs that ended, by kind and how.",
        .labels = {{"kind", .value_of = kind_label}, {"state", .value_of = job_label}},
        METRIC_CELLS(JOB_KINDS_MOST *(JOB_CANCELLED + 1))},
    [MANAGE_JOB_SECONDS] = {.name = "weightfs_job_duration_seconds",
        .type = METRIC_HISTOGRAM,
        .help = "Time from a job's command to its end, pauses included.",
        .labels = {{"kind", .value_of = kind_label}, {"state", .value_of = job_label}},
        .scale = 1e3,
        .bounds = TIMES,
        METRIC_HISTOGRAM_CELLS(JOB_KINDS_MOST *(JOB_CANCELLED + 1), TIMES)},
    [MANAGE_VALIDATIONS] = {.name = "weightfs_validations_total",
        .type = METRIC_COUNTER,
        .help = "Models that were validated, by verdict.",
        .labels = {{"verdict", .value_of = verdict_label}},
        METRIC_CELLS(FINDING_LEVELS)},
    [MANAGE_COMMANDS] = {.name = "weightfs_commands_total",
        .type = METRIC_COUNTER,
        .help = "Commands that were written, by result; refused ones are among them.",
        .labels = {{"result", .value_of = metric_error_label}},
        METRIC_CELLS(METRIC_ERRORS)},
    [MANAGE_DISCOVERIES] = {.name = "weightfs_discoveries_total",
        .type = METRIC_COUNTER,
        .help = "Questions to a source about a model, by result.",
        .labels = {{"source", .value_of = source_label}, {"result", .value_of = metric_error_label}},
        METRIC_CELLS(SOURCES_MOST *METRIC_ERRORS)},
    [MANAGE_EVENTS] = {.name = "weightfs_events_total",
        .type = METRIC_COUNTER,
        .help = "Lines that `events` has had.",
        METRIC_CELLS(1)},
    [MANAGE_OFFLINE] = {.name = "weightfs_offline",
        .type = METRIC_GAUGE,
        .help = "1 while nothing is sent over the network.",
        .read = read_offline},
    [MANAGE_METRICS] = {.name = NULL},
};
