/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of settings in a file of the registry: an object a row, as options.h has them. */

#include <ctype.h>
#include <inttypes.h>
#include <float.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/option_parse.h"
#include "model/registry_inside.h"

#define NAME_MOST  64
#define WORDS_MOST 32
#define VALUE_MOST 500

static const struct kind {
    const char *name;
    enum option_type type;
    bool is_real; /* bounds are decimals */
    bool has_bounds;
} kinds[] = {
    {"bool", OPTION_BOOL, false, false},
    {"number", OPTION_NUMBER, false, true},
    {"bytes", OPTION_BYTES, false, true},
    {"real", OPTION_REAL, true, true},
    {"word", OPTION_WORD, false, false},
    {"text", OPTION_TEXT, false, false},
};

static const char *setting_member_at(size_t index) {
    static const char *const names[] = {"name", "type", "least", "most", "words", "default", "help"};
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}

static int read_name(struct reading *reading, const struct json *row, const char **ret_name) {
    const char *name;
    int result = reading_text(reading, "name", json_get(row, "name"), NAME_MOST, &name);
    if (result < 0)
        return result;
    bool good = islower((unsigned char)name[0]);
    for (const char *at = name; *at; at++)
        good = good && (islower((unsigned char)*at) || isdigit((unsigned char)*at) || *at == '_');
    if (!good)
        return reading_refuse(reading, "name", "wanted is a word of a-z, 0-9 and _, as max_tokens");
    *ret_name = name;
    return 0;
}

static int read_kind(struct reading *reading, const struct json *row, const struct kind **ret_kind) {
    const char *name = json_text(json_get(row, "type"), NULL);
    for (size_t i = 0; name && i < sizeof kinds / sizeof *kinds; i++) {
        if (!strcmp(kinds[i].name, name)) {
            *ret_kind = &kinds[i];
            return 0;
        }
    }
    return reading_refuse(reading, "type", "wanted is bool, number, bytes, real, word or text");
}

/* ---- bounds ---- */

static int read_whole_bound(struct reading *reading, const struct json *row, const char *member,
    int64_t fallback, int64_t *ret_bound) {
    const struct json *value = json_get(row, member);
    *ret_bound = fallback;
    if (value && !json_number(value, ret_bound))
        return reading_refuse(reading, member, "wanted is a whole number");
    return 0;
}

static int read_real_bound(struct reading *reading, const struct json *row, const char *member,
    double fallback, double *ret_bound) {
    const struct json *value = json_get(row, member);
    *ret_bound = fallback;
    if (value && !json_decimal(value, ret_bound))
        return reading_refuse(reading, member, "wanted is a number");
    return 0;
}

static int read_bounds(struct reading *reading, const struct json *json, const struct kind *kind,
    struct option_row *row) {
    int64_t lowest = kind->type == OPTION_BYTES ? 0 : INT64_MIN;
    int result = 0;
    if (!kind->has_bounds) {
        if (json_get(json, "least") || json_get(json, "most"))
            return reading_refuse(reading, "least", "a %s has no bounds", kind->name);
        return 0;
    }
    if (kind->is_real) {
        bool any = json_get(json, "least") || json_get(json, "most"); /* 0 and 0: none */
        result = read_real_bound(reading, json, "least", any ? -DBL_MAX : 0, &row->least_real);
        if (result == 0)
            result = read_real_bound(reading, json, "most", any ? DBL_MAX : 0, &row->most_real);
        if (result == 0 && row->least_real > row->most_real)
            return reading_refuse(reading, "least", "it is above \"most\"");
        return result;
    }
    result = read_whole_bound(reading, json, "least", lowest, &row->least);
    if (result == 0)
        result = read_whole_bound(reading, json, "most", INT64_MAX, &row->most);
    if (result == 0 && (row->least > row->most || row->least < lowest))
        return reading_refuse(reading, "least", "it is above \"most\", or no size");
    return result;
}

/* ---- words and the default ---- */

static int read_words(struct reading *reading, const struct json *json, const struct kind *kind,
    struct option_row *row) {
    const struct json *words = json_get(json, "words");
    size_t count = json_count(words);
    struct buf text BUF_CLEANUP = BUF_INIT;
    if (kind->type != OPTION_WORD)
        return words ? reading_refuse(reading, "words", "only a word has them") : 0;
    if (!count || count > WORDS_MOST)
        return reading_refuse(reading, "words", "wanted is an array of 1 to %d texts", WORDS_MOST);
    for (size_t i = 0; i < count; i++) {
        const char *word;
        int result = reading_text(reading, "words", json_at(words, i), NAME_MOST, &word);
        if (result < 0)
            return result;
        if (!*word || strpbrk(word, "| \t"))
            return reading_refuse(reading, "words", "\"%s\": a word has no blank and no |", word);
        (void)buf_format(&text, "%s%s", i ? "|" : "", word); /* no limit */
    }
    row->words = registry_keep_text(reading->registry, buf_text(&text));
    return 0;
}

