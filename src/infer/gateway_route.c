/* SPDX-License-Identifier: Apache-2.0 */
/* Which model a request means that came through the socket for all. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "infer/inside.h"
#include "infer/gateway_inside.h"
#include "manage/known.h"
#include "model/catalog_by.h"
#include "weightfs/source.h"

#define DEFAULT_NAME "default"
#define PAGE         64

/* "hf/acme/tiny", as ls shows it, is "hf:acme/tiny". */
static void make_key(const char *name, char to[static NAME_KEY_SIZE]) {
    if (text_copy(to, NAME_KEY_SIZE, name) < 0) /* then it is "", which is no name */
        return;
    char *slash = strchr(to, '/');
    if (!slash || strchr(to, ':'))
        return;
    *slash = '\0';
    *slash = source_find(to) ? ':' : '/';
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

static int find_default(struct catalog *catalog, bool was_named, int64_t *ret_model_id,
    struct reason *reason) {
    if (catalog_link(catalog, DEFAULT_NAME, ret_model_id) == 0)
        return 0;
    return was_named ? err_because(reason, -ERR_UNKNOWN_MODEL, "no model is the default one")
                     : err_because(reason, -EINVAL,
                           "the request has no \"model\", and no model is the default one; GET /v1/models "
                           "lists those that there are");
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
    if (!name || strcmp(name, DEFAULT_NAME) == 0)
        return find_default(catalog, name != NULL, ret_model_id, reason);
    make_key(name, text);
    int result = known_key(manage, text, &key, &why);
    if (result == 0)
        result = known_source(&key, &source, &why);
    if (result < 0)
        return refuse(gateway, name, err_text(&why, result), reason);
    result = catalog_find_model(catalog, key.source, key.model, &model);
    if (result == 0)
        *ret_model_id = model.id;
    if (result != -ENOENT || !wait)
        return result == -ENOENT ? refuse(gateway, name, "it is not known here", reason) : result;
    result = discover_await(manage, source, key.model, ret_model_id, wait);
    if (result == -ERR_UNKNOWN_MODEL || result == -ENOENT || result == -ERR_BAD_NAME)
        return refuse(gateway, name, err_sentence(result), reason);
    return result;
}
