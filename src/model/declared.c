/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations once they are made: sharing, finding, placeholders, and the key when it is needed. */

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "model/declared_inside.h"

struct declared *declared_new(void) {
    struct declared *declared = mem_new(sizeof *declared);
    atomic_init(&declared->references, 1);
    return declared;
}

struct declared *declared_ref(struct declared *declared) {
    atomic_fetch_add_explicit(&declared->references, 1, memory_order_relaxed);
    return declared;
}

void declared_unref(struct declared *declared) {
    if (!declared || atomic_fetch_sub_explicit(&declared->references, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < declared->kept_count; i++)
        free(declared->kept[i]);
    for (size_t i = 0; i < declared->fault_count; i++)
        free(declared->faults[i]);
    free(declared->kept);
    free(declared->faults);
    free(declared->list);
    free(declared);
}

void *declared_keep(struct declared *declared, size_t size) {
    size_t count = declared->kept_count;
    if (!(count & (count - 1))) /* room doubles at powers of two */
        declared->kept = mem_resize(declared->kept, count ? 2 * count : 1, sizeof *declared->kept);
    void *memory = mem_new(size);
    declared->kept[declared->kept_count++] = memory;
    return memory;
}

const char *declared_keep_text(struct declared *declared, const char *text) {
    size_t size = strlen(text) + 1;
    return memcpy(declared_keep(declared, size), text, size);
}

int declared_add(struct declared *declared, const struct declaration *declaration, struct reason *reason) {
    const struct declaration *other = declared_find(declared, declaration->name);
    if (other)
        return err_because(reason, -ERR_CONFIG, "the name \"%s\" is given already, by %s", other->name,
            other->origin);
    other = declaration->kind == DECLARED_OLLAMA ? declared_ollama(declared) : NULL;
    if (other)
        return err_because(reason, -ERR_CONFIG, "there is one Ollama server at most, and %s declares it",
            other->origin);
    if (declared->count == DECLARED_MOST)
        return err_because(reason, -ERR_CONFIG, "there are more than %d declarations", DECLARED_MOST);
    declared->list = mem_resize(declared->list, declared->count + 1, sizeof *declared->list);
    declared->list[declared->count++] = *declaration;
    return 0;
}

/* ---- finding */

const struct declaration *declared_at(const struct declared *declared, size_t index) {
    return index < declared->count ? &declared->list[index] : NULL;
}

const struct declaration *declared_find(const struct declared *declared, const char *name) {
    for (size_t i = 0; i < declared->count; i++)
        if (!strcmp(declared->list[i].name, name))
            return &declared->list[i];
    return NULL;
}

const struct declaration *declared_ollama(const struct declared *declared) {
    for (size_t i = 0; i < declared->count; i++)
        if (declared->list[i].kind == DECLARED_OLLAMA)
            return &declared->list[i];
    return NULL;
}

const char *declared_fault(const struct declared *declared, size_t index) {
    return index < declared->fault_count ? declared->faults[index] : NULL;
}

bool declaration_fits(const struct declaration *declaration, const char *text) {
    for (size_t i = 0; declaration->patterns[i]; i++)
        if (fnmatch(declaration->patterns[i], text, 0) == 0)
            return true;
    return false;
}

/* ---- placeholders */

static bool is_in(const char *text, const char *placeholder) {
    size_t len = strlen(placeholder);
    for (const char *at = text; (at = strchr(at, '{')); at++)
        if (!strncmp(at + 1, placeholder, len) && at[1 + len] == '}')
            return true;
    return false;
}

bool declaration_uses(const struct declaration *declaration, const char *placeholder) {
    if (declaration->kind != DECLARED_COMMAND)
        return false;
    for (size_t i = 0; declaration->command[i]; i++)
        if (is_in(declaration->command[i], placeholder))
            return true;
    for (size_t i = 0; declaration->environment[i]; i++)
        if (is_in(declaration->environment[i], placeholder))
            return true;
    return is_in(declaration->model, placeholder);
}

static const struct placeholder *placeholder_at(const char *text, const struct placeholder *placeholders) {
    for (; placeholders->name; placeholders++) {
        size_t len = strlen(placeholders->name);
        if (text[0] == '{' && !strncmp(text + 1, placeholders->name, len) && text[1 + len] == '}')
            return placeholders;
    }
    return NULL;
}

void declared_expand(const char *text, const struct placeholder *placeholders, struct buf *to) {
    while (*text) {
        size_t plain = strcspn(text, "{");
        (void)buf_add(to, text, plain); /* no limit: nothing here can fail */
        text += plain;
        const struct placeholder *found = placeholder_at(text, placeholders);
        if (found) {
            (void)buf_text_add(to, found->value);
            text += strlen(found->name) + 2;
        } else if (*text) {
            (void)buf_add(to, text++, 1);
        }
    }
}

/* ---- the key */

/* It goes into a header: one word of visible ASCII. Blanks around it go. */
static int write_header(char *key, const char *origin, char to[static DECLARED_KEY_SIZE],
    struct reason *reason) {
    static const char blanks[] = " \t\r\n";
    char *start = key + strspn(key, blanks);
    size_t len = strlen(start);
    while (len && strchr(blanks, start[len - 1]))
        len--;
    start[len] = '\0';
    if (!len)
        return err_because(reason, -EACCES, "there is no key in %s: write it there", origin);
    for (size_t i = 0; i < len; i++)
        if (start[i] <= ' ' || start[i] > '~')
            return err_because(reason, -EACCES, "what is in %s can't be a key: wanted is one word", origin);
    log_secret(start);
    int size = snprintf(to, DECLARED_KEY_SIZE, "Bearer %s", start);
    if (size >= DECLARED_KEY_SIZE) {
        explicit_bzero(to, DECLARED_KEY_SIZE);
        return err_because(reason, -EACCES, "what is in %s is too long for a key", origin);
    }
    return 0;
}

static int key_from_file(const char *path, char to[static DECLARED_KEY_SIZE], struct reason *reason) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    int result = path_read(AT_FDCWD, path, DECLARED_KEY_SIZE, &text);
    if (result == 0 && memchr(buf_text(&text), 0, text.len))
        result = -EINVAL;
    if (result < 0)
        result = err_because(reason, -EACCES, "the key in %s can't be read: %s", path, err_sentence(result));
    else
        result = text.data ? write_header(text.data, path, to, reason)
                           : err_because(reason, -EACCES, "there is no key in %s: write it there", path);
    if (text.data)
        explicit_bzero(text.data, text.len);
    return result;
}

int declaration_authorization(const struct declaration *declaration, char to[static DECLARED_KEY_SIZE],
    struct reason *reason) {
    const char *value = declaration->key_variable ? environment(declaration->key_variable) : NULL;
    to[0] = '\0';
    if (declaration->key_file)
        return key_from_file(declaration->key_file, to, reason);
    if (!value)
        return 0;
    char *copy = mem_text(value);
    int result = write_header(copy, declaration->key_variable, to, reason);
    explicit_bzero(copy, strlen(value));
    free(copy);
    return result;
}
