/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on jobs, which every place has: of the job itself, of a model's jobs, of all. */

#include <stdio.h>
#include <string.h>

#include "base/option_parse.h"
#include "manage/job.h"
#include "manage/setting_inside.h"

typedef int visit_job(struct live_job *job, void *context, struct reason *reason);

/* The jobs that a command is about. *ret_count; the first error ends it. */
static int each_job(struct manage *manage, const struct command_request *request, visit_job *visit,
    void *context, size_t *ret_count, struct reason *reason) {
    size_t count = 0;
    int result = 0;
    list_each (at, &manage->jobs) {
        struct live_job *job = list_entry(at, struct live_job, link);
        if (result < 0 || (request->place == COMMAND_MODEL && job->row.model_id != request->id) ||
            (request->place == COMMAND_JOB && job->row.id != request->id))
            continue;
        result = visit(job, context, reason);
        count++;
    }
    *ret_count = count;
    return result;
}

static int nothing_open(const struct command_request *request, struct reason *reason) {
    if (request->place == COMMAND_JOB)
        return err_because(reason, -ERR_BUSY, "the job has ended");
    SAY(reason, "nothing was under way");
    return 0;
}

/* ---- pause and resume ---- */

static int hold(struct live_job *job, void *context, struct reason *reason) {
    const struct command_request *request = context;
    (void)reason;
    job_hold(job, request->uid);
    return 0;
}

int run_pause(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)arguments;
    size_t count;
    if (request->place == COMMAND_ROOT) {
        int result = jobs_hold(manage, request->uid);
        if (result == 0)
            SAY(reason, "all jobs are paused, and those to come, until `resume`");
        return result;
    }
    (void)each_job(manage, request, hold, (void *)(uintptr_t)request, &count, reason); /* none fails */
    if (!count)
        return nothing_open(request, reason);
    SAY(reason, "paused (jobs: %zu); who reads is served all the same", count);
    return 0;
}

static int release(struct live_job *job, void *context, struct reason *reason) {
    (void)context;
    return job_release(job) ? 0 : job_refuse_held(job, reason);
}

int run_resume(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)arguments;
    size_t count;
    if (request->place == COMMAND_ROOT) {
        int result = jobs_hold(manage, -1);
        if (result == 0)
            SAY(reason, "jobs go on");
        return result;
    }
    int result = each_job(manage, request, release, NULL, &count, reason);
    if (result == 0 && !count)
        return nothing_open(request, reason);
    if (result == 0)
        SAY(reason, "they go on when it is their turn (jobs: %zu)", count);
    return result;
}

/* ---- priority ---- */

static const struct {
    const char *word;
    enum catalog_job_priority priority;
} priorities[] = {{"high", PRIORITY_HIGH}, {"normal", PRIORITY_NORMAL}, {"low", PRIORITY_LOW}};
#define PRIORITY_COUNT (sizeof priorities / sizeof *priorities)

const char *job_priority_name(enum catalog_job_priority priority) {
    for (size_t i = 0; i < PRIORITY_COUNT; i++)
        if (priorities[i].priority == priority)
            return priorities[i].word;
    return "unknown";
}

static bool read_priority(const char *word, enum catalog_job_priority *ret_priority) {
    for (size_t i = 0; i < PRIORITY_COUNT; i++)
        if (strcmp(priorities[i].word, word) == 0) {
            *ret_priority = priorities[i].priority;
            return true;
        }
    return false;
}

int parse_priority(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)manage, (void)request;
    enum catalog_job_priority ignored;
    return read_priority(arguments, &ignored)
               ? 0
               : err_because(reason, -ERR_BAD_VALUE, "it takes `high`, `normal` or `low`");
}

static int set_priority(struct live_job *job, void *context, struct reason *reason) {
    (void)reason;
    job_set_priority(job, *(enum catalog_job_priority *)context);
    return 0;
}

int run_priority(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    enum catalog_job_priority priority = PRIORITY_NORMAL;
    size_t count;
    (void)read_priority(arguments, &priority);                                /* was parsed */
    (void)each_job(manage, request, set_priority, &priority, &count, reason); /* none fails */
    return count ? 0 : nothing_open(request, reason);
}

/* ---- limit_rate: of the whole and of a model it is a setting, of a job its own ---- */

static const struct option_row rate_row = {.name = "limit_rate", .type = OPTION_BYTES, .most = INT64_MAX};

static const char *rate_text(const char *arguments) {
    return strcmp(arguments, "off") == 0 ? "0" : arguments;
}

static void write_setting(const char *arguments, char to[static 128]) {
    (void)snprintf(to, 128, "%s %s", rate_row.name, rate_text(arguments)); /* was parsed: it fits */
}

int parse_limit_rate(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    const char *text;
    int64_t number;
    char line[128];
    if (!*arguments || strlen(arguments) > 64 ||
        option_parse(&rate_row, rate_text(arguments), &number, &text))
        return err_because(reason, -ERR_BAD_VALUE, "it takes bytes a second (500K, 10M), or `off`");
    if (request->place == COMMAND_JOB)
        return 0;
    write_setting(arguments, line);
    return parse_set(manage, request, line, reason);
}

static int set_rate(struct live_job *job, void *context, struct reason *reason) {
    (void)reason;
    job_set_rate(job, *(uint64_t *)context);
    return 0;
}

int run_limit_rate(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    const char *text;
    int64_t number = 0;
    size_t count;
    if (request->place != COMMAND_JOB) {
        char *line = command_of(request)->set_line;
        write_setting(arguments, line);
        return run_set(manage, request, line, reason);
    }
    (void)option_parse(&rate_row, rate_text(arguments), &number, &text); /* was parsed */
    uint64_t rate = (uint64_t)number;
    (void)each_job(manage, request, set_rate, &rate, &count, reason); /* none fails */
    return count ? 0 : nothing_open(request, reason);
}
