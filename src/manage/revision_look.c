/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the source whether a model has a newer revision, by the daemon itself. Desk. */

#include <stdlib.h>

#include "manage/revision.h"

struct look {
    struct discover_ask ask;
    struct manage *manage;
    int64_t model_id, owner;
    bool go;
    revision_looked *told;
};

static int follow(struct manage *manage, int64_t model_id, int64_t revision_id, struct reason *reason) {
    struct catalog_model *model = mem_new(sizeof *model);
    struct catalog_revision revision;
    struct revision_step step = {0};
    int result = catalog_model(manage->settings.catalog, model_id, model);
    if (result == 0)
        result = catalog_revision(manage->settings.catalog, revision_id, &revision);
    if (result == 0) {
        (void)text_copy(step.commit, sizeof step.commit, revision.commit); /* the same size */
        result = revision_go(manage, model, &revision, &step, NULL, reason);
    }
    free(model);
    return result;
}

static void answered(struct discover_ask *ask, int result) {
    struct look *look = list_entry(ask, struct look, ask);
    struct reason reason = ask->reason;
    if (result == 0 && ask->waiting) {
        result = look->go ? follow(look->manage, look->model_id, ask->revision_id, &reason) : 0;
        result = result < 0 ? result : 1;
    }
    look->told(look->manage, look->owner, look->model_id, result, &reason);
    free(look);
}

int revision_look(struct manage *manage, const struct catalog_model *model, bool go, revision_looked *told,
    int64_t owner) {
    const struct source *source = source_find(model->source);
    if (!source)
        return -ERR_UNKNOWN_MODEL;
    struct look *look = mem_new(sizeof *look);
    *look = (struct look){.ask = {.finish = answered, .hold = true},
        .manage = manage,
        .model_id = model->id,
        .owner = owner,
        .go = go,
        .told = told};
    int result = discover_refresh(manage, source, model->name, model->asked_revision, &look->ask);
    if (result < 0)
        free(look);
    return result;
}
