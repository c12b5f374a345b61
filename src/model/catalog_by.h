/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_CATALOG_BY_H
#define WEIGHTFS_MODEL_CATALOG_BY_H

/*
 * Models by what they are, for by/KIND/VALUE: each kind is a column with an index, so that a listing is a
 * walk along it. And links that users made: `default`. Threads and errors as in catalog.h.
 */

#include "model/catalog.h"

enum catalog_by { BY_STATE, BY_CATEGORY, BY_FORMAT, BY_ORIGIN, BY_COUNT };

#define CATALOG_LABEL_SIZE 40

/* The first model with an id > `after_id` that has the value: 0, -ENOENT. Of BY_STATE the value is the
 * state's number in decimal, of BY_ORIGIN a source's name. */
int catalog_next_by(struct catalog *catalog, enum catalog_by kind, const char *value, int64_t after_id,
    int64_t *ret_model_id);
/* 0 when the model has the value, -ENOENT when not. */
int catalog_is_by(struct catalog *catalog, enum catalog_by kind, const char *value, int64_t model_id);
/* The first category behind `after` ("" begins) that a model has: 0, -ENOENT. */
int catalog_next_category(struct catalog *catalog, const char *after, char to[static CATALOG_LABEL_SIZE]);

/* Is told of each format ("": not looked at yet) and how many models have it. Calls nothing of the
 * catalogue's. */
int catalog_count_formats(struct catalog *catalog,
    void (*listener)(void *context, const char *format, uint64_t count), void *context);

struct catalog_labels {
    char category[CATALOG_LABEL_SIZE], format[CATALOG_LABEL_SIZE]; /* "": not looked at yet */
};
int catalog_labels(struct catalog *catalog, int64_t model_id, struct catalog_labels *ret_labels);
/* On the desk. */
int catalog_set_labels(struct catalog *catalog, int64_t model_id, const struct catalog_labels *labels);

/* The model that the link leads to: 0, -ENOENT. */
int catalog_link(struct catalog *catalog, const char *name, int64_t *ret_model_id);
/* On the desk. `model_id` 0: no such link any more. It goes with its model, too. */
int catalog_set_link(struct catalog *catalog, const char *name, int64_t model_id);

#endif
