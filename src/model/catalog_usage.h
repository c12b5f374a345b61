/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_CATALOG_USAGE_H
#define WEIGHTFS_MODEL_CATALOG_USAGE_H

/*
 * What models were asked: sums a model, a day (of UTC) and a user. They go with the model.
 */

#include <sys/types.h>

#include "model/catalog.h"

#define USAGE_DAY_MS 86400000

struct catalog_usage {
    int64_t model_id;
    int64_t day; /* since 1970 */
    uid_t uid;
    uint64_t questions; /* that ended, the failed ones among them */
    uint64_t failed;
    uint64_t prompt_tokens, answer_tokens;
    uint64_t first_ms; /* from asking to the first text … */
    uint64_t total_ms; /* … and to the end; of those that did not fail, all together */
};

/* Adds to what is there; of a model that is gone nothing is kept. Days before the newest `keep_days` go. On a
 * thread that may wait for the disk. 0 or -ERR_DATABASE, and nothing was added. */
int catalog_add_usage(struct catalog *catalog, const struct catalog_usage *array, size_t count,
    int64_t keep_days);
/* Up to `room` rows of a model behind (after_day, after_uid), by day and user; begin with -1 and 0. The
 * count, or -ERR_DATABASE. */
int catalog_list_usage(struct catalog *catalog, int64_t model_id, int64_t after_day, uid_t after_uid,
    struct catalog_usage *array, size_t room);

#endif
