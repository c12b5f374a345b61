/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_CATALOG_H
#define WEIGHTFS_MODEL_CATALOG_H

/*
 * The catalogue: what this instance knows of models, kept in instances/NAME/catalog.db (SQLite).
 * Rows' ids are never used again (AUTOINCREMENT): they are parts of node numbers. Readers use one
 * connection under CATALOG_READ, writers another under CATALOG_WRITE; reads are quick and may be
 * done on FUSE threads, writes belong on the desk (a pool of one thread) since they can wait for
 * the disk.
 *
 * Ownership: every ret_ structure is plain data, filled on success.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/manifest.h"
#include "model/name.h"
#include "outside/digest.h"

struct catalog;

#define CATALOG_FILE_NAME_SIZE 256

struct catalog_group { /* hf/ORG */
    int64_t id;
    char source[NAME_SOURCE_SIZE];
    char name[NAME_MODEL_SIZE];
};

struct catalog_model {
    int64_t id, group_id;
    int64_t revision_id; /* the selected revision; 0: none is known (locked, or never listed) */
    char source[NAME_SOURCE_SIZE];
    char name[NAME_MODEL_SIZE];              /* ORG/NAME */
    char asked_revision[NAME_REVISION_SIZE]; /* what update follows: "main" */
    char commit[64];
    bool gated, locked, pinned;
    int64_t added_ms, checked_ms, modified_ms;
    uint64_t file_count, refusal_count;
    int error; /* of the last discovery or update; 0 */
    struct reason reason;
    int state; /* as the manager last saw it: its enum model_state, for counting */
};

struct catalog_file { /* a file or a folder of one revision */
    int64_t id, revision_id, model_id;
    int64_t parent_id; /* the folder's row; 0: directly under files/ */
    char name[CATALOG_FILE_NAME_SIZE];
    char path[NAME_PATH_SIZE];
    bool is_folder, masked, selected;
    uint64_t size;
    char digest[DIGEST_TEXT_SIZE];   /* the blob's key; "" masked */
    char sha256[SHA256_HEX_SIZE];    /* told by the source, or our own once it was complete; "" unknown */
    char variant[NAME_VARIANT_SIZE]; /* "" */
    int64_t modified_ms;
    char commit[64]; /* its revision's: where its bytes are asked for */
};

/* Opens or makes `path`. A damaged file is kept aside as catalog.db.damaged-STAMP and a new one
 * begun: *ret_damaged then true. */
int catalog_open(const char *path, struct catalog **ret_catalog, bool *ret_damaged, struct reason *reason);
/* The damaged ones that were kept aside in the folder, by their names. Any thread. */
int catalog_list_aside(int folder_fd, void (*each)(void *context, const char *name), void *context);
/* What they held goes on being held for as long as a file of this name is beside them. */
#define CATALOG_ASIDE_PINS "-pins"
void catalog_close(struct catalog *catalog);

/* --- Reading. 0, -ENOENT, or -ERR_DATABASE. --- */
int catalog_group(struct catalog *catalog, int64_t id, struct catalog_group *ret_group);
int catalog_find_group(struct catalog *catalog, const char *source, const char *name,
    struct catalog_group *ret_group);
int catalog_model(struct catalog *catalog, int64_t id, struct catalog_model *ret_model);
int catalog_find_model(struct catalog *catalog, const char *source, const char *name,
    struct catalog_model *ret_model);
int catalog_file(struct catalog *catalog, int64_t id, struct catalog_file *ret_file);
/* `parent_id` 0: at the top of `revision_id`. */
int catalog_find_file(struct catalog *catalog, int64_t revision_id, int64_t parent_id, const char *name,
    struct catalog_file *ret_file);
int catalog_find_path(struct catalog *catalog, int64_t revision_id, const char *path,
    struct catalog_file *ret_file);

/* Lists: up to `room` rows with id > `after_id`, in order of id, into the array; the count, or an
 * error. Ids are the offsets of directories. */
int catalog_list_groups(struct catalog *catalog, const char *source, bool with_models_only, int64_t after_id,
    struct catalog_group *array, size_t room);
int catalog_list_models(struct catalog *catalog, int64_t group_id /* 0: all */, int64_t after_id,
    struct catalog_model *array, size_t room);
int catalog_list_folder(struct catalog *catalog, int64_t revision_id, int64_t parent_id, int64_t after_id,
    struct catalog_file *array, size_t room);
