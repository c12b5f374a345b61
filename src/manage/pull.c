/* SPDX-License-Identifier: Apache-2.0 */
/* The command pull: what is wanted becomes part of the selection, and a job fetches it. */

#include <stdlib.h>
#include <string.h>

#include "manage/collect.h"

static void selection_changed(struct command *command) {
    state_renew(command->manage);
    state_mark(command->manage, command->model.id);
    holds_renew(command->manage);
}

int pull_refuse_masked(const struct catalog_model *model, const struct items *items, struct reason *reason) {
    size_t masked = 0;
    for (size_t i = 0; i < items->count; i++)
        masked += !*items->array[i].digest;
    if (!masked)
        return 0;
    return err_because(reason, -ERR_GATED,
        "%zu of %zu files are told to those with access only; %s; then `update`", masked, items->count,
        model->error == -ERR_GATED ? err_text(&model->reason, -ERR_GATED) : err_sentence(-ERR_GATED));
}

/* The default variant becomes a word of its own: pulling another one later adds to it. */
static int select_words(struct command *command, const struct words *words, struct reason *reason) {
    struct catalog *catalog = command->manage->settings.catalog;
    char(*known)[NAME_PATH_SIZE] = mem_array(1, sizeof *known);
    int known_count = catalog_list_words(catalog, command->model.id, known, 1);
    free(known);
    if (known_count < 0)
        return known_count;
    const char *variant = command->items.variant;
    if (!words->count && !known_count && *variant)
        return catalog_select(catalog, command->model.id, &variant, 1, reason);
    return words->count ? catalog_select(catalog, command->model.id, words->array, words->count, reason) : 0;
}

static int add_job(struct command *command, uint64_t missing, struct reason *reason) {
    struct catalog_job *job = &command->job;
    char size[HUMAN_SIZE];
    job->bytes_total = command->items.bytes_total;
    for (size_t i = 0; i < command->items.count; i++)
        job->bytes_done += command->items.array[i].here;
    int64_t id;
    int result = job_add_row(command->manage, &kind_pull, command->model.id, job, &command->request, &id);
    if (result < 0)
        return result;
    SAY(reason, "job %lld fetches %s (files: %zu)", (long long)id, human_bytes(size, missing),
        command->items.count);
    return 0;
}

int pull_room(struct manage *manage, uint64_t bytes_total, uint64_t bytes_missing, struct reason *reason) {
    struct store_figures figures;
    char need[HUMAN_SIZE], limit[HUMAN_SIZE];
    store_look(manage->settings.store, &figures);
    if (bytes_missing && figures.budget_bytes && bytes_total > figures.budget_bytes)
        return err_because(reason, -ERR_BUDGET, "it can never fit: it needs %s, and cache_max_bytes is %s",
            human_bytes(need, bytes_total), human_bytes(limit, figures.budget_bytes));
    return bytes_missing ? store_room(manage->settings.store, bytes_missing, reason) : 0;
}

static uint64_t missing_of_others(struct manage *manage, int64_t model_id) {
    uint64_t bytes = 0;
    LOCK_SCOPE(&manage->lock);
    list_each (at, &manage->jobs) {
        const struct live_job *job = list_entry(at, struct live_job, link);
        if (job->row.model_id && job->row.model_id != model_id && job->kind->does & JOB_FETCHES &&
            job->row.bytes_total > job->row.bytes_done)
            bytes += job->row.bytes_total - job->row.bytes_done;
    }
    return bytes;
}

int pull_room_beside(struct manage *manage, int64_t model_id, uint64_t bytes_total, uint64_t bytes_missing,
    struct reason *reason) {
    struct reason why = {""};
    char size[HUMAN_SIZE];
    int result = pull_room(manage, bytes_total, bytes_missing, reason);
    uint64_t others = result == 0 && bytes_missing ? missing_of_others(manage, model_id) : 0;
    struct store_figures figures;
    store_look(manage->settings.store, &figures);
    others -= figures.pending_bytes < others ? figures.pending_bytes : others; /* the store counts it */
    if (!others)
        return result;
    result = store_room(manage->settings.store, bytes_missing + others, &why);
    return result < 0 ? err_because(reason, result, "%s; jobs that are open have %s to fetch",
                            err_text(&why, result), human_bytes(size, others))
                      : 0;
}

static int by_digest(const void *one, const void *other) {
    return strcmp(((const struct item *)one)->digest, ((const struct item *)other)->digest);
}

