/* SPDX-License-Identifier: Apache-2.0 */
#include "manage/setting_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The shortest text that means this number again. */
static void real_text(double real, char to[static SETTING_NUMBER_SIZE]) {
    for (int digits = 6; digits <= 17; digits++) {
        (void)snprintf(to, SETTING_NUMBER_SIZE, "%.*g", digits, real); /* fits */
        if (strtod(to, NULL) == real)
            return;
    }
}

const char *setting_value_text(const struct json *value, char number[static SETTING_NUMBER_SIZE]) {
    int64_t whole;
    double real;
    switch (json_type_of(value)) {
    case JSON_STRING: return json_text(value, NULL);
    case JSON_BOOL: return json_bool(value, false) ? "on" : "off";
    case JSON_NUMBER:
        if (json_number(value, &whole))
            (void)snprintf(number, SETTING_NUMBER_SIZE, "%" PRId64, whole); /* fits */
        else if (json_decimal(value, &real))
            real_text(real, number);
        return number;
    default: return NULL;
    }
}

static bool is_number(const struct option_row *row) {
    return row->type == OPTION_BOOL || row->type == OPTION_NUMBER || row->type == OPTION_BYTES;
}

bool setting_value_same(const struct option_row *row, const char *a, const char *b) {
    int64_t left, right;
    if (!strcmp(a, b))
        return true;
    if (row->type == OPTION_REAL)
        return *a && *b && strtod(a, NULL) == strtod(b, NULL);
    return is_number(row) && !option_as_number(row, a, &left) && !option_as_number(row, b, &right) &&
           left == right;
}

void setting_value_json(const struct option_row *row, const char *text, struct buf *to) {
    int64_t number;
    char real[SETTING_NUMBER_SIZE];
    /* The buffer's owner set its limit, if any: what does not fit is left out. */
    if (*text && row->type == OPTION_REAL) {
        real_text(strtod(text, NULL), real); /* "00.5" would not be JSON */
        (void)buf_text_add(to, real);
    } else if (*text && is_number(row) && !option_as_number(row, text, &number)) {
        if (row->type == OPTION_BOOL)
            (void)buf_text_add(to, number ? "true" : "false");
        else
            (void)buf_format(to, "%" PRId64, number);
    } else {
        (void)buf_json_string(to, *text ? text : NULL);
    }
}
