/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_CLEANUP_H
#define WEIGHTFS_MANAGE_CLEANUP_H

/*
 * The command cleanup: which models' bytes may go, and letting them go. A model goes when all conditions
 * that are given let it: it is not among the `keep` most recently used, it was not used for `unused_ms`, and
 * the store is larger than `to_bytes`; the least recently used goes first. Never: what is pinned,
 * required, open, or has an open job, and what such a model has in common with another. What no model refers
 * to any more (of revisions that were dropped, of models that were forgotten) goes before any model. The
 * models stay known.
 *
 * A plan is a picture of one moment; carrying it out looks again at each file whether it is used or
 * held by now, by any daemon. Plans are made on the desk: one walk over the store's folders, one over
 * the catalogue.
 */

#include "manage/job.h"
#include "store/shelf.h"

struct cleanup_wish {
    int64_t keep; /* -1: not said, as below */
    int64_t unused_ms;
    int64_t to_bytes;
    bool dry_run;
};
/* "keep=3", "unused=30d" (s m h d w), "to=50G", "dry-run", by blanks. -ERR_BAD_VALUE and how it is
 * written. */
int cleanup_parse(const char *words, struct cleanup_wish *ret_wish, struct reason *reason);

struct cleanup_model {
    int64_t id;
    char key[NAME_KEY_SIZE];
    int64_t used_ns;        /* last use of any file that it alone has, else of any; 0: nothing is here */
    int64_t shared_used_ns; /* of those that others have, too */
    const char *protected;  /* why it never goes; NULL */
    uint64_t bytes;         /* that going frees */
};

struct cleanup_item { /* a file of the store that goes, in this order */
    struct shelf_item file;
    size_t model; /* index; SIZE_MAX: no model refers to it */
};

struct cleanup_plan {
    struct cleanup_model *models; /* all that are known, least recently used first */
    size_t model_count;
    struct cleanup_item *items;
    size_t item_count;
    uint64_t bytes, orphan_bytes; /* that go in all, and those of no model among them */
    uint64_t left_bytes;          /* the store's afterwards */
    size_t going;                 /* models of which something goes */
};
int cleanup_plan(struct manage *manage, const struct cleanup_wish *wish, struct cleanup_plan *ret_plan);
void cleanup_plan_done(struct cleanup_plan *plan);
#define PLAN_CLEANUP __attribute__((cleanup(cleanup_plan_done)))
/* The sentence of what goes (or went), per model and in all. */
void cleanup_tell(const struct cleanup_plan *plan, const struct cleanup_wish *wish, bool done,
    struct reason *reason);

#endif
