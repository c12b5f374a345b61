/* SPDX-License-Identifier: Apache-2.0 */
/* The command validate. */

#include "manage/job.h"

int parse_validate(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    return request->place == COMMAND_ROOT ? parse_nothing(manage, request, arguments, reason)
                                          : parse_words(manage, request, arguments, reason);
}

/* Each word must name something: a slip of the pen must not validate nothing. */
static int judge_words(struct manage *manage, const struct catalog_model *model, const struct words *words,
    struct reason *reason) {
    if (!model->revision_id)
        return err_because(reason, model->error ? model->error : -ERR_GATED, "%s",
            err_text(&model->reason, -ERR_GATED));
    for (size_t i = 0; i < words->count; i++) {
        const struct words one = {.array = {words->array[i]}, .count = 1};
        struct items items ITEMS_CLEANUP = {0};
        int result = items_read(manage, model, &one, &items);
        if (result < 0)
            return result;
        if (!items.count)
            return err_because(reason, -ERR_UNKNOWN_FILE,
                "the model has no file or variant \"%s\"; `ls files` lists them", words->array[i]);
    }
    return 0;
}

int run_validate(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    struct command *command = command_of(request);
    struct words words WORDS_CLEANUP = {0};
    int64_t model_id = request->place == COMMAND_MODEL ? request->id : 0, id;
    int result = words_parse(arguments, &words, reason);
    if (result == 0 && model_id)
        result = catalog_model(manage->settings.catalog, model_id, &command->model);
    if (result == 0 && model_id)
        result = judge_words(manage, &command->model, &words, reason);
    if (result < 0)
        return result;
    const struct live_job *same = job_of_model(manage, model_id, &kind_validate, arguments);
    if (same) {
        SAY(reason, "job %lld validates %s already", (long long)same->row.id, model_id ? "it" : "all models");
        return 0;
    }
    result = job_refuse(manage, model_id, kind_validate.does, kind_validate.excludes, reason);
    if (result == 0)
        result = command_begin(command);
    if (result == 0)
        result = job_add(manage, &kind_validate, model_id, arguments, request, &id);
    if (result == 0)
        SAY(reason, "job %lld validates %s", (long long)id, model_id ? "it" : "all models");
    return result;
}
