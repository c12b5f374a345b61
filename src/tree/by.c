/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/by.h"

#include <stdio.h>
#include <string.h>

#include "model/format.h"
#include "tree/inside.h"
#include "tree/place.h"

#define KIND_SHIFT  30
#define NUMBER_MASK ((UINT64_C(1) << KIND_SHIFT) - 1)

/* ---- the values of each kind: their names one after the other ---- */

static int next_state(struct tree *tree, const char *after, char to[static CATALOG_LABEL_SIZE]) {
    int state = 0;
    (void)tree;
    while (*after && state < STATE_COUNT && strcmp(model_state_name((enum model_state)state), after) != 0)
        state++;
    state += *after != 0;
    return state < STATE_COUNT ? text_copy(to, CATALOG_LABEL_SIZE, model_state_name((enum model_state)state))
                               : -ENOENT;
}

static int next_category(struct tree *tree, const char *after, char to[static CATALOG_LABEL_SIZE]) {
    return catalog_next_category(tree->catalog, after, to);
}

static int next_format(struct tree *tree, const char *after, char to[static CATALOG_LABEL_SIZE]) {
    (void)tree;
    bool passed = !*after;
    for (int i = FORMAT_UNKNOWN + 1; i < FORMAT_END; i++) {
        const struct format_row *row = format_row((enum file_format)i);
        if (passed && row->is_weights)
            return text_copy(to, CATALOG_LABEL_SIZE, row->name);
        passed = passed || !strcmp(row->name, after);
    }
    return strcmp(after, "other") != 0 ? text_copy(to, CATALOG_LABEL_SIZE, "other") : -ENOENT;
}

static int next_origin(struct tree *tree, const char *after, char to[static CATALOG_LABEL_SIZE]) {
    (void)tree;
    bool passed = !*after;
    for (size_t i = 0; source_table[i]; i++) {
        if (passed)
            return text_copy(to, CATALOG_LABEL_SIZE, source_table[i]->name);
        passed = !strcmp(source_table[i]->name, after);
    }
    return -ENOENT;
}

static const struct kind {
    const char *name;
    int (*next)(struct tree *tree, const char *after, char to[static CATALOG_LABEL_SIZE]);
} kinds[] = {
    [BY_STATE] = {"state", next_state},
    [BY_CATEGORY] = {"category", next_category},
    [BY_FORMAT] = {"format", next_format},
    [BY_ORIGIN] = {"origin", next_origin},
};

/* As the catalogue has it. */
static void value_in_catalogue(enum catalog_by kind, const char *value, char to[static CATALOG_LABEL_SIZE]) {
    int state = 0;
    (void)text_copy(to, CATALOG_LABEL_SIZE, value); /* of the same size */
    if (kind != BY_STATE)
        return;
    while (state < STATE_COUNT && strcmp(model_state_name((enum model_state)state), value) != 0)
        state++;
    (void)snprintf(to, CATALOG_LABEL_SIZE, "%d", state);
}

static uint64_t value_object(enum catalog_by kind, const char *value) {
    return (uint64_t)kind << KIND_SHIFT | (option_number(value) & NUMBER_MASK);
}

/* ---- by/ and by/KIND/ ---- */

int find_kind(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait) {
    (void)folder, (void)wait;
    for (size_t i = 0; i < BY_COUNT; i++) {
        if (strcmp(kinds[i].name, name) != 0)
            continue;
        ret_found->row = ROW_BY_KIND;
        ret_found->object = i;
        return 0;
    }
    return -ENOENT;
}

int list_kinds(const struct place *folder, uint64_t after, struct found *ret_found) {
    (void)folder;
    if (after >= BY_COUNT)
        return -ENOENT;
    ret_found->row = ROW_BY_KIND;
    ret_found->object = after;
    ret_found->cursor = after + 1;
    return text_copy(ret_found->name, sizeof ret_found->name, kinds[after].name);
}

int find_value(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait) {
    (void)wait;
    struct tree *tree = folder->tree;
    enum catalog_by kind = folder->by.kind;
    char value[CATALOG_LABEL_SIZE] = "";
    while (kinds[kind].next(tree, value, value) == 0) {
        if (strcmp(value, name) != 0)
            continue;
        ret_found->row = ROW_BY_VALUE;
        ret_found->object = value_object(kind, value);
        return 0;
    }
    return -ENOENT;
}

