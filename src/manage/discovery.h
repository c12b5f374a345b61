/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_DISCOVERY_H
#define WEIGHTFS_MANAGE_DISCOVERY_H

/*
 * One discovery, as discover.c (asking) and discover_store.c (storing and telling) share it.
 */

#include "manage/internal.h"

struct discovery {
    struct list link; /* manage->discoveries, under lock, until its askers are told */
    struct manage *manage;
    const struct source *source;
    char model[NAME_MODEL_SIZE], revision[NAME_REVISION_SIZE];
    char key[NAME_KEY_SIZE]; /* for people */
    bool refresh;            /* it was asked for though the model may be known */
    bool hold;               /* what is told is made known, and not selected */
    bool is_list;            /* of a remote source: all models of the place `model` */
    struct list waits, asks; /* under lock */

    void *talk; /* the source's */
    struct source_ask ask;
    struct http_request request;
    bool asked; /* request holds an answer */
    int transfer_result;
    unsigned attempts;
    uint64_t until_ms; /* clock_ms */
    struct work work;
    struct timer timer;
    bool delayed; /* the timer is armed, under lock */

    int result; /* for conclude() */
    struct reason reason;
    struct manifest *manifest;
    struct roster *roster;  /* of a remote source */
    unsigned retry_after_s; /* as the last answer said */
};

/* Of a remote source: the place that is asked. */
void discovery_place(const struct discovery *discovery, char to[static NAME_MODEL_SIZE]);
/* On the desk: stores what was learnt, tells the askers, and frees the discovery. */
void discovery_conclude(struct work *work);

/* The short memory of what failed for a passing reason (failure.c). 0: nothing is remembered of `key`. */
int failure_recall(struct manage *manage, const char *key);
void failure_remember(struct manage *manage, const char *key, int error);

#endif
