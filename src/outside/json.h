/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_OUTSIDE_JSON_H
#define WEIGHTFS_OUTSIDE_JSON_H

/*
 * Reading JSON (the door to jansson). Everything parsed here is hostile: depth is bounded by jansson (2048),
 * size by whoever received it. A `struct json` is a value inside a document; it lives as long as the
 * document. All getters accept NULL and wrong types and answer "not there". Writing JSON is done with buf.h
 * (buf_json_string).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct json;

/* Parses a whole document; duplicate keys are refused, trailing bytes too. -ERR_JSON with line and column
 * in the reason. Free with json_free(). */
int json_parse(const char *text, size_t len, struct json **ret_document, struct reason *reason);
void json_free(struct json *document);
static inline void json_free_scoped(struct json **document) {
    json_free(*document);
}
#define JSON_CLEANUP __attribute__((cleanup(json_free_scoped)))

enum json_type { JSON_NONE, JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };
enum json_type json_type_of(const struct json *value);

const struct json *json_get(const struct json *object, const char *key); /* NULL when absent */
size_t json_count(const struct json *array);
const struct json *json_at(const struct json *array, size_t index);
/* Walks an object's members: *iterator starts as NULL; false at the end. */
bool json_next(const struct json *object, void **iterator, const char **ret_key,
    const struct json **ret_value);

/* The string, or NULL when it is none or holds a NUL character. Its length where asked for. */
const char *json_text(const struct json *value, size_t *ret_len);
/* Integers (and reals that are whole): false when it is none or does not fit. */
bool json_number(const struct json *value, int64_t *ret_number);
/* Any number, as the nearest double; never an infinity. */
bool json_decimal(const struct json *value, double *ret_decimal);
bool json_bool(const struct json *value, bool fallback);

#endif