/* Those that a model has; cursors count all of them. */
int list_values(const struct place *folder, uint64_t after, struct found *ret_found) {
    struct tree *tree = folder->tree;
    enum catalog_by kind = folder->by.kind;
    char value[CATALOG_LABEL_SIZE] = "", kept[CATALOG_LABEL_SIZE];
    int64_t model_id;
    for (uint64_t at = 1; kinds[kind].next(tree, value, value) == 0; at++) {
        if (at <= after)
            continue;
        value_in_catalogue(kind, value, kept);
        if (catalog_next_by(tree->catalog, kind, kept, 0, &model_id) < 0)
            continue;
        ret_found->row = ROW_BY_VALUE;
        ret_found->object = value_object(kind, value);
        ret_found->cursor = at;
        return text_copy(ret_found->name, sizeof ret_found->name, value);
    }
    return -ENOENT;
}

/* ---- the links ---- */

int by_link_name(const struct catalog_model *model, char to[static 256]) {
    char file[NAME_FILE_SIZE];
    bool is_hub = !strcmp(model->source, "hf");
    if (name_to_file(model->name, file) < 0)
        return -ENOENT;
    int len = snprintf(to, 256, "%s%s%s", is_hub ? "" : model->source, is_hub ? "" : ":", file);
    return len > 0 && len < 256 ? 0 : -ENOENT;
}

int by_find_model(struct tree *tree, const char *name, struct catalog_model *ret_model) {
    struct catalog_model model;
    char source[NAME_SOURCE_SIZE] = "hf", full[NAME_MODEL_SIZE], again[256];
    const char *colon = strchr(name, ':');
    if (colon) {
        if ((size_t)(colon - name) >= sizeof source)
            return -ENOENT;
        (void)snprintf(source, sizeof source, "%.*s", (int)(colon - name), name);
        name = colon + 1;
    }
    if (name_from_file(name, full) < 0)
        return -ENOENT;
    int result = catalog_find_model(tree->catalog, source, full, &model);
    if (result == 0)
        result = by_link_name(&model, again);
    if (result < 0)
        return result;
    *ret_model = model;
    return colon && !strcmp(source, "hf") ? -ENOENT : 0; /* one name each */
}

int find_link(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait) {
    (void)wait;
    struct catalog_model model;
    char kept[CATALOG_LABEL_SIZE];
    int result = by_find_model(folder->tree, name, &model);
    value_in_catalogue(folder->by.kind, folder->by.value, kept);
    if (result == 0)
        result = catalog_is_by(folder->tree->catalog, folder->by.kind, kept, model.id);
    if (result < 0)
        return result;
    ret_found->row = ROW_BY_LINK;
    ret_found->object = (uint64_t)folder->by.kind << KIND_SHIFT | (uint64_t)model.id;
    return 0;
}

int list_links(const struct place *folder, uint64_t after, struct found *ret_found) {
    struct tree *tree = folder->tree;
    struct catalog_model model;
    char kept[CATALOG_LABEL_SIZE];
    int64_t model_id = (int64_t)after;
    value_in_catalogue(folder->by.kind, folder->by.value, kept);
    for (;;) {
        int result = catalog_next_by(tree->catalog, folder->by.kind, kept, model_id, &model_id);
        if (result == 0)
            result = catalog_model(tree->catalog, model_id, &model);
        if (result < 0)
            return result;
        if (by_link_name(&model, ret_found->name) < 0)
            continue;
        ret_found->row = ROW_BY_LINK;
        ret_found->object = (uint64_t)folder->by.kind << KIND_SHIFT | (uint64_t)model_id;
        ret_found->cursor = (uint64_t)model_id;
        return 0;
    }
}

int print_link(const struct place *place, struct buf *to) {
    char folder[NAME_FOLDER_SIZE];
    int result = name_to_folder(place->model.name, folder);
    return result < 0 ? result : buf_format(to, "../../../%s/%s", place->model.source, folder);
}

/* ---- from numbers ---- */

static int load_value(struct place *place) {
    char value[CATALOG_LABEL_SIZE] = "";
    while (kinds[place->by.kind].next(place->tree, value, value) == 0)
        if (value_object(place->by.kind, value) == place->object)
            return text_copy(place->by.value, sizeof place->by.value, value);
    return -ENOENT;
}

int by_load(struct place *place) {
    unsigned row = row_number(place->row);
    if (row == ROW_BY_LINK)
        return catalog_model(place->tree->catalog, (int64_t)(place->object & NUMBER_MASK), &place->model);
    uint64_t kind = row == ROW_BY_KIND ? place->object : place->object >> KIND_SHIFT;
    if (kind >= BY_COUNT)
        return -ENOENT;
    place->by.kind = (enum catalog_by)kind;
    return row == ROW_BY_KIND ? 0 : load_value(place);
}