/* All files (no folders) of a revision; selected ones only where asked. */
int catalog_list_files(struct catalog *catalog, int64_t revision_id, bool selected_only, int64_t after_id,
    struct catalog_file *array, size_t room);
/* Files of any model with this digest whose revision is selected (for invalidation). */
int catalog_list_same(struct catalog *catalog, const char *digest, int64_t after_id,
    struct catalog_file *array, size_t room);
struct catalog_refusal {
    char path[NAME_PATH_SIZE];
    char fault[128];
};
int catalog_list_refusals(struct catalog *catalog, int64_t revision_id, struct catalog_refusal *array,
    size_t room);
/* The words that were pulled of a model (variants, paths), in order; the count. */
int catalog_list_words(struct catalog *catalog, int64_t model_id, char (*array)[NAME_PATH_SIZE], size_t room);
/* Digests of the selected files of pinned models, each once, in order, those after `after` ("" begins). */
int catalog_list_pinned_digests(struct catalog *catalog, const char *after, char (*array)[DIGEST_TEXT_SIZE],
    size_t room);
struct catalog_totals {
    uint64_t models, files, pinned, open_jobs;
};
int catalog_totals(struct catalog *catalog, struct catalog_totals *ret_totals);

/* How many models are in each state (catalog_set_state) below `room`. */
int catalog_count_states(struct catalog *catalog, uint64_t *counts, size_t room);

/* --- Remembered refusals of sources. --- */
/* 0 with the error and its reason when `source:name` is known not to be there at `now_ms`
 * (clock_wall_ms); -ENOENT when nothing is remembered. */
int catalog_absence(struct catalog *catalog, const char *source, const char *name, int64_t now_ms,
    int *ret_error, struct reason *ret_reason);

/* --- Writing: on the desk. Each is one transaction unless inside catalog_begin/commit. --- */
/* Takes CATALOG_WRITE until commit or rollback, on the same thread. */
int catalog_begin(struct catalog *catalog);
int catalog_commit(struct catalog *catalog);
void catalog_rollback(struct catalog *catalog);

int catalog_add_group(struct catalog *catalog, const char *source, const char *name, int64_t *ret_id);
/* Adds or updates the model, stores the manifest as a revision (one that is known already is kept,
 * with its ids) and selects it. `name` is the name that was asked for. variant and selected columns
 * are filled by model/select rules (catalog_select). *ret_model_id. */
int catalog_store_manifest(struct catalog *catalog, const char *source, const char *name,
    const struct manifest *manifest, int64_t *ret_model_id, bool *ret_changed);
/* A model that exists but tells nothing (gated info). */
int catalog_store_locked(struct catalog *catalog, const char *source, const char *name, int error,
    const char *reason, int64_t *ret_model_id);
int catalog_set_error(struct catalog *catalog, int64_t model_id, int error, const char *reason);
int catalog_set_state(struct catalog *catalog, int64_t model_id, int state);
int catalog_set_pinned(struct catalog *catalog, int64_t model_id, bool pinned);
/* Of all rows with this digest. */
int catalog_set_sha256(struct catalog *catalog, const char *digest, const char *sha256);
/* Adds words to what is wanted (NULL array: none) and fills `selected` anew for the selected
 * revision: files of the wanted variants and paths, and all that belong to no variant; with no word
 * for a variant the default one. A word is a variant, a file's path or a folder's.
 * -ERR_UNKNOWN_VARIANT with the word and the nearest known in the reason; then nothing is changed. */
int catalog_select(struct catalog *catalog, int64_t model_id, const char *const *words, size_t count,
    struct reason *reason);
int catalog_forget_model(struct catalog *catalog, int64_t model_id);
int catalog_set_absence(struct catalog *catalog, const char *source, const char *name, int error,
    const char *reason, int64_t until_ms);
int catalog_clear_absence(struct catalog *catalog, const char *source, const char *name);
int catalog_clear_absences(struct catalog *catalog); /* all */

int catalog_set_setting(struct catalog *catalog, const char *name, const char *value /* NULL: unset */);
int catalog_setting(struct catalog *catalog, const char *name, char *to, size_t size); /* -ENOENT */

/* What a request of the kernel that came a second time (after a daemon died) was answered: written
 * in the same transaction as its effect. `session` is the FUSE connection's number as the
 * supervisor names it. Kept for the running session only. */
int catalog_set_answer(struct catalog *catalog, const char *session, uint64_t unique, int result);
/* -ENOENT when it was never answered. */
int catalog_answer(struct catalog *catalog, const char *session, uint64_t unique, int *ret_result);

#endif
