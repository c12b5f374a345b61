/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_DECLARED_INSIDE_H
#define WEIGHTFS_MODEL_DECLARED_INSIDE_H

/*
 * What the declarations' own files share: declared.c (sharing, finding, placeholders, keys), declared_load.c
 * (options and folders), declared_file.c (a file's text), declared_member.c (a declaration's members).
 */

#include <stdatomic.h>

#include "model/declared.h"
#include "outside/json.h"

struct declared {
    atomic_uint references;
    struct declaration *list;
    size_t count;
    void **kept; /* all that they point to */
    size_t kept_count;
    char **faults;
    size_t fault_count;
};

struct declared *declared_new(void);
/* Memory that lives as long as the declarations; zeroed. */
void *declared_keep(struct declared *declared, size_t size);
const char *declared_keep_text(struct declared *declared, const char *text);
/* Copies it; what it points to is kept already. -ERR_CONFIG with what keeps it from being one more. */
int declared_add(struct declared *declared, const struct declaration *declaration, struct reason *reason);

/* Is it an address that may be asked? Slashes at its end go. -ERR_CONFIG. */
int declared_check_url(char *url, bool allow_http, struct reason *reason);
bool declared_is_name(const char *name);

/* Adds what the text declares: all, or nothing and -ERR_CONFIG. */
int declared_take(struct declared *declared, const char *origin, const char *text, size_t len,
    bool allow_http, struct reason *reason);

/* A file while it is read. */
struct declaring {
    struct declared *declared; /* keeps what declarations point to */
    const char *text;
    size_t len, index; /* in "engines", for the line; SIZE_MAX: none */
    char where[80];    /* "engines[3] (vllm)" */
    bool allow_http;
    struct reason *reason;
};

/* -ERR_CONFIG with the line, where it is, and the sentence. `member` may be "". */
int declaring_refuse(const struct declaring *file, const char *member, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What the members of `value` say, each checked by itself; unknown ones are not looked at. */
int declaring_members(struct declaring *file, const struct json *value, struct declaration *to);
const char *declaring_member(size_t index); /* their names; NULL behind the last */

#endif
