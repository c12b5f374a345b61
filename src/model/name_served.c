/* SPDX-License-Identifier: Apache-2.0 */
/* Names that servers give their models, and names as words of paths. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "model/name.h"

#define LETTERS                  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define OLLAMA_DEFAULT_TAG       "latest"
#define OLLAMA_DEFAULT_NAMESPACE "library/"

static bool are_parts(const char *name) {
    for (const char *at = name;; at++) {
        size_t len = strcspn(at, "/");
        if (len == 0 || (len <= 2 && !memcmp(at, "..", len)))
            return false;
        at += len;
        if (!*at)
            return true;
    }
}

bool name_is_served(const char *name) {
    char file[NAME_FILE_SIZE];
    size_t len = strnlen(name, NAME_MODEL_SIZE);
    return len > 0 && len < NAME_MODEL_SIZE && strchr(LETTERS "@~_", name[0]) &&
           strspn(name, LETTERS "-_.:/@+=,~%") == len && are_parts(name) && name_to_file(name, file) == 0;
}

int name_of_ollama(const char *name, char to[NAME_MODEL_SIZE]) {
    size_t skipped = strlen(OLLAMA_DEFAULT_NAMESPACE);
    if (!strncmp(name, OLLAMA_DEFAULT_NAMESPACE, skipped) && !strchr(name + skipped, '/'))
        name += skipped;
    const char *last = strrchr(name, '/'), *colon = strchr(name, ':');
    last = last ? last + 1 : name;
    /* One colon, in the last part, with something on both sides. */
    if (!name_is_served(name) ||
        (colon && (colon <= last || !colon[1] || strchr(colon + 1, ':') || strchr(colon + 1, '/'))))
        return -ERR_BAD_NAME;
    char whole[2 * NAME_MODEL_SIZE];
    (void)snprintf(whole, sizeof whole, "%s%s", name, colon ? "" : ":" OLLAMA_DEFAULT_TAG); /* fits */
    if (!name_is_served(whole))
        return -ERR_BAD_NAME;
    return text_copy(to, NAME_MODEL_SIZE, whole); /* served names are bounded */
}

/* ---- words of paths ---- */

/* How the character at `at` is written; the one before it and the one behind it count. */
static const char *escape(const char *name, size_t at) {
    switch (name[at]) {
    case '/': return "--";
    case '%': return "%25";
    case '-': return (at && strchr("-/", name[at - 1])) || name[at + 1] == '/' ? "%2D" : NULL;
    default: return NULL;
    }
}

int name_to_file(const char *name, char to[NAME_FILE_SIZE]) {
    char file[NAME_FILE_SIZE];
    size_t len = 0;
    for (size_t at = 0; name[at]; at++) {
        const char one[2] = {name[at], '\0'};
        const char *written = escape(name, at);
        if (text_copy(file + len, sizeof file - len, written ? written : one) < 0)
            return -ENAMETOOLONG;
        len += strlen(file + len);
    }
    file[len] = '\0';
    memcpy(to, file, len + 1);
    return 0;
}

int name_from_file(const char *file, char to[NAME_MODEL_SIZE]) {
    static const struct {
        const char *written;
        char read;
    } escapes[] = {
        {"--", '/'},
        {"%2D", '-'},
        {"%25", '%'},
    };
    char name[NAME_MODEL_SIZE], again[NAME_FILE_SIZE];
    size_t len = 0;
    for (const char *at = file; *at;) {
        size_t step = 1;
        char read = *at;
        for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++)
            if (!strncmp(at, escapes[i].written, strlen(escapes[i].written))) {
                step = strlen(escapes[i].written);
                read = escapes[i].read;
                break;
            }
        if (len + 1 == sizeof name)
            return -ENAMETOOLONG;
        name[len++] = read;
        at += step;
    }
    name[len] = '\0';
    if (name_to_file(name, again) < 0 || strcmp(again, file) != 0)
        return -ERR_BAD_NAME; /* one name each */
    memcpy(to, name, len + 1);
    return 0;
}

int name_to_folder(const char *name, char to[NAME_FOLDER_SIZE]) {
    char first[NAME_MODEL_SIZE], group[NAME_FILE_SIZE], rest[NAME_FILE_SIZE];
    const char *slash = strchr(name, '/');
    if (!slash)
        return name_to_file(name, to);
    if ((size_t)(slash - name) >= sizeof first)
        return -ENAMETOOLONG;
    (void)snprintf(first, sizeof first, "%.*s", (int)(slash - name), name); /* fits */
    if (name_to_file(first, group) < 0 || name_to_file(slash + 1, rest) < 0)
        return -ENAMETOOLONG;
    (void)snprintf(to, NAME_FOLDER_SIZE, "%s/%s", group, rest); /* fits */
    return 0;
}

int name_from_folder(const char *folder, size_t len, char to[NAME_MODEL_SIZE]) {
    char text[NAME_FOLDER_SIZE], group[NAME_MODEL_SIZE], rest[NAME_MODEL_SIZE];
    if (len >= sizeof text)
        return -ENAMETOOLONG;
    (void)snprintf(text, sizeof text, "%.*s", (int)len, folder); /* fits */
    char *slash = strchr(text, '/');
    if (!slash)
        return name_from_file(text, to);
    *slash = '\0';
    int result = strchr(slash + 1, '/') ? -ERR_BAD_NAME : name_from_file(text, group);
    if (result == 0)
        result = name_from_file(slash + 1, rest);
    if (result < 0)
        return result;
    int size = snprintf(text, sizeof text, "%s/%s", group, rest);
    if (strchr(group, '/') || size >= NAME_MODEL_SIZE)
        return strchr(group, '/') ? -ERR_BAD_NAME : -ENAMETOOLONG;
    memcpy(to, text, (size_t)size + 1);
    return 0;
}
