/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_ROSTER_H
#define WEIGHTFS_MODEL_ROSTER_H

/*
 * What a server elsewhere told of the models that it serves: the result of a listing (weightfs/source.h),
 * before it is in the catalogue. Built by one thread and then only read. Names that can't be shown are
 * counted and left out, and never stop the rest.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "model/card.h"
#include "model/name.h"

#define ROSTER_MOST        1000 /* of one place; further ones are only counted */
#define ROSTER_DIGEST_SIZE 80

struct roster_model {
    char name[NAME_MODEL_SIZE]; /* as in keys behind the source: "work/google/gemma-3", "gemma2:9b" */
    /* Changes when the name stands for other weights; "" where the server does not tell. */
    char digest[ROSTER_DIGEST_SIZE];
    char *card; /* what was told of it: card_print_json() */
    bool whole; /* asking about it alone would tell no more */
};

struct roster {
    struct roster_model *models; /* sorted by name, each once, after roster_finish() */
    size_t count;
    size_t refused; /* whose names can't be shown */
    size_t beyond;  /* more than ROSTER_MOST */
    bool all;       /* what is not in it is not served; else it is about one model */
};

struct roster *roster_new(void);
void roster_free(struct roster *roster); /* NULL is allowed */
/* Adds a model, unless its name can't be shown or there are too
 * many. `digest` may be NULL; one that is no word is none. */
void roster_add(struct roster *roster, const char *name, const char *digest, const struct card *card,
    bool whole);
/* Sorts; of what is there twice one stays. */
void roster_finish(struct roster *roster);
/* NULL: it is not in it. After roster_finish(). */
const struct roster_model *roster_find(const struct roster *roster, const char *name);

#endif
