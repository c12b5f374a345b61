/* SPDX-License-Identifier: Apache-2.0 */

/* config/: the settings in force. */

#include "tree/inside.h"
#include "tree/place.h"
#include "tree/print.h"
#include "tree/sheet.h"

#define VALUE_SIZE  4096
#define ORIGIN_SIZE 512

int print_option(const struct place *place, struct buf *to) {
    char value[VALUE_SIZE], origin[ORIGIN_SIZE];
    options_show(place->tree->options, place->option, value, sizeof(value), origin, sizeof(origin));
    return buf_format(to, "%s\n", value);
}

static void add_value(struct buf *to, const struct options *options, const struct option_row *row,
    const char *value) {
    switch (row->type) {
    case OPTION_BOOL: (void)buf_text_add(to, options_bool(options, row->name) ? "true" : "false"); break;
    case OPTION_NUMBER:
    case OPTION_BYTES:
        if (value[0])
            (void)buf_format(to, "%lld", (long long)options_number(options, row->name));
        else
            (void)buf_text_add(to, "null");
        break;
    default: (void)buf_json_string(to, value[0] ? value : NULL); break;
    }
}

int print_config_json(const struct place *place, struct buf *to) {
    const struct options *options = place->tree->options;
    struct sheet sheet;
    sheet_begin(&sheet, to, true);
    const struct option_row *row;
    for (size_t index = 0; (row = options_row(options, index)); index++) {
        char value[VALUE_SIZE], origin[ORIGIN_SIZE];
        options_show(options, index, value, sizeof(value), origin, sizeof(origin));
        sheet_member(&sheet, row->name);
        (void)buf_text_add(to, "{ \"value\": ");
        add_value(to, options, row, value);
        (void)buf_text_add(to, ", \"from\": ");
        (void)buf_json_string(to, origin);
        (void)buf_text_add(to, " }");
    }
    sheet_end(&sheet);
    return 0;
}