uint64_t items_distinct_bytes(const struct items *items) {
    if (!items->count)
        return 0;
    struct item *sorted = mem_array(items->count, sizeof *sorted);
    memcpy(sorted, items->array, items->count * sizeof *sorted);
    qsort(sorted, items->count, sizeof *sorted, by_digest);
    uint64_t bytes = 0;
    for (size_t i = 0; i < items->count; i++)
        if (!i || by_digest(&sorted[i - 1], &sorted[i]))
            bytes += sorted[i].size;
    free(sorted);
    return bytes;
}

static int pull_items(struct command *command, const struct words *words, struct reason *reason) {
    uint64_t missing;
    char size[HUMAN_SIZE];
    int result = pull_refuse_masked(&command->model, &command->items, reason);
    if (result == 0)
        result = items_look(command->manage, &command->model, &command->items, &missing);
    if (result == 0 && missing && options_bool(command->manage->settings.options, "disable_downloads"))
        result = -ERR_DOWNLOADS_OFF;
    if (result == 0)
        result = pull_room_beside(command->manage, command->model.id, items_distinct_bytes(&command->items),
            missing, reason);
    if (result == 0)
        result = command_begin(command);
    if (result == 0)
        result = select_words(command, words, reason);
    if (result < 0)
        return result;
    bool all_here = true;
    for (size_t i = 0; i < command->items.count; i++)
        all_here = all_here && command->items.array[i].done;
    command->after = selection_changed; /* what is pinned of the model may have grown */
    if (!all_here)
        return add_job(command, missing, reason);
    SAY(reason, "all of it is here: %s (files: %zu)", human_bytes(size, command->items.bytes_total),
        command->items.count);
    return 0;
}

int pull_model(struct command *command, int64_t model_id, const struct words *words, struct reason *reason) {
    struct manage *manage = command->manage;
    struct catalog_model *model = &command->model;
    command->job = (struct catalog_job){0};
    items_done(&command->items);
    int result = catalog_model(manage->settings.catalog, model_id, model);
    if (result == 0)
        result =
            words_print(words->array, words->count, command->job.words, sizeof command->job.words, reason);
    if (result < 0)
        return result;
    if (!model->revision_id)
        return err_because(reason, model->error ? model->error : -ERR_GATED, "%s",
            err_text(&model->reason, -ERR_GATED));
    struct live_job *job = job_of_model(manage, model_id, &kind_pull, command->job.words);
    if (job) {
        result = job_refuse_held(job, reason);
        if (result < 0)
            return result;
        SAY(reason, "job %lld pulls it already", (long long)job->row.id);
        job_retry(job);
        return 0;
    }
    result = job_refuse(manage, model_id, kind_pull.does, kind_pull.excludes, reason);
    if (result == 0)
        result = items_read(manage, model, words, &command->items);
    return result < 0 ? result : pull_items(command, words, reason);
}

int pull_again(struct command *command, int64_t model_id, struct reason *reason) {
    struct words words WORDS_CLEANUP = {0};
    struct catalog_job *last = mem_new(sizeof *last);
    int result = catalog_last_job(command->manage->settings.catalog, model_id, kind_pull.name, last);
    if (result == 0)
        result = words_parse(last->words, &words, reason);
    else if (result == -ENOENT)
        result = 0;
    free(last);
    return result < 0 ? result : pull_model(command, model_id, &words, reason);
}

int run_pull(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)manage;
    struct words words WORDS_CLEANUP = {0};
    if (request->place == COMMAND_ROOT && collect_is_set(arguments))
        return collect_run(manage, request, arguments, reason);
    if (request->place == COMMAND_ROOT)
        return run_add(manage, request, arguments, reason); /* which pulls, once the model is known */
    int result = words_parse(arguments, &words, reason);
    return result < 0 ? result : pull_model(command_of(request), request->id, &words, reason);
}

int pull_settle(struct manage *manage, int64_t model_id) {
    struct catalog_job *last = mem_new(sizeof *last);
    int result = catalog_last_job(manage->settings.catalog, model_id, kind_pull.name, last);
    if (result == 0 && last->state == JOB_FAILED) {
        (void)text_copy(last->memo, sizeof last->memo, PULL_SETTLED); /* fits */
        result = catalog_set_job(manage->settings.catalog, last);
    }
    free(last);
    return result == -ENOENT ? 0 : result;
}
