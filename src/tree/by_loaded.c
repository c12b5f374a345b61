/* SPDX-License-Identifier: Apache-2.0 */
/* by/loaded/: links to the models that an engine holds in memory. */

#include "infer/infer.h"
#include "tree/by.h"
#include "tree/inside.h"
#include "tree/place.h"

static int64_t next_loaded(const struct tree *tree, int64_t after) {
    return tree->settings.infer ? infer_next_loaded(tree->settings.infer, after) : 0;
}

int find_loaded(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait) {
    (void)wait;
    struct catalog_model model;
    int result = by_find_model(folder->tree, name, &model);
    if (result < 0)
        return result;
    if (next_loaded(folder->tree, model.id - 1) != model.id)
        return -ENOENT;
    ret_found->row = ROW_LOADED_LINK;
    ret_found->object = (uint64_t)model.id;
    return 0;
}

int list_loaded(const struct place *folder, uint64_t after, struct found *ret_found) {
    struct catalog_model model;
    int64_t model_id = (int64_t)after;
    while ((model_id = next_loaded(folder->tree, model_id))) {
        if (catalog_model(folder->tree->catalog, model_id, &model) < 0 ||
            by_link_name(&model, ret_found->name) < 0)
            continue; /* forgotten just now */
        ret_found->row = ROW_LOADED_LINK;
        ret_found->object = (uint64_t)model_id;
        ret_found->cursor = (uint64_t)model_id;
        return 0;
    }
    return -ENOENT;
}

int print_loaded(const struct place *place, struct buf *to) {
    char folder[NAME_FOLDER_SIZE];
    int result = name_to_folder(place->model.name, folder);
    return result < 0 ? result : buf_format(to, "../../%s/%s", place->model.source, folder);
}
