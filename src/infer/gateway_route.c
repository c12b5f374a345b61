/* SPDX-License-Identifier: Apache-2.0 */
/* Which model a request means that came through the socket for all. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "infer/auto.h"
#include "infer/inside.h"
#include "infer/gateway_inside.h"
#include "manage/known.h"
#include "model/catalog_by.h"
#include "model/variant.h"
#include "weightfs/source.h"

#define DEFAULT_NAME "default"
#define AUTO_NAME    "auto"
#define PAGE         64

/* "hf/acme/tiny" and "openai/work/google--gemma-3", as ls shows them, are "hf:acme/tiny" and
 * "openai:work/google/gemma-3". What is longer than a key becomes "", which is none. */
static void make_key(const char *name, char to[static NAME_KEY_SIZE]) {
    char model[NAME_MODEL_SIZE];
    if (text_copy(to, NAME_KEY_SIZE, name) < 0)
        return;
    char *slash = to + strcspn(to, "/:");
    if (*slash != '/')
        return;
    *slash = '\0';
    const char *folder = name + (slash - to) + 1;
    const struct source *source = source_find(to);
    if (source && name_from_folder(folder, strlen(folder), model) == 0)
        name_format(source->name, model, to);
    else
        *slash = source ? ':' : '/';
}

/* The model whose key has the fewest edits from `name`, if they are few. */
static bool find_near(struct catalog *catalog, const char *name, char to[static NAME_KEY_SIZE]) {
    struct catalog_model *page = mem_array(PAGE, sizeof *page);
    unsigned best = (unsigned)strlen(name) / 3 + 1;
    int64_t after_id = 0;
    bool found = false;
    int count;
    while ((count = catalog_list_models(catalog, 0, after_id, page, PAGE)) > 0)
        for (int i = 0; i < count; i++) {
            char key[NAME_KEY_SIZE];
            name_format(page[i].source, page[i].name, key);
            unsigned distance = text_distance(name, key);
            after_id = page[i].id;
            if (distance >= best)
                continue;
            best = distance;
            found = text_copy(to, NAME_KEY_SIZE, key) == 0;
        }
    free(page);
    return found;
}

static int refuse(struct gateway *gateway, const char *name, const char *why, struct reason *reason) {
    char near[NAME_KEY_SIZE];
    if (strlen(name) < NAME_KEY_SIZE &&
        find_near(manage_catalog(gateway->infer->settings.manage), name, near))
        return err_because(reason, -ERR_UNKNOWN_MODEL, "there is no model \"%s\"; the nearest is \"%s\"",
            name, near);
    return err_because(reason, -ERR_UNKNOWN_MODEL,
        "there is no model \"%.150s\" (%s); GET /v1/models lists those that there are", name, why);
}

/* The variant that its engine is given: of the first selected file that has one, as files.c chooses. */
static bool is_selected(struct catalog *catalog, const struct catalog_model *model, const char *variant) {
    struct catalog_file *page = mem_array(PAGE, sizeof *page);
    int64_t after_id = 0;
    int count;
    bool found = false, equal = false;
    while (
        !found && (count = catalog_list_files(catalog, model->revision_id, true, after_id, page, PAGE)) > 0)
        for (int i = 0; i < count && !found; i++) {
            after_id = page[i].id;
            found = *page[i].variant;
            equal = found && variant_equal(page[i].variant, variant);
        }
    free(page);
    return equal;
}

/* What is said behind the name: an answer by another variant or revision than was asked for would be none. */
static int judge(struct catalog *catalog, const struct catalog_model *model, const char *text,
    struct reason *reason) {
    struct name_key asked;
    if (name_parse(text, &asked, NULL) < 0)
        return 0; /* an alias */
    if (*asked.revision && strcmp(asked.revision, model->asked_revision) != 0 &&
        strcmp(asked.revision, model->commit) != 0)
        return err_because(reason, -ERR_UNKNOWN_MODEL,
            "%s answers by the revision that is selected, which is not %s", model->name, asked.revision);
    if (*asked.variant && !is_selected(catalog, model, asked.variant))
        return err_because(reason, -ERR_UNKNOWN_MODEL,
            "%s answers by the variant that is selected, which is not %s; `plan` lists them, `pull` selects",
            model->name, asked.variant);
    return 0;
}

/* Not by a key: false. Where none is named, it is the default one, or auto/'s to choose. */
static bool is_chosen(struct catalog *catalog, const char *name, int64_t *ret_model_id) {
    if ((!name || strcmp(name, DEFAULT_NAME) == 0) && catalog_link(catalog, DEFAULT_NAME, ret_model_id) == 0)
        return true;
    if (name && strcmp(name, AUTO_NAME) != 0)
        return false;
    *ret_model_id = AUTO_MODEL;
    return true;
}

int route(struct gateway *gateway, const char *name, int64_t *ret_model_id, struct wait *wait,
    struct reason *reason) {
    struct manage *manage = gateway->infer->settings.manage;
    struct catalog *catalog = manage_catalog(manage);
    const struct source *source;
    struct catalog_model model;
    struct name_key key;
    struct reason why = {""};
    char text[NAME_KEY_SIZE];
    if (is_chosen(catalog, name, ret_model_id))
        return 0;
    make_key(name, text);
    int result = known_key(manage, text, &key, &why);
    if (result == 0)
        result = known_source(&key, &source, &why);
    if (result < 0)
        return refuse(gateway, name, err_text(&why, result), reason);
    result = catalog_find_model(catalog, key.source, key.model, &model);
    if (result == 0)
        result = judge(catalog, &model, text, reason);
    if (result == 0)
        *ret_model_id = model.id;
    if (result != -ENOENT || !wait)
        return result == -ENOENT ? refuse(gateway, name, "it is not known here", reason) : result;
    result = discover_await(manage, source, key.model, ret_model_id, wait);
    if (result == 0) /* somebody else was quicker */
        return route(gateway, name, ret_model_id, NULL, reason);
    if (result == -ERR_UNKNOWN_MODEL || result == -ENOENT || result == -ERR_BAD_NAME)
        return refuse(gateway, name, err_sentence(result), reason);
    return result;
}
