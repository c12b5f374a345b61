/* SPDX-License-Identifier: Apache-2.0 */
/* What several files of a model must agree on: split sets are whole, and an index names files that exist. */
#include "manage/check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outside/json.h"

#define PARTS_MOST   100000
#define TELL_MOST    8 /* missing ones that are named */
#define INDEX_SUFFIX ".index.json"

void check_names_add(struct check_names *names, const char *path) {
    if (names->count == names->room)
        names->array =
            mem_resize(names->array, names->room = names->room ? names->room * 2 : 64, sizeof *names->array);
    names->array[names->count++] = mem_text(path);
}

void check_names_done(struct check_names *names) {
    for (size_t i = 0; i < names->count; i++)
        free(names->array[i]);
    free(names->array);
    *names = (struct check_names){0};
}

static int by_name(const void *one, const void *other) {
    return strcmp(*(char *const *)one, *(char *const *)other);
}

bool check_names_have(const struct check_names *names, const char *path) {
    return names->count && bsearch(&path, names->array, names->count, sizeof *names->array, by_name);
}

void check_names_sort(struct check_names *names) {
    if (names->count)
        qsort(names->array, names->count, sizeof *names->array, by_name);
}

/* --- split sets --- */

/* "…-00002-of-00005.gguf": where the number begins, and both. */
static bool is_part(const char *path, size_t *ret_at, unsigned *ret_part, unsigned *ret_parts) {
    for (const char *at = path; (at = strstr(at, "-of-")); at += 4) {
        const char *digits = at;
        while (digits > path && isdigit((unsigned char)digits[-1]))
            digits--;
        unsigned part = 0, parts = 0;
        int end = 0;
        if (at - digits != 5 || sscanf(digits, "%5u-of-%5u%n", &part, &parts, &end) != 2 || end != 14 ||
            !parts || parts > PARTS_MOST)
            continue;
        *ret_at = (size_t)(digits - path);
        *ret_part = part;
        *ret_parts = parts;
        return true;
    }
    return false;
}

/* A set is told of at the first part of it that is listed: the names are sorted. */
static bool is_first_listed(const struct check_names *names, size_t index, size_t at, unsigned parts) {
    size_t other_at;
    unsigned other_part, other_parts;
    if (!index || !is_part(names->array[index - 1], &other_at, &other_part, &other_parts))
        return true;
    return other_at != at || other_parts != parts ||
           strncmp(names->array[index - 1], names->array[index], at) != 0;
}

static void check_one_set(const struct check_names *names, const char *path, size_t at, unsigned parts,
    void (*tell)(void *context, const char *path, const char *text), void *context) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    char *name = mem_text(path);
    unsigned missing = 0;
    for (unsigned part = 1; part <= parts; part++) {
        char digits[8];
        (void)snprintf(digits, sizeof digits, "%05u", part);
        memcpy(name + at, digits, 5);
        if (check_names_have(names, name))
            continue;
        if (missing++ < TELL_MOST)
            (void)buf_format(&text, "%s%s", text.len ? ", " : "", name); /* no limit: can't fail */
    }
    free(name);
    if (!missing)
        return;
    struct buf sentence BUF_CLEANUP = BUF_INIT;
    (void)buf_format(&sentence, "%u of the %u parts of its set are not in the model: %s%s", missing, parts,
        buf_text(&text), missing > TELL_MOST ? " …" : "");
    tell(context, path, buf_text(&sentence));
}

void check_sets(const struct check_names *names, const struct check_names *listed,
    void (*tell)(void *context, const char *path, const char *text), void *context) {
    for (size_t i = 0; i < names->count; i++) {
        size_t at;
        unsigned part, parts;
        if (is_part(names->array[i], &at, &part, &parts) && is_first_listed(names, i, at, parts))
            check_one_set(listed, names->array[i], at, parts, tell, context);
    }
}

/* --- an index --- */

bool check_is_index(const char *path) {
    size_t len = strlen(path), suffix = strlen(INDEX_SUFFIX);
    return len > suffix && strcmp(path + len - suffix, INDEX_SUFFIX) == 0;
}

void check_index(const char *path, const char *text, size_t len, const struct check_names *listed,
    struct findings *findings) {
    struct json *document JSON_CLEANUP = NULL;
    struct reason reason;
    if (json_parse(text, len, &document, &reason) < 0)
        return; /* its own format's check says so */
    const struct json *map = json_get(document, "weight_map");
    if (json_type_of(map) != JSON_OBJECT) {
        findings_add(findings, FINDING_ERROR, "the index has no weight_map");
        return;
    }
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path) + 1 : 0;
    struct check_names told = {0};
    void *iterator = NULL;
    const char *tensor;
    const struct json *value;
    while (json_next(map, &iterator, &tensor, &value)) {
        const char *shard = json_text(value, NULL);
        struct buf full BUF_CLEANUP = BUF_INIT;
        (void)buf_format(&full, "%.*s%s", folder, path, shard ? shard : "");
        if (shard && check_names_have(listed, buf_text(&full)))
            continue;
        bool known = false;
        for (size_t i = 0; shard && i < told.count; i++)
            known |= strcmp(told.array[i], shard) == 0;
        if (known)
            continue;
        if (told.count == TELL_MOST)
            break;
        check_names_add(&told, shard ? shard : "");
        findings_add(findings, FINDING_ERROR, "the index has tensor %s in %s, which is not in the model",
            tensor, shard ? shard : "no file");
    }
    check_names_done(&told);
}
