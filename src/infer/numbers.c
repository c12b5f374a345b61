/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/numbers.h"

#include <stdlib.h>
#include <string.h>

#include "model/catalog_usage.h"

/* Of 10 ms, which a small model's first word takes, to what people give up at. */
const uint64_t infer_time_bounds_ms[INFER_TIME_BOUNDS + 1] = {10, 25, 50, 100, 250, 500, 1000, 2500, 5000,
    10000, 30000, 60000, 300000, 0};

/* ---- counting */

static void observe(struct infer_times *times, uint64_t ms) {
    unsigned bucket = 0;
    while (bucket < INFER_TIME_BOUNDS && ms > infer_time_bounds_ms[bucket])
        bucket++;
    times->cells[bucket]++;
    times->cells[INFER_TIME_BOUNDS + 1] += ms;
}

static void count_good(struct infer_report *figures, const struct catalog_usage *usage) {
    figures->answered++;
    figures->prompt_tokens += usage->prompt_tokens;
    figures->answer_tokens += usage->answer_tokens;
    figures->last_first_ms = usage->first_ms;
    figures->last_total_ms = usage->total_ms;
    figures->last_tokens = usage->answer_tokens;
    observe(&figures->first_times, usage->first_ms);
    observe(&figures->total_times, usage->total_ms);
}

void numbers_note(struct question *question) {
    struct seat *seat = question->seat;
    struct answer_info info;
    answer_look(question->answer, &info);
    bool failed = info.error < 0;
    struct catalog_usage usage = {.model_id = seat->model_id,
        .uid = question->asking.uid,
        .questions = 1,
        .failed = failed,
        .prompt_tokens = info.usage.prompt_tokens,
        .answer_tokens = info.usage.answer_tokens};
    if (!failed) {
        usage.total_ms = info.ended_ms - question->queued_ms;
        usage.first_ms = info.first_ms ? info.first_ms - question->queued_ms : usage.total_ms;
    }
    lock_take(&seat->infer->lock);
    if (failed)
        seat->figures.failed++;
    else
        count_good(&seat->figures, &usage);
    lock_drop(&seat->infer->lock);
    metric_add(&infer_metrics[INFER_RESULTS], metric_error(info.error), 1);
    usage_note(seat->infer, &usage);
}

void numbers_note_load(int error) {
    metric_add(&infer_metrics[INFER_LOADS], metric_error(error), 1);
}

/* ---- the rows: what seats have, by model */

typedef double figure(const struct infer_report *report);

static int each(struct infer *infer, struct metric_list *to, figure *figure_of,
    const uint64_t *(*cells_of)(const struct infer_report *)) {
    struct infer_report *reports = mem_array(INFER_LISTED_MOST, sizeof *reports);
    size_t count = infer_list(infer, reports, INFER_LISTED_MOST);
    int result = 0;
    for (size_t i = 0; i < count && !result; i++)
        result = cells_of ? metric_put_histogram(to, reports[i].key, cells_of(&reports[i]))
                          : metric_put(to, reports[i].key, figure_of(&reports[i]));
    free(reports);
    return result;
}

#define FIGURE(name, expression)                                     \
    static double figure_##name(const struct infer_report *report) { \
        return (double)(expression);                                 \
    }                                                                \
    static int list_##name(void *context, struct metric_list *to) {  \
        return each(context, to, figure_##name, NULL);               \
    }
#define TIMES(name, member)                                                  \
    static const uint64_t *cells_##name(const struct infer_report *report) { \
        return report->member.cells;                                         \
    }                                                                        \
    static int list_##name(void *context, struct metric_list *to) {          \
        return each(context, to, NULL, cells_##name);                        \
    }
FIGURE(asked, report->asked)
FIGURE(answered, report->answered)
FIGURE(failed, report->failed)
FIGURE(prompt_tokens, report->prompt_tokens)
FIGURE(answer_tokens, report->answer_tokens)
FIGURE(waiting, report->waiting)
FIGURE(answering, report->answering)
FIGURE(loaded, report->state == SEAT_READY)
TIMES(first, first_times)
TIMES(total, total_times)

#define BY_MODEL .labels = {{"model"}}

const struct metric_row infer_metrics[INFER_METRICS + 1] = {
    [INFER_ASKED] = {.name = "weightfs_infer_questions_total",
        .type = METRIC_COUNTER,
        .help = "Questions to a model since the daemon started, those that wait among them.",
        BY_MODEL,
        .list = list_asked},
    [INFER_ANSWERED] = {.name = "weightfs_infer_answers_total",
        .type = METRIC_COUNTER,
        .help = "Questions that were answered to the end.",
        BY_MODEL,
        .list = list_answered},
    [INFER_FAILED] = {.name = "weightfs_infer_failures_total",
        .type = METRIC_COUNTER,
        .help = "Questions that ended with an error, cancelled ones among them.",
        BY_MODEL,
        .list = list_failed},
    [INFER_PROMPT_TOKENS] = {.name = "weightfs_infer_prompt_tokens_total",
        .type = METRIC_COUNTER,
        .help = "Tokens of what was asked, as engines count them.",
        BY_MODEL,
        .list = list_prompt_tokens},
    [INFER_ANSWER_TOKENS] = {.name = "weightfs_infer_answer_tokens_total",
        .type = METRIC_COUNTER,
        .help = "Tokens of what was answered.",
        BY_MODEL,
        .list = list_answer_tokens},
    [INFER_FIRST_SECONDS] = {.name = "weightfs_infer_first_token_seconds",
        .type = METRIC_HISTOGRAM,
        .help = "Time from asking to the first text of the answer, loading included.",
        BY_MODEL,
        .scale = 1e3,
        .bounds = infer_time_bounds_ms,
        .list = list_first},
    [INFER_ANSWER_SECONDS] = {.name = "weightfs_infer_answer_seconds",
        .type = METRIC_HISTOGRAM,
        .help = "Time from asking to the end of the answer.",
        BY_MODEL,
        .scale = 1e3,
        .bounds = infer_time_bounds_ms,
        .list = list_total},
    [INFER_WAITING] = {.name = "weightfs_infer_waiting",
        .type = METRIC_GAUGE,
        .help = "Questions that wait for their turn.",
        BY_MODEL,
        .list = list_waiting},
    [INFER_ANSWERING] = {.name = "weightfs_infer_answering",
        .type = METRIC_GAUGE,
        .help = "Questions that are being answered.",
        BY_MODEL,
        .list = list_answering},
    [INFER_LOADED] = {.name = "weightfs_infer_loaded",
        .type = METRIC_GAUGE,
        .help = "1 while the model is loaded in an engine.",
        BY_MODEL,
        .list = list_loaded},
    [INFER_RESULTS] = {.name = "weightfs_infer_results_total",
        .type = METRIC_COUNTER,
        .help = "Questions to all models that ended, by result.",
        .labels = {{"result", .value_of = metric_error_label}},
        METRIC_CELLS(METRIC_ERRORS)},
    [INFER_LOADS] = {.name = "weightfs_infer_loads_total",
        .type = METRIC_COUNTER,
        .help = "Loads of models into engines, by result.",
        .labels = {{"result", .value_of = metric_error_label}},
        METRIC_CELLS(METRIC_ERRORS)},
    [INFER_USAGE_LOST] = {.name = "weightfs_infer_usage_write_failures_total",
        .type = METRIC_COUNTER,
        .help = "Times that usage could not be written to the catalogue; it is tried again.",
        METRIC_CELLS(1)},
    [INFER_METRICS] = {.name = NULL},
};
