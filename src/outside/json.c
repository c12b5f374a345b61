/* SPDX-License-Identifier: Apache-2.0 */

/* jansson's names for types collide with ours: under another name here, and never through its macros
 * below. */
#define JSON_OBJECT  JANSSON_OBJECT
#define JSON_ARRAY   JANSSON_ARRAY
#define JSON_STRING  JANSSON_STRING
#define JSON_INTEGER JANSSON_INTEGER
#define JSON_REAL    JANSSON_REAL
#define JSON_TRUE    JANSSON_TRUE
#define JSON_FALSE   JANSSON_FALSE
#define JSON_NULL    JANSSON_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_INTEGER
#undef JSON_REAL
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL

#include "outside/json.h"

#include <string.h>

/* A struct json is jansson's value: it has no fields of ours. jansson's getters take const values where
 * they read. */
static const json_t *inside(const struct json *value) {
    return (const json_t *)value;
}

static bool is(const struct json *value, json_type type) {
    return value && json_typeof(inside(value)) == type;
}

int json_parse(const char *text, size_t len, struct json **ret_document, struct reason *reason) {
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_error_t error;
    json_t *document = json_loadb(text, len, flags, &error);
    /* One number beyond 64 bits does not spoil the rest: it is a real then, and no getter takes it for an
     * integer. */
    if (!document && json_error_code(&error) == json_error_numeric_overflow)
        document = json_loadb(text, len, flags | JSON_DECODE_INT_AS_REAL, &error);
    if (!document)
        return err_because(reason, -ERR_JSON, "not valid JSON in line %d, column %d: %s", error.line,
            error.column, error.text);
    *ret_document = (struct json *)document;
    return 0;
}

void json_free(struct json *document) {
    json_decref((json_t *)document);
}

enum json_type json_type_of(const struct json *value) {
    static const enum json_type TYPES[] = {
        [JANSSON_OBJECT] = JSON_OBJECT,
        [JANSSON_ARRAY] = JSON_ARRAY,
        [JANSSON_STRING] = JSON_STRING,
        [JANSSON_INTEGER] = JSON_NUMBER,
        [JANSSON_REAL] = JSON_NUMBER,
        [JANSSON_TRUE] = JSON_BOOL,
        [JANSSON_FALSE] = JSON_BOOL,
        [JANSSON_NULL] = JSON_NULL,
    };
    return value ? TYPES[json_typeof(inside(value))] : JSON_NONE;
}

const struct json *json_get(const struct json *object, const char *key) {
    return is(object, JANSSON_OBJECT) ? (const struct json *)json_object_get(inside(object), key) : NULL;
}

size_t json_count(const struct json *array) {
    return is(array, JANSSON_ARRAY) ? json_array_size(inside(array)) : 0;
}

const struct json *json_at(const struct json *array, size_t index) {
    return is(array, JANSSON_ARRAY) ? (const struct json *)json_array_get(inside(array), index) : NULL;
}

bool json_next(const struct json *object, void **iterator, const char **ret_key,
    const struct json **ret_value) {
    if (!is(object, JANSSON_OBJECT))
        return false;
    json_t *members = (json_t *)object; /* jansson's iteration is not const, though it changes nothing */
    *iterator = *iterator ? json_object_iter_next(members, *iterator) : json_object_iter(members);
    if (!*iterator)
        return false;
    *ret_key = json_object_iter_key(*iterator);
    *ret_value = (const struct json *)json_object_iter_value(*iterator);
    return true;
}

const char *json_text(const struct json *value, size_t *ret_len) {
    if (!is(value, JANSSON_STRING))
        return NULL;
    const char *text = json_string_value(inside(value));
    size_t len = json_string_length(inside(value));
    if (strlen(text) != len) /* a NUL inside: to C it would be another string */
        return NULL;
    if (ret_len)
        *ret_len = len;
    return text;
}

bool json_number(const struct json *value, int64_t *ret_number) {
    if (is(value, JANSSON_INTEGER)) {
        *ret_number = json_integer_value(inside(value));
        return true;
    }
    if (!is(value, JANSSON_REAL))
        return false;
    double real = json_real_value(inside(value));
    /* 2^63 itself does not fit, and is the nearest double to INT64_MAX. */
    if (!(real >= -0x1p63 && real < 0x1p63) || (double)(int64_t)real != real)
        return false;
    *ret_number = (int64_t)real;
    return true;
}

bool json_decimal(const struct json *value, double *ret_decimal) {
    if (!is(value, JANSSON_INTEGER) && !is(value, JANSSON_REAL))
        return false;
    *ret_decimal = json_number_value(inside(value));
    return true;
}

bool json_bool(const struct json *value, bool fallback) {
    return is(value, JANSSON_TRUE) || (fallback && !is(value, JANSSON_FALSE));
}