/* As it would stand in a file of config/: texts as they are, true and false as on and off. */
static int read_value(struct reading *reading, const struct json *value, const char **ret_text) {
    char text[64];
    int64_t number;
    double real;
    switch (json_type_of(value)) {
    case JSON_STRING: return reading_text(reading, "default", value, VALUE_MOST, ret_text);
    case JSON_BOOL: (void)text_copy(text, sizeof text, json_bool(value, false) ? "on" : "off"); break;
    case JSON_NUMBER:
        if (json_number(value, &number))
            (void)snprintf(text, sizeof text, "%" PRId64, number);
        else if (json_decimal(value, &real))
            (void)snprintf(text, sizeof text, "%.10g", real);
        break;
    default: return reading_refuse(reading, "default", "wanted is a text, a number, true or false");
    }
    *ret_text = registry_keep_text(reading->registry, text);
    return 0;
}

static int read_default(struct reading *reading, const struct json *json, struct option_row *row) {
    const struct json *value = json_get(json, "default");
    char wanted[160];
    int64_t number;
    const char *kept;
    if (!value || json_type_of(value) == JSON_NULL)
        return 0;
    int result = read_value(reading, value, &row->value);
    if (result < 0)
        return result;
    if (option_parse(row, row->value, &number, &kept) == 0)
        return 0;
    option_wanted(row, wanted, sizeof wanted);
    return reading_refuse(reading, "default", "wanted is %s", wanted);
}

/* ---- rows ---- */

static int read_row(struct reading *reading, const struct json *json, struct option_row *row) {
    const struct kind *kind = NULL;
    if (json_type_of(json) != JSON_OBJECT)
        return reading_refuse(reading, "", "wanted is an object: {\"name\": …, \"type\": …}");
    int result = reading_members(reading, json, setting_member_at);
    if (result == 0)
        result = read_name(reading, json, &row->name);
    if (result == 0)
        result = read_kind(reading, json, &kind);
    if (result < 0)
        return result;
    row->type = kind->type;
    row->live = true;
    row->help = "";
    result = read_bounds(reading, json, kind, row);
    if (result == 0)
        result = read_words(reading, json, kind, row);
    if (result == 0 && json_get(json, "help"))
        result = reading_text(reading, "help", json_get(json, "help"), REGISTRY_HELP_MOST, &row->help);
    return result < 0 ? result : read_default(reading, json, row);
}

static int check_twice(struct reading *reading, const struct option_row *rows, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (!strcmp(rows[i].name, rows[at].name))
            return reading_refuse(reading, "name", "\"%s\" is there twice", rows[at].name);
    return 0;
}

static int read_rows(struct reading *reading, const struct json *array, size_t count, const char *around,
    const struct option_row **ret_rows) {
    struct option_row *rows = registry_keep(reading->registry, (count + 1) * sizeof *rows);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(reading->where, sizeof reading->where, "%.160s[%zu]", around, i);
        int result = read_row(reading, json_at(array, i), &rows[i]);
        if (result == 0)
            result = check_twice(reading, rows, i);
        if (result < 0)
            return result;
    }
    *ret_rows = rows;
    return 0;
}

int reading_settings(struct reading *reading, const struct json *array, const struct option_row **ret_rows) {
    size_t count = json_count(array);
    char before[sizeof reading->where], around[sizeof reading->where];
    if (json_type_of(array) != JSON_ARRAY)
        return reading_refuse(reading, "", "wanted is an array of settings, or the name of a set");
    if (count > REGISTRY_SETTINGS_MOST)
        return reading_refuse(reading, "", "there are more than %d settings", REGISTRY_SETTINGS_MOST);
    memcpy(before, reading->where, sizeof before);
    (void)snprintf(around, sizeof around, "%.180s%s", before,
        reading->entry == SIZE_MAX ? "" : ".settings"); /* a set's name says it */
    int result = read_rows(reading, array, count, around, ret_rows);
    if (result == 0)
        memcpy(reading->where, before, sizeof before);
    return result;
}
