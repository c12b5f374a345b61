/* SPDX-License-Identifier: Apache-2.0 */
/* The commands update, use and rollback of a model. */

#include <stdlib.h>
#include <string.h>

#include "manage/revision.h"

#define NAMES_MOST 64

static int refuse_busy(struct manage *manage, int64_t model_id, struct reason *reason) {
    return job_refuse(manage, model_id, kind_update.does, kind_update.excludes, reason);
}

/* What the source says of `revision` is made known first. */
static int ask(struct command *command, const char *revision, struct reason *reason) {
    const struct catalog_model *model = &command->model;
    const struct source *source = source_find(model->source);
    if (!source)
        return err_because(reason, -ERR_UNKNOWN_MODEL, "this weightfs has no source \"%s\"", model->source);
    return command_ask_held(command, source, model->name, revision);
}

/* The names and commits that are known, the nearest of them first in the sentence. */
static int unknown_revision(struct manage *manage, int64_t model_id, const char *word,
    struct reason *reason) {
    struct catalog_revision_name *names = mem_array(NAMES_MOST, sizeof *names);
    struct catalog_revision *revisions = mem_array(NAMES_MOST, sizeof *revisions);
    struct catalog *catalog = manage->settings.catalog;
    int name_count = catalog_list_revision_names(catalog, model_id, 0, names, NAMES_MOST);
    int count = catalog_list_revisions(catalog, model_id, 0, revisions, NAMES_MOST);
    const char *nearest = NULL;
    unsigned best = 0;
    for (int i = 0; i < name_count + (count > 0 ? count : 0); i++) {
        char *known =
            i < name_count ? names[i].name : revisions[i - (name_count > 0 ? name_count : 0)].commit;
        if (i >= name_count)
            known[REVISION_ID_DIGITS] = 0;
        unsigned distance = text_distance(word, known);
        if (!nearest || distance < best) {
            nearest = known;
            best = distance;
        }
    }
    int result = err_because(reason, -ERR_UNKNOWN_REVISION,
        "the source has no revision %.64s%s%s; `ls revisions` "
        "shows what is kept",
        word, nearest ? ", the nearest that is known is " : "", nearest ? nearest : "");
    free(revisions);
    free(names);
    return result;
}

/* ---- update ---- */

/* The same revision, told differently: files that were masked are told now, or it was only `use`d. */
static int stay(struct command *command, struct reason *reason) {
    struct manage *manage = command->manage;
    struct catalog_model *model = &command->model;
    const struct words none = {0};
    if (command->ask.changed && model->state != STATE_ABSENT) {
        struct reason pulled = {""};
        int result = pull_model(command, model->id, &none, &pulled);
        if (result < 0 && command->in_transaction) {
            catalog_rollback(manage->settings.catalog);
            command->in_transaction = false;
        }
        SAY(reason, "%s is still at %.12s, and tells more; %s", model->asked_revision, model->commit,
            err_text(&pulled, result)); /* the update is done, whatever becomes of the pull */
        return 0;
    }
    int result = command_begin(command);
    if (result == 0)
        result = catalog_select_revision(manage->settings.catalog, model->id, model->revision_id, NULL, false,
            false);
    SAY(reason, "%s is still at %.12s", model->asked_revision, model->commit);
    return result;
}

static int updated(struct command *command, struct reason *reason) {
    struct manage *manage = command->manage;
    struct catalog_model *model = &command->model;
    struct catalog_revision revision;
    struct revision_step step = {0};
    int result = catalog_model(manage->settings.catalog, command->request.id, model);
    if (result < 0)
        return result;
    if (!command->ask.waiting && model->revision_id)
        return stay(command, reason);
    if (!command->ask.waiting)
        return err_because(reason, model->error ? model->error : -ERR_GATED, "%s",
            err_text(&model->reason, -ERR_GATED));
    result = catalog_revision(manage->settings.catalog, command->ask.revision_id, &revision);
    if (result < 0)
        return result;
    (void)text_copy(step.commit, sizeof step.commit, revision.commit); /* the same size */
    return revision_go(manage, model, &revision, &step, &command->request, reason);
}

int run_update(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)arguments;
    struct command *command = command_of(request);
    if (command->asked && command->ask_result < 0)
        return err_because(reason, command->ask_result, "%s",
            err_text(&command->ask.reason, command->ask_result));
    if (command->asked)
        return updated(command, reason);
    int result = catalog_model(manage->settings.catalog, request->id, &command->model);
    if (result == 0)
        result = refuse_busy(manage, request->id, reason);
    return result < 0 ? result : ask(command, command->model.asked_revision, reason);
}

/* ---- use ---- */

int parse_revision(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)manage, (void)request;
    if (!name_is_revision(arguments))
        return err_because(reason, -ERR_BAD_VALUE,
            "it takes a revision: one that `ls revisions` shows, a commit, or a branch or tag of the source");
    return 0;
}

static int use(struct command *command, const struct catalog_revision *revision, const char *word,
    struct reason *reason) {
    struct catalog *catalog = command->manage->settings.catalog;
    struct catalog_revision_name name;
    struct revision_step step = {0};
    int result = catalog_find_revision_name(catalog, command->request.id, word, &name);
    if (result < 0 && result != -ENOENT)
        return result;
    if (result == 0)
        (void)text_copy(step.follow, sizeof step.follow, word); /* a known name */
    step.stays = result == -ENOENT;
    (void)text_copy(step.commit, sizeof step.commit, revision->commit); /* the same size */
    return revision_go(command->manage, &command->model, revision, &step, &command->request, reason);
}

int run_use(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    struct command *command = command_of(request);
    struct catalog *catalog = manage->settings.catalog;
    struct catalog_revision revision;
    if (command->asked && command->ask_result == -ERR_UNKNOWN_REVISION)
        return unknown_revision(manage, request->id, arguments, reason);
    if (command->asked && command->ask_result < 0)
        return err_because(reason, command->ask_result, "%s is not kept here, and the source: %s", arguments,
            err_text(&command->ask.reason, command->ask_result));
    int result = catalog_model(catalog, request->id, &command->model);
    if (result == 0)
        result = refuse_busy(manage, request->id, reason);
    if (result < 0)
        return result;
    if (command->asked && !command->ask.revision_id)
        return err_because(reason, -ERR_GATED, "%s", err_text(&command->model.reason, -ERR_GATED));
    result = command->asked ? catalog_revision(catalog, command->ask.revision_id, &revision)
                            : catalog_find_revision(catalog, request->id, arguments, &revision);
    if (result == -ENOENT && !command->asked)
        return ask(command, arguments, reason);
    return result < 0 ? result : use(command, &revision, arguments, reason);
}

/* ---- rollback ---- */

int run_rollback(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)arguments;
    struct command *command = command_of(request);
    struct catalog *catalog = manage->settings.catalog;
    struct catalog_following following;
    struct catalog_revision revision;
    struct revision_step step = {.stays = true, .back = true};
    int result = catalog_model(catalog, request->id, &command->model);
    if (result == 0)
        result = refuse_busy(manage, request->id, reason);
    if (result == 0)
        result = catalog_following(catalog, request->id, &following);
    if (result < 0)
        return result;
    if (!following.former_id)
        return err_because(reason, -ERR_UNKNOWN_REVISION,
            "no revision that was shown before is kept (keep_revisions); `use` takes any that the source "
            "has");
    result = catalog_revision(catalog, following.former_id, &revision);
    if (result < 0)
        return result;
    (void)text_copy(step.commit, sizeof step.commit, revision.commit); /* the same size */
    return revision_go(manage, &command->model, &revision, &step, request, reason);
}
