/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_REGISTRY_H
#define WEIGHTFS_MODEL_REGISTRY_H

/*
 * The registry of models: what is known of models before any source was asked. It comes from files of JSON
 * (docs/catalogue.md has the format): the one that weightfs ships with, then those of the operator, in the
 * order of their names. A later file adds entries, and changes members of earlier ones with the same key. A
 * file with an error is left out as a whole and is kept as a fault; the others count.
 *
 * A registry never changes once it is made: a reload makes another one. It is shared by references and may
 * be read by any thread; what it hands out lives as long as the reference. The files are the operator's, yet
 * everything in them is bounded, so that a wrong file is refused and never a burden.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/option.h"
#include "model/name.h"

#define REGISTRY_FILE_MOST     (4u << 20) /* bytes of one file */
#define REGISTRY_FILES_MOST    256        /* files of the operator */
#define REGISTRY_ENTRIES_MOST  20000
#define REGISTRY_ALIASES_MOST  16
#define REGISTRY_SETTINGS_MOST 64
#define REGISTRY_HELP_MOST     500 /* bytes of a description or a help */

struct registry_entry {
    const char *key;         /* "hf:acme/tiny", "hf:acme/quants:Q4_K_M", "ollama:gemma2:9b": no revision */
    const char *category;    /* "llm" … a word in lower case; "other" where no file says */
    const char *description; /* one line; "" */
    uint64_t size_bytes;     /* about what a pull of the variant fetches; 0 not known */
    bool recommended, required;
    const char *required_if;    /* required when this setting or environment variable is set too; NULL */
    const char *variant;        /* what is pulled when nobody names one; "" the source's own default */
    const char *const *aliases; /* other names of it, NULL-ended */
    /* What can be set of such a model: rows as those of options, ended by one without a name. */
    const struct option_row *settings;
    const char *file;      /* the last one that said something of it */
    struct name_key parts; /* of the key */
    const char *base;      /* of a key on the Hub with a variant: the model's key; else NULL */
};

struct registry;

/* Reads the file `shipped` (NULL or "": none) and `*.json` in `folder` (NULL or "": none; one that is not
 * there has no files). Never fails: what is wrong stands among the faults. Does disk work. */
struct registry *registry_load(const char *shipped, const char *folder);
struct registry *registry_ref(struct registry *registry);
void registry_unref(struct registry *registry);
static inline void registry_unref_scoped(struct registry **registry) {
    registry_unref(*registry);
}
#define REGISTRY_CLEANUP __attribute__((cleanup(registry_unref_scoped)))

/* In the order in which files named them; NULL after the last. */
const struct registry_entry *registry_entry(const struct registry *registry, size_t index);
size_t registry_count(const struct registry *registry);
/* By key or alias; else by what remains of a key without revision, and without variant ("hf:acme/tiny" for
 * "acme/tiny:Q4_K_M@main"). NULL: not in it. Costs up to three binary searches. */
const struct registry_entry *registry_find(const struct registry *registry, const char *name);
/* The entry about a model as the catalogue names it (the first of those about its variants). NULL: none. */
const struct registry_entry *registry_of_model(const struct registry *registry, const char *source,
    const char *model);

/* Is it one of a category that entries have? */
bool registry_has_category(const struct registry *registry, const char *category);
/* The most alike among those; NULL when there are none. */
const char *registry_nearest_category(const struct registry *registry, const char *category);
/* The key or alias most alike; NULL when nothing is near. */
const char *registry_nearest(const struct registry *registry, const char *name);

/* Files that were left out, where and why: "…/10-mine.json: line 3: models[0].size: …". NULL after the
 * last. */
const char *registry_fault(const struct registry *registry, size_t index);

/* One file's text (of `len` bytes) alone, as registry_load() takes it: 0, or -ERR_CONFIG with the line
 * and the reason. For tests and fuzzing; pure. */
int registry_read(const char *name, const char *text, size_t len, struct registry **ret_registry,
    struct reason *reason);

#endif
