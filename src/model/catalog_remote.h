/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_CATALOG_REMOTE_H
#define WEIGHTFS_MODEL_CATALOG_REMOTE_H

/*
 * Models that are served elsewhere: rows of the models like others, without a revision, and what their server
 * told of them. One that its server lists no more stays, with all that belongs to it (chats, settings,
 * usage), and has the error -ERR_UNKNOWN_MODEL until it is listed again. Reading on any thread, writing on
 * the desk, as in catalog.h.
 */

#include "base/buf.h"
#include "model/catalog.h"
#include "model/roster.h"

struct catalog_remote {
    int64_t model_id;
    char name[NAME_MODEL_SIZE];
    char digest[ROSTER_DIGEST_SIZE]; /* "" not told */
    bool whole;                      /* asking about it alone would tell no more */
    bool gone;                       /* its server lists it no more */
};

/* Is it listed no more? For a row of a remote source. */
static inline bool catalog_remote_is_gone(const struct catalog_model *model) {
    return model->error == -ERR_UNKNOWN_MODEL;
}

/* What is known of one, and its card as JSON, added to `to_card` (NULL: not wanted). 0, -ENOENT for a
 * model that is no such, -ERR_DATABASE. */
int catalog_remote(struct catalog *catalog, int64_t model_id, struct catalog_remote *ret_remote,
    struct buf *to_card);
/* Those of a place (struct source_place; "": all of the source) in order of their names, after `after` (""
 * begins): the count. */
int catalog_list_remotes(struct catalog *catalog, const char *source, const char *place, const char *after,
    struct catalog_remote *array, size_t room);
/* The first of the place behind `after_id` that is listed and whose card is not whole. -ENOENT. */
int catalog_next_unshown(struct catalog *catalog, const char *source, const char *place, int64_t after_id,
    int64_t *ret_model_id);

/* Adds the model where it is not known, and keeps what was told: it is listed now. `group` is the folder that
 * it is in; "": the source's. */
int catalog_store_remote(struct catalog *catalog, const char *source, const char *group,
    const struct roster_model *model, int64_t *ret_model_id);

#endif
