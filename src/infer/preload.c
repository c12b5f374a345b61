/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/preload.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/option_parse.h"
#include "manage/known.h"
#include "manage/setting.h"
#include "model/catalog_setting_next.h"

#define KEYS_MOST 256

/* One of them. Desk, but what is under the lock. */
struct preload {
    struct list link; /* infer->preloads: the first one is at work */
    struct infer *infer;
    struct name_key key; /* of the option's */
    int64_t model_id;    /* 0: it is not known yet */
    bool is_begun, is_loading;
    struct wait wait; /* for its discovery */
    bool is_over;     /* that; under lock, as the next */
    int result;
};

/* ---- which */

static struct preload *add(struct infer *infer) {
    struct preload *preload = mem_new(sizeof *preload);
    preload->infer = infer;
    list_append(&infer->preloads, &preload->link);
    return preload;
}

/* Keys parted by commas or blanks, as `required` has them. */
static void add_option(struct infer *infer) {
    char text[OPTION_TEXT_SIZE], *rest = NULL;
    if (!options_text(infer->settings.options, "preload_models", text, sizeof text))
        return;
    char *word = strtok_r(text, ", \t", &rest);
    for (size_t i = 0; word && i < KEYS_MOST; word = strtok_r(NULL, ", \t", &rest), i++) {
        struct name_key key;
        struct reason reason = {""};
        int result = known_key(infer->settings.manage, word, &key, &reason);
        if (result == 0)
            add(infer)->key = key;
        else
            log_warning("preload: %s: %s", word, err_text(&reason, result));
    }
}

void preload_begin(struct infer *infer) {
    struct manage *manage = infer->settings.manage;
    struct catalog *catalog = manage_catalog(manage);
    struct catalog_model model;
    int64_t model_id = 0;
    add_option(infer);
    while (catalog_next_with_setting(catalog, "preload", model_id, &model_id) == 0)
        if (catalog_model(catalog, model_id, &model) == 0 && model_setting_bool(manage, &model, "preload"))
            add(infer)->model_id = model_id;
    if (!list_empty(&infer->preloads))
        infer_look(infer);
}

void preload_end(struct infer *infer) {
    struct list *link;
    while ((link = list_shift(&infer->preloads)))
        free(list_entry(link, struct preload, link));
}

/* ---- one after the other: the order says who gets a place where there are few */

static void on_discovered(struct wait *wait, int result) {
    struct preload *preload = list_entry(wait, struct preload, wait);
    struct infer *infer = preload->infer;
    lock_take(&infer->lock);
    preload->is_over = true;
    preload->result = result;
    lock_drop(&infer->lock);
    infer_look(infer);
}

static void discover(struct preload *preload) {
    struct manage *manage = preload->infer->settings.manage;
    const struct source *source;
    preload->is_begun = true;
    preload->wait.finish = on_discovered;
    int result = known_source(&preload->key, &source, NULL);
    if (result == 0)
        result = discover_await(manage, source, preload->key.model, &preload->model_id, &preload->wait);
    if (result == PARKED)
        return;
    LOCK_SCOPE(&preload->infer->lock);
    preload->is_over = true;
    preload->result = result;
}

static bool is_discovered(struct preload *preload) {
    if (!preload->is_begun && !preload->model_id)
        discover(preload);
    LOCK_SCOPE(&preload->infer->lock);
    return preload->model_id || preload->is_over;
}

/* false: it can't be. */
static bool load(struct preload *preload) {
    struct infer *infer = preload->infer;
    struct catalog_model model = {.id = preload->model_id};
    int result = preload->result;
    if (!result && !model.id)
        result = catalog_find_model(manage_catalog(infer->settings.manage), preload->key.source,
            preload->key.model, &model);
    if (result < 0) {
        log_warning("preload: %s:%s: %s", preload->key.source, preload->key.model, err_sentence(result));
        return false;
    }
    preload->model_id = model.id;
    preload->is_loading = true;
    (void)infer_load(infer, model.id, LOAD_GENTLY); /* 0 always */
    return true;
}

static bool is_settled(const struct preload *preload) {
    LOCK_SCOPE(&preload->infer->lock);
    const struct seat *seat = seat_of(preload->infer, preload->model_id);
    return !seat->load_wanted && seat->state != SEAT_FETCHING && seat->state != SEAT_STARTING;
}

void preload_step(struct infer *infer) {
    while (!list_empty(&infer->preloads)) {
        struct preload *preload = list_entry(infer->preloads.next, struct preload, link);
        if (!is_discovered(preload))
            return;
        bool goes_on = preload->is_loading ? !is_settled(preload) : load(preload);
        if (goes_on)
            return;
        list_remove(&preload->link);
        free(preload);
    }
}
