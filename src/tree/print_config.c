/* SPDX-License-Identifier: Apache-2.0 */

/* config/: the settings in force, of the whole or of a model. */

#include <string.h>

#include "manage/setting_value.h"
#include "tree/inside.h"
#include "tree/print.h"
#include "tree/setting.h"
#include "tree/sheet.h"

#define VALUE_SIZE  4096
#define ORIGIN_SIZE 512

int print_option(const struct place *place, struct buf *to) {
    struct setting setting SETTING_CLEANUP = {0};
    char value[VALUE_SIZE];
    int result = setting_open(place, &setting);
    if (result < 0)
        return result;
    options_show(setting.options, setting.index, value, sizeof(value), NULL, 0);
    return buf_format(to, "%s\n", value);
}

/* Adding to a buffer without a limit of its own does not fail: the results are not looked at here. */

static void add_member(const struct options *options, size_t index, struct buf *to) {
    const struct option_row *row = options_row(options, index);
    char value[VALUE_SIZE], origin[ORIGIN_SIZE];
    options_show(options, index, value, sizeof(value), origin, sizeof(origin));
    (void)buf_text_add(to, "{ \"value\": ");
    setting_value_json(row, value, to);
    (void)buf_text_add(to, ", \"from\": ");
    (void)buf_json_string(to, origin);
    if (options_show_next(options, index, value, sizeof(value), origin, sizeof(origin))) {
        (void)buf_text_add(to, ", \"next\": ");
        setting_value_json(row, value, to);
    }
    (void)buf_text_add(to, " }");
}

int print_config_json(const struct place *place, struct buf *to) {
    struct setting setting SETTING_CLEANUP = {0};
    struct sheet sheet;
    const struct option_row *row;
    int result = setting_open(place, &setting);
    if (result < 0)
        return result;
    sheet_begin(&sheet, to, true);
    for (size_t index = 0; (row = options_row(setting.options, index)); index++) {
        sheet_member(&sheet, row->name);
        add_member(setting.options, index, to);
    }
    sheet_end(&sheet);
    return 0;
}

/* --- schema.json --- */

static void add_words(const struct option_row *row, struct buf *to) {
    (void)buf_text_add(to, "\"enum\": [");
    for (const char *at = row->words; *at;) {
        size_t len = strcspn(at, "|");
        (void)buf_format(to, "%s\"%.*s\"", at == row->words ? "" : ", ", (int)len, at);
        at += len + (at[len] == '|');
    }
    (void)buf_text_add(to, "]");
}

static void add_type(const struct option_row *row, struct buf *to) {
    switch (row->type) {
    case OPTION_BOOL: (void)buf_text_add(to, "\"type\": \"boolean\""); break;
    case OPTION_NUMBER: (void)buf_text_add(to, "\"type\": \"integer\""); break;
    case OPTION_SHARE:
    case OPTION_BYTES: /* "512M" or "80%" as well as 512000000 */
        (void)buf_text_add(to, "\"type\": [\"integer\", \"string\"]");
        break;
    case OPTION_REAL: (void)buf_text_add(to, "\"type\": \"number\""); break;
    case OPTION_WORD: add_words(row, to); break;
    case OPTION_TEXT:
    case OPTION_SECRET_FILE: (void)buf_text_add(to, "\"type\": \"string\""); break;
    }
    if ((row->type == OPTION_NUMBER || row->type == OPTION_BYTES) && row->least != INT64_MIN)
        (void)buf_format(to, ", \"minimum\": %lld", (long long)row->least);
    if ((row->type == OPTION_NUMBER || row->type == OPTION_BYTES) && row->most != INT64_MAX)
        (void)buf_format(to, ", \"maximum\": %lld", (long long)row->most);
    bool bounded = row->type == OPTION_REAL && option_real_bounded(row);
    if (bounded && option_is_bound(row->least_real))
        (void)buf_format(to, ", \"minimum\": %.17g", row->least_real);
    if (bounded && option_is_bound(row->most_real))
        (void)buf_format(to, ", \"maximum\": %.17g", row->most_real);
}

static void add_property(const struct option_row *row, bool is_model, struct buf *to) {
    (void)buf_text_add(to, "{ ");
    add_type(row, to);
    if (row->value) {
        (void)buf_text_add(to, ", \"default\": ");
        setting_value_json(row, row->value, to);
    }
    if (row->fixed)
        (void)buf_text_add(to, ", \"readOnly\": true");
    if (!is_model)
        (void)buf_format(to, ", \"x-live\": %s", row->live ? "true" : "false");
    (void)buf_text_add(to, ",\n      \"description\": ");
    (void)buf_json_string(to, row->help ? row->help : "");
    (void)buf_text_add(to, " }");
}

int print_schema(const struct place *place, struct buf *to) {
    struct setting setting SETTING_CLEANUP = {0};
    const struct option_row *row;
    int result = setting_open(place, &setting);
    if (result < 0)
        return result;
    (void)buf_text_add(to,
        "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
        "  \"type\": \"object\",\n  \"additionalProperties\": false,\n  \"properties\": {");
    for (size_t index = 0; (row = options_row(setting.options, index)); index++) {
        (void)buf_format(to, "%s\n    \"%s\": ", index ? "," : "", row->name);
        add_property(row, setting.own != NULL, to);
    }
    (void)buf_text_add(to, "\n  }\n}\n");
    return 0;
}
