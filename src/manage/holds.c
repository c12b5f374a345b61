/* SPDX-License-Identifier: Apache-2.0 */
/* What the store must keep for us: the selected files of pinned and of required models. */

#include <stdlib.h>
#include <string.h>

#include "manage/internal.h"
#include "manage/known.h"

struct holds {
    char **keys;
    size_t count;
};

static void add(struct holds *holds, const char *digest) {
    if (!(holds->count & (holds->count - 1))) /* room doubles at powers of two */
        holds->keys = mem_resize(holds->keys, holds->count ? 2 * holds->count : 1, sizeof *holds->keys);
    holds->keys[holds->count++] = mem_text(digest);
}

static int add_pinned(struct manage *manage, struct holds *holds) {
    enum { PAGE = 4096 }; /* each page goes over all that is pinned */
    char(*page)[DIGEST_TEXT_SIZE] = mem_array(PAGE, sizeof *page);
    char after[DIGEST_TEXT_SIZE] = "";
    int count;
    while ((count = catalog_list_pinned_digests(manage->settings.catalog, after, page, PAGE)) > 0) {
        for (int i = 0; i < count; i++)
            add(holds, page[i]);
        memcpy(after, page[count - 1], sizeof after);
    }
    free(page);
    return count;
}

static int add_model(struct manage *manage, const struct catalog_model *model, struct holds *holds) {
    struct catalog_file *page = mem_array(FILES_A_PAGE, sizeof *page);
    int64_t after_id = 0;
    int count;
    while ((count = catalog_list_files(manage->settings.catalog, model->revision_id, true, after_id, page,
                FILES_A_PAGE)) > 0) {
        for (int i = 0; i < count; i++)
            if (*page[i].digest)
                add(holds, page[i].digest);
        after_id = page[count - 1].id;
    }
    free(page);
    return count;
}

static int add_required(struct manage *manage, struct holds *holds) {
    struct required_list list REQUIRED_CLEANUP = {0};
    int result = 0;
    required_read(manage, &list);
    for (size_t i = 0; i < list.count && result == 0; i++) {
        struct catalog_model model;
        if (!list.array[i].is_key)
            continue;
        result = catalog_find_model(manage->settings.catalog, list.array[i].key.source,
            list.array[i].key.model, &model);
        if (result == 0 && !model.pinned && model.revision_id)
            result = add_model(manage, &model, holds);
        if (result == -ENOENT)
            result = 0;
    }
    return result;
}

void holds_renew(struct manage *manage) {
    struct holds holds = {0};
    int result = add_pinned(manage, &holds);
    if (result == 0)
        result = add_required(manage, &holds);
    /* A list that was cut short would give away what is held: the former one stays. */
    if (result == 0)
        result = store_set_holds(manage->settings.store, (const char *const *)holds.keys, holds.count);
    if (result < 0)
        log_error("what pinned and required models need can't be told to the store: %s",
            err_sentence(result));
    for (size_t i = 0; i < holds.count; i++)
        free(holds.keys[i]);
    free(holds.keys);
}
