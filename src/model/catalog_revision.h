/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_CATALOG_REVISION_H
#define WEIGHTFS_MODEL_CATALOG_REVISION_H

/*
 * Revisions of a model in the catalogue. One is selected: that is what files/ shows. Others are kept: the
 * ones that were selected before, each with its *turn* (which rises with every selection, so that
 * `rollback` knows the one before), and one that an update is fetching. A revision is called by its
 * commit; names of the source's (branches, tags) are remembered with the commit that they led to when
 * they were last asked.
 *
 * Threads and ownership as in catalog.h.
 */

#include "model/catalog.h"

#define REVISION_ID_DIGITS 12 /* of a commit, as revisions/ lists them */
#define REVISION_ID_SIZE   (REVISION_ID_DIGITS + 1)

struct catalog_revision {
    int64_t id, model_id;
    char commit[64];
    int64_t modified_ms, seen_ms; /* the source's time of the commit; when it was last told of */
    uint64_t file_count;
    int64_t turn; /* 0: was never selected */
    bool selected;
};

struct catalog_revision_name { /* "main" */
    int64_t id, model_id, revision_id;
    char name[NAME_REVISION_SIZE];
    char commit[64];
};

/* What of a model is about its revisions. */
struct catalog_following {
    int64_t head_id;       /* what the followed name led to when it was last asked; 0 unknown */
    char head_commit[64];  /* "" */
    int64_t pending_id;    /* what an update is fetching; 0 */
    int64_t former_id;     /* the one that was selected before; 0 */
    bool stays;            /* chosen by `use` or `rollback`: auto_update lets it be */
    int64_t next_check_ms; /* wall; 0: never set */
};

/* --- Reading. 0, -ENOENT, or -ERR_DATABASE. --- */
int catalog_revision(struct catalog *catalog, int64_t id, struct catalog_revision *ret_revision);
/* By its commit, by the beginning of one (7 digits or more that no other of the model has), or by a name. */
int catalog_find_revision(struct catalog *catalog, int64_t model_id, const char *word,
    struct catalog_revision *ret_revision);
int catalog_revision_name(struct catalog *catalog, int64_t id, struct catalog_revision_name *ret_name);
int catalog_find_revision_name(struct catalog *catalog, int64_t model_id, const char *name,
    struct catalog_revision_name *ret_name);
/* Has any model a setting auto_update of its own? 1, 0. */
int catalog_any_auto_update(struct catalog *catalog);
int catalog_following(struct catalog *catalog, int64_t model_id, struct catalog_following *ret_following);
/* Lists as in catalog.h. */
int catalog_list_revisions(struct catalog *catalog, int64_t model_id, int64_t after_id,
    struct catalog_revision *array, size_t room);
int catalog_list_revision_names(struct catalog *catalog, int64_t model_id, int64_t after_id,
    struct catalog_revision_name *array, size_t room);
/* Files of any model and any kept revision with this digest; catalog_list_same() has the selected ones. */
int catalog_list_same_kept(struct catalog *catalog, const char *digest, int64_t after_id,
    struct catalog_file *array, size_t room);
/* Those whose revision may go: neither selected, nor what the followed name leads to, nor pending; of
 * what is left the `keep` that were last selected stay. Oldest turn first. */
int catalog_list_surplus(struct catalog *catalog, int64_t model_id, unsigned keep,
    struct catalog_revision *array, size_t room);
/* Which blobs the catalogue refers to, by whom: by files' ids. */
struct catalog_reference {
    int64_t file_id, model_id;
    uint64_t size;
    bool selected; /* of the selected revision's selection */
    char digest[DIGEST_TEXT_SIZE], sha256[SHA256_HEX_SIZE];
};
int catalog_list_references(struct catalog *catalog, int64_t after_file_id, struct catalog_reference *array,
    size_t room);
/* Digests (and their SHA-256 where it is known) that files had which are no more, in order, after `after`;
 * some may be other files' as well. */
struct catalog_dropped {
    char digest[DIGEST_TEXT_SIZE], sha256[SHA256_HEX_SIZE];
};
int catalog_list_dropped(struct catalog *catalog, const char *after, struct catalog_dropped *array,
    size_t room);

/* --- Writing: on the desk. --- */
struct catalog_stored {
    int64_t model_id, revision_id;
    bool changed; /* files/ shows something else now */
    bool waiting; /* held: it is known, and another one is selected */
};
/* As catalog_store_manifest(); with `hold` a model that has a selected revision keeps it. */
int catalog_store_revision(struct catalog *catalog, const char *source, const char *name,
    const struct manifest *manifest, bool hold, struct catalog_stored *ret_stored);
/* Selects a known revision. `follow`: the name that `update` asks for from now on; NULL: as before.
 * `stays`: auto_update lets it be. `turn`: it becomes the last selected; else (rollback) turns stay. */
int catalog_select_revision(struct catalog *catalog, int64_t model_id, int64_t revision_id,
    const char *follow, bool stays, bool turn);
int catalog_set_pending(struct catalog *catalog, int64_t model_id, int64_t revision_id /* 0: none */);
int catalog_set_next_check(struct catalog *catalog, int64_t model_id, int64_t next_check_ms);
/* Not the selected one: -EBUSY. */
int catalog_drop_revision(struct catalog *catalog, int64_t revision_id);
/* Forgets what was dropped: all of it. */
int catalog_clear_dropped(struct catalog *catalog);

#endif
