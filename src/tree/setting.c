/* SPDX-License-Identifier: Apache-2.0 */

/* config/: which setting a name or a node is, and the writes that change one. */

#include "tree/setting.h"

#include <string.h>

#include "manage/setting.h"
#include "tree/find.h"
#include "tree/inside.h"

uint32_t setting_number(const char *name) {
    uint32_t hash = option_number(name);
    return ((hash >> 24 ^ hash) & 0xffffff) | 1; /* 0 is no setting */
}

static bool is_of_model(const struct place *place) {
    return place->row->about == ABOUT_MODEL || place->row->about == ABOUT_MODEL_OPTION;
}

static bool is_meant(const struct place *place, const struct option_row *row) {
    if (place->row->about == ABOUT_OPTION)
        return option_number(row->name) == place->object;
    return setting_number(row->name) == node_generation(place->node);
}

int setting_open(const struct place *place, struct setting *ret_setting) {
    struct setting setting = {.options = place->tree->options};
    if (is_of_model(place))
        setting.options = setting.own = model_options_new(place->tree->settings.manage, &place->model);
    bool is_one = place->row->about == ABOUT_OPTION || place->row->about == ABOUT_MODEL_OPTION;
    if (is_one) {
        while ((setting.row = options_row(setting.options, setting.index)) && !is_meant(place, setting.row))
            setting.index++;
    }
    if (is_one && !setting.row) {
        setting_close(&setting);
        return -ENOENT;
    }
    *ret_setting = setting;
    return 0;
}

void setting_close(struct setting *setting) {
    options_free(setting->own);
    setting->own = NULL;
}

/* --- names --- */

static void found_setting(const struct place *folder, const struct option_row *row, uint64_t cursor,
    struct found *found) {
    bool of_model = is_of_model(folder);
    found->row = of_model ? ROW_MODEL_OPTION : ROW_OPTION;
    found->object = of_model ? folder->object : option_number(row->name);
    found->part = of_model ? setting_number(row->name) : 0;
    found->cursor = cursor;
}

int find_option(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait) {
    (void)wait;
    struct setting setting SETTING_CLEANUP = {0};
    int result = setting_open(folder, &setting);
    const struct option_row *row;
    for (size_t index = 0; !result && (row = options_row(setting.options, index)); index++) {
        if (strcmp(row->name, name))
            continue;
        found_setting(folder, row, index + 1, ret_found);
        return text_copy(ret_found->name, sizeof(ret_found->name), name);
    }
    return result ? result : -ENOENT;
}

int list_options(const struct place *folder, uint64_t after, struct found *ret_found) {
    struct setting setting SETTING_CLEANUP = {0};
    int result = setting_open(folder, &setting);
    const struct option_row *row = result ? NULL : options_row(setting.options, after);
    if (!row)
        return result ? result : -ENOENT;
    found_setting(folder, row, after + 1, ret_found);
    return text_copy(ret_found->name, sizeof(ret_found->name), row->name);
}

/* --- writing one value --- */

int setting_command(struct tree *tree, node_number node, const char *text, size_t len,
    struct buf *ret_command) {
    struct place place;
    struct setting setting SETTING_CLEANUP = {0};
    int result = place_load(tree, node, &place);
    if (result == 0)
        result = setting_open(&place, &setting);
    if (result < 0)
        return result == -ENOENT ? -ERR_STALE : result;
    if (len && text[len - 1] == '\n')
        len--;
    result = buf_format(ret_command, "set %s ", setting.row->name);
    return result < 0 ? result : buf_add(ret_command, text, len);
}
