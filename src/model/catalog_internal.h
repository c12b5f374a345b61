/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_CATALOG_INTERNAL_H
#define WEIGHTFS_MODEL_CATALOG_INTERNAL_H

/*
 * What the catalogue's own files share. The rules:
 *
 *   - Reading functions take CATALOG_READ and use `reader`; they see committed state only.
 * - Writing functions are a pair: the public one is catalog_enter(), the work, catalog_leave(); the
 * work itself uses `writer` and may
 *     call others, public ones too: inside a transaction enter and leave do nothing.
 * - File ids of one revision are one run, breadth first, so that the children of a folder are a run
 * too: listing a folder or a revision
 *     is a walk along the primary key, from any id on.
 */

#include <stdatomic.h>

#include "base/lock.h"
#include "model/catalog.h"
#include "outside/db.h"

struct catalog {
    struct lock write_lock; /* CATALOG_WRITE: writer */
    struct lock read_lock;  /* CATALOG_READ: reader */
    struct db *writer;
    struct db *reader;
    _Atomic(const void *) owner; /* names the thread that is inside a transaction; NULL */
};

/* Brings an empty or older file up to date. -ERR_STORE_VERSION when it is newer than we are. */
int catalog_upgrade(struct db *db, struct reason *reason);

/* Begins a transaction unless this thread is inside one: then it is a part of that. */
int catalog_enter(struct catalog *catalog, bool *ret_nested);
/* Commits it (result ≥ 0) or rolls it back, and gives the result, or the commit's error. */
int catalog_leave(struct catalog *catalog, bool nested, int result);

/* Wraps `work` (an expression of a nested function's result) into a transaction. */
#define WRITE(catalog, work)                                               \
    ({                                                                     \
        bool nested_;                                                      \
        int result_ = catalog_enter((catalog), &nested_);                  \
        result_ < 0 ? result_ : catalog_leave((catalog), nested_, (work)); \
    })

/* A text of a row into `to`. All was checked when it was written; what does not fit is of another
 * hand, and comes as "". */
void catalog_get_text(struct db_statement *row, int column, char *to, size_t size);

/* Binding in one expression: a statement that could not be made (NULL) goes through to db_step(),
 * which says so. */
static inline struct db_statement *and_number(struct db_statement *statement, int index, int64_t number) {
    if (statement)
        db_number(statement, index, number);
    return statement;
}
static inline struct db_statement *and_text(struct db_statement *statement, int index, const char *text) {
    if (statement)
        db_text(statement, index, text);
    return statement;
}
static inline struct db_statement *by_number(struct db_statement *statement, int64_t number) {
    return and_number(statement, 1, number);
}
static inline struct db_statement *by_name(struct db_statement *statement, const char *source,
    const char *name) {
    return and_text(and_text(statement, 1, source), 2, name);
}
static inline struct db_statement *with_page(struct db_statement *statement, int64_t after_id, size_t room) {
    return and_number(and_number(statement, 1, after_id), 2, (int64_t)room);
}

/* One row of a bound statement into *ret, or all of them into an array: 0 / the count, -ENOENT,
 * -ERR_DATABASE. The macros keep the type of the row and its reader together. */
#define READ_ONE(statement, read, ret)                 \
    ({                                                 \
        struct db_statement *row_ = (statement);       \
        int step_ = db_step(row_);                     \
        if (step_ == 1) {                              \
            read(row_, (ret));                         \
            db_reset(row_);                            \
        }                                              \
        step_ == 1 ? 0 : step_ == 0 ? -ENOENT : step_; \
    })
#define READ_LIST(statement, read, array, room)                 \
    ({                                                          \
        struct db_statement *row_ = (statement);                \
        size_t count_ = 0;                                      \
        int step_ = 0;                                          \
        while (count_ < (room) && (step_ = db_step(row_)) == 1) \
            read(row_, &(array)[count_++]);                     \
        if (count_ == (room) && row_)                           \
            db_reset(row_);                                     \
        step_ < 0 ? step_ : (int)count_;                        \
    })

/* ---- below here the caller is inside a transaction ---- */

/* Runs a bound statement that gives one number: 0, -ENOENT without a row. */
int catalog_one_number(struct db_statement *statement, int64_t *ret_number);
int catalog_add_group_inside(struct catalog *catalog, const char *source, const char *name, int64_t *ret_id);
/* The model's id; it is added where it is not known. */
int catalog_add_model_inside(struct catalog *catalog, const char *source, const char *group, const char *name,
    int64_t *ret_id);
/* Fills `selected` of one of the model's revisions from the words that are wanted. */
int catalog_fill_selection(struct catalog *catalog, int64_t model_id, int64_t revision_id);
/* The selected revision's id; 0: none. -ENOENT: no such model. */
int catalog_current_revision(struct catalog *catalog, int64_t model_id, int64_t *ret_id);
/* Makes it the selected one, and the last of its model's turns. `follow`: the name that update asks for
 * from now on; NULL: as before. */
int catalog_turn_to(struct catalog *catalog, int64_t model_id, int64_t revision_id, const char *follow,
    bool stays);
/* `name` of the source's led to the revision when it was last asked. */
int catalog_name_revision(struct catalog *catalog, int64_t model_id, const char *name, int64_t revision_id);

/* What a manifest becomes: files and the folders that they are in, breadth first. */
struct catalog_node {
    const char *path; /* of path_len bytes: a folder's is the front of a file's */
    size_t path_len;
    const char *name; /* the last part, ends where path does */
    size_t parent;    /* index of the folder's node; SIZE_MAX: directly under files/ */
    size_t child_first, child_count;
    const struct manifest_file *file; /* NULL: a folder */
};
struct catalog_layout {
    struct catalog_node *nodes;
    size_t count;
    size_t top_count; /* the first so many are directly under files/ */
};
/* The paths of the manifest must stay as long as the layout. Pure. */
void catalog_layout_init(struct catalog_layout *layout, const struct manifest *manifest);
void catalog_layout_done(struct catalog_layout *layout);
#define LAYOUT_CLEANUP __attribute__((cleanup(catalog_layout_done)))

#endif
