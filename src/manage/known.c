/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of models that is in force, and what is meant by a name. */

#include "manage/known.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manage/internal.h"
#include "manage/remote_inside.h"
#include "manage/setting.h"

/* ---- the files ---- */

/* What we ship with lies in share/weightfs: beside bin/ where it is installed, beside build/ (or a folder
 * above it) where it is not. */
static bool find_beside(const char *up, char to[static PATH_MAX]) {
    char program[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    if (len <= 0)
        return false;
    program[len] = 0;
    char *slash = strrchr(program, '/');
    if (!slash)
        return false;
    *slash = 0;
    int size = snprintf(to, PATH_MAX, "%s/%s/share/weightfs/catalogue.json", program, up);
    return size > 0 && size < PATH_MAX && access(to, R_OK) == 0;
}

static bool find_shipped(char to[static PATH_MAX]) {
    static const char *const places[] = {"/usr/local/share/weightfs/catalogue.json",
        "/usr/share/weightfs/catalogue.json"};
    if (find_beside("..", to) || find_beside("../..", to))
        return true;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], R_OK) == 0)
            return text_copy(to, PATH_MAX, places[i]) == 0;
    return false;
}

void known_load(struct manage *manage) {
    char shipped[PATH_MAX], folder[PATH_MAX];
    const struct options *options = manage->settings.options;
    if (!options_text(options, "catalogue", shipped, sizeof shipped) && !find_shipped(shipped)) {
        log_notice("the catalogue of models that weightfs ships with is not installed");
        shipped[0] = 0;
    }
    (void)options_text(options, "catalogue_dir", folder, sizeof folder); /* unset: "" */
    struct registry *registry = registry_load(shipped, folder);
    const char *fault;
    for (size_t i = 0; (fault = registry_fault(registry, i)); i++)
        log_warning("left out of the catalogue of models: %s", fault);
    struct declared *declared = declared_load(options);
    for (size_t i = 0; (fault = declared_fault(declared, i)); i++)
        log_warning("left out of the declared engines: %s", fault);
    lock_take(&manage->lock);
    struct registry *before = manage->registry;
    struct declared *declared_before = manage->declared;
    manage->registry = registry;
    manage->declared = declared;
    lock_drop(&manage->lock);
    registry_unref(before);
    declared_unref(declared_before);
}

void known_done(struct manage *manage) {
    registry_unref(manage->registry);
    manage->registry = NULL;
    declared_unref(manage->declared);
    manage->declared = NULL;
}

struct registry *manage_registry(struct manage *manage) {
    LOCK_SCOPE(&manage->lock);
    return registry_ref(manage->registry);
}

struct declared *manage_declared(struct manage *manage) {
    LOCK_SCOPE(&manage->lock);
    return declared_ref(manage->declared);
}

/* ---- names ---- */

int known_key(struct manage *manage, const char *text, struct name_key *ret_key, struct reason *reason) {
    struct registry *registry REGISTRY_CLEANUP = manage_registry(manage);
    const struct registry_entry *entry = registry_find(registry, text);
    struct name_key key;
    int result = name_parse(text, &key, reason);
    /* What is no key, or one of another source, is an alias. */
    bool is_alias = entry && (result < 0 || strcmp(key.source, entry->parts.source) != 0 ||
                                 strcmp(key.model, entry->parts.model) != 0);
    if (is_alias)
        key = entry->parts;
    else if (result < 0)
        return result;
    if (entry && !*key.variant && (is_alias || !*entry->parts.variant))
        (void)text_copy(key.variant, sizeof key.variant, entry->variant); /* of the same size */
    *ret_key = key;
    return 0;
}

int known_source(const struct name_key *key, const struct source **ret_source, struct reason *reason) {
    const struct source *source = source_find(key->source);
    if (!source)
        return err_because(reason, -ERR_BAD_NAME, "there is no source \"%s\" in this version", key->source);
    if (!source->is_name(key->model))
        return err_because(reason, -ERR_BAD_NAME, "\"%s\" can't be a model of %s", key->model, key->source);
    *ret_source = source;
    return 0;
}

int known_source_of_files(const struct name_key *key, const struct source **ret_source,
    struct reason *reason) {
    const struct source *source;
    int result = known_source(key, &source, reason);
    if (result < 0)
        return result;
    if (source->is_remote)
        return err_because(reason, -EOPNOTSUPP, "%s:%s is served elsewhere: there are no files to fetch",
            key->source, key->model);
    *ret_source = source;
    return 0;
}

void model_category_told(struct manage *manage, const struct catalog_model *model, const char *told,
    char to[static CATEGORY_SIZE]) {
    if (model_setting_text(manage, model, "type", to, CATEGORY_SIZE) && strcmp(to, "auto") != 0)
        return;
    struct registry *registry REGISTRY_CLEANUP = manage_registry(manage);
    const struct registry_entry *entry = registry_of_model(registry, model->source, model->name);
    if (entry && strcmp(entry->category, "other") != 0)
        told = entry->category;
    if (!*told || text_copy(to, CATEGORY_SIZE, told) < 0)
        (void)text_copy(to, CATEGORY_SIZE, "other"); /* fits */
}

void model_category(struct manage *manage, const struct catalog_model *model, char to[static CATEGORY_SIZE]) {
    struct card CARD_CLEANUP card = {.type_count = 0};
    struct buf BUF_CLEANUP json = BUF_INIT;
    struct catalog_remote remote;
    if (remote_is(model) && catalog_remote(manage->settings.catalog, model->id, &remote, &json) == 0)
        (void)card_parse_json(buf_text(&json), json.len, &card); /* else it tells nothing */
    model_category_told(manage, model, card.category, to);
}

/* ---- what is here ---- */

static bool is_wanted(struct manage *manage, int64_t model_id, const char *variant) {
    enum { ROOM = 64 };
    char(*words)[NAME_PATH_SIZE] = mem_array(ROOM, sizeof *words);
    int count = catalog_list_words(manage->settings.catalog, model_id, words, ROOM);
    bool found = false;
    for (int i = 0; i < count && !found; i++)
        found = strcmp(words[i], variant) == 0;
    free(words);
    return found;
}

enum model_state known_state(struct manage *manage, const struct name_key *key,
    struct catalog_model *ret_model) {
    struct model_report report;
    *ret_model = (struct catalog_model){0};
    if (catalog_find_model(manage->settings.catalog, key->source, key->model, ret_model) < 0) {
        ret_model->id = 0;
        return STATE_ABSENT;
    }
    if (*key->variant && !is_wanted(manage, ret_model->id, key->variant))
        return STATE_ABSENT;
    return model_report(manage, ret_model, &report) < 0 ? STATE_ABSENT : report.state;
}
