/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_REGISTRY_INSIDE_H
#define WEIGHTFS_MODEL_REGISTRY_INSIDE_H

/*
 * What the registry's own files share: registry.c (sharing, finding), registry_load.c (folders, merging),
 * registry_file.c (a file's text), registry_setting.c (rows of settings), registry_line.c (where in a text).
 */

#include <stdatomic.h>

#include "model/registry.h"
#include "outside/json.h"

/* A key or an alias. */
struct registry_name {
    const char *name;
    size_t entry;
    bool is_base; /* made by us: the model of an entry that is about one variant of it */
};

struct registry {
    atomic_uint references;
    struct registry_entry *entries;
    size_t count;
    struct registry_name *names; /* sorted */
    size_t name_count;
    void **kept; /* all that entries point to */
    size_t kept_count;
    char **faults;
    size_t fault_count;
};

struct registry *registry_new(void);
/* Memory that lives as long as the registry; zeroed. */
void *registry_keep(struct registry *registry, size_t size);
const char *registry_keep_text(struct registry *registry, const char *text);
/* Sorts the names anew, after entries changed. */
void registry_index(struct registry *registry);
/* Exactly this key or alias, as files give them; NULL. */
const struct registry_name *registry_name_find(const struct registry *registry, const char *name);
void registry_sort_names(struct registry_name *names, size_t count);

/* Which members of an entry a file gives: bits by row of entry_members[]. */
struct registry_patch {
    struct registry_entry entry;
    unsigned given;
};

/* A file while it is read. */
struct reading {
    struct registry *registry; /* keeps what the patches point to */
    const char *text;
    size_t len;
    const struct json *document;
    size_t entry;    /* index in "models", for the line; SIZE_MAX: none */
    char where[200]; /* "models[3] (hf:acme/tiny)", for the sentence */
    struct reason *reason;
    struct registry_set { /* rows that entries name */
        const char *name;
        const struct option_row *rows;
    } * sets;
    size_t set_count;
    struct registry_patch *patches;
    size_t patch_count;
};

/* -ERR_CONFIG with the line, where it is, and the sentence. `member` may be "". */
int reading_refuse(const struct reading *reading, const char *member, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A text of one line: 1…`most` bytes, kept by the registry. */
int reading_text(struct reading *reading, const char *member, const struct json *value, size_t most,
    const char **ret_text);
/* Refuses members of `object` that `name_at` (NULL at its end) does not name, with the nearest. */
int reading_members(const struct reading *reading, const struct json *object,
    const char *(*name_at)(size_t index));

/* The patches of a file; each checked by itself. Free with reading_done(). */
int reading_run(struct reading *reading);
void reading_done(struct reading *reading);
/* Copies what the patch gives. */
void registry_patch_apply(const struct registry_patch *patch, struct registry_entry *entry);

/* An array of rows into ones ended by a row without a name. registry_setting.c */
int reading_settings(struct reading *reading, const struct json *array, const struct option_row **ret_rows);

/* The line (from 1) in which element `index` of the top object's array `member` begins; 0 when there is none.
 * For texts that json_parse() took. Pure. */
size_t registry_line_of(const char *text, size_t len, const char *member, size_t index);

#endif
