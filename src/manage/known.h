/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_KNOWN_H
#define WEIGHTFS_MANAGE_KNOWN_H

/*
 * The registry of models (model/registry.h) and the declared engines (model/declared.h), beside what is here:
 * which of the registry's models are required, and in which state each is. Nothing here asks a source. Any
 * thread, unless it says desk.
 */

#include "manage/manage.h"
#include "model/declared.h"
#include "model/registry.h"

/* The registry in force: a reference, for registry_unref(). */
struct registry *manage_registry(struct manage *manage);
/* Reads the files, and puts what they say into force. Desk, or before it; does some disk work. */
void known_load(struct manage *manage);
void known_done(struct manage *manage);
/* The declared engines and endpoints in force: a reference, for declared_unref(). Read with the registry. */
struct declared *manage_declared(struct manage *manage);

/* What the user means by `text`: a key, or an alias of the registry. A variant that nobody named is the
 * registry's. -ERR_BAD_NAME as name_parse(). */
int known_key(struct manage *manage, const char *text, struct name_key *ret_key, struct reason *reason);
/* Its source; -ERR_BAD_NAME when this version has none, or the name can't be one there. */
int known_source(const struct name_key *key, const struct source **ret_source, struct reason *reason);
/* The same for what is to be fetched: -EOPNOTSUPP when the source's models are served elsewhere. */
int known_source_of_files(const struct name_key *key, const struct source **ret_source,
    struct reason *reason);

/* The model's category: its setting `type`, else as the registry has it, else as who serves it elsewhere
 * told; "other". Into `to`. */
#define CATEGORY_SIZE 40
void model_category(struct manage *manage, const struct catalog_model *model, char to[static CATEGORY_SIZE]);
/* The same with what was told (""), for a model that is not in the catalogue yet. */
void model_category_told(struct manage *manage, const struct catalog_model *model, const char *told,
    char to[static CATEGORY_SIZE]);

/* Keeps categories and formats in the catalogue: of a model whose files are others now; of all, after what
 * says their categories changed. Desk. labels.c */
void labels_renew(struct manage *manage, int64_t model_id);
void labels_renew_all(struct manage *manage);
/* All of them, unless they were made from the registry in force. */
void labels_at_start(struct manage *manage);

/* ---- required ---- */

/* Is the entry required now, by itself or by its condition? (`required` in the configuration is not
 * looked at: see required_list().) */
bool entry_is_required(struct manage *manage, const struct registry_entry *entry);

struct required {
    char name[NAME_KEY_SIZE]; /* as it is told: the key, or what stands in the configuration */
    struct name_key key;
    bool is_key; /* else what stands in the configuration is none */
};
struct required_list {
    struct required *array;
    size_t count;
};
/* All that are required now, each once: of the registry, and by the option `required`. */
void required_read(struct manage *manage, struct required_list *ret_list);
void required_done(struct required_list *list);
#define REQUIRED_CLEANUP __attribute__((cleanup(required_done)))
bool required_has(const struct required_list *list, const struct catalog_model *model);
/* For one model; for many read the list once. */
bool model_is_required(struct manage *manage, const struct catalog_model *model);

/* ---- what is here ---- */

/* The model's state, or that of one that was never discovered: STATE_ABSENT, *ret_model->id 0. With a
 * variant: of one that is not wanted STATE_ABSENT too. */
enum model_state known_state(struct manage *manage, const struct name_key *key,
    struct catalog_model *ret_model);

struct required_report {
    size_t required, recommended;
    char **missing; /* keys that are not ready */
    size_t missing_count;
    char *fault; /* the first of the registry's; NULL */
    size_t fault_count;
};
void required_report(struct manage *manage, struct required_report *ret_report);
void required_report_done(struct required_report *report);
#define REQUIRED_REPORT_CLEANUP __attribute__((cleanup(required_report_done)))

/* The registry with the state of each entry, as JSON. */
void known_print_json(struct manage *manage, struct buf *to);

#endif
