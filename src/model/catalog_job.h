/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_CATALOG_JOB_H
#define WEIGHTFS_MODEL_CATALOG_JOB_H

/*
 * Jobs as the catalogue keeps them: open ones, so that a restart goes on with them, and the history
 * of ended ones. A row outlives its model: `key` still says what it was about. Threads and errors as
 * in catalog.h: reading anywhere, writing on the desk.
 */

#include "model/catalog.h"

#define CATALOG_WORDS_SIZE 1024
#define CATALOG_MEMO_SIZE  1024

/* Those before JOB_DONE are open. The numbers are on disk. */
enum catalog_job_state { JOB_QUEUED, JOB_RUNNING, JOB_PAUSED, JOB_DONE, JOB_FAILED, JOB_CANCELLED };
/* The numbers are on disk; greater ones go first. */
enum catalog_job_priority { PRIORITY_LOW = -1, PRIORITY_NORMAL = 0, PRIORITY_HIGH = 1 };

struct catalog_job {
    int64_t id;
    int64_t model_id;               /* 0: about the whole; a forgotten model's id leads nowhere */
    char key[NAME_KEY_SIZE];        /* "hf:acme/tiny"; "" about the whole */
    char kind[16];                  /* "pull" */
    char words[CATALOG_WORDS_SIZE]; /* its arguments, by spaces */
    char memo[CATALOG_MEMO_SIZE];   /* what its kind wants to know after a restart; "" */
    enum catalog_job_state state;
    enum catalog_job_priority priority;
    int64_t held_by; /* the uid that paused it; -1: nobody did */
    int64_t uid;     /* who asked for it; -1: the daemon did */
    int64_t pid;
    uint64_t limit_rate;                      /* bytes a second; 0: none of its own */
    unsigned tries;                           /* how often something failed and was tried again */
    int64_t created_ms, started_ms, ended_ms; /* wall clock; 0 not yet */
    int error;
    struct reason reason;
    uint64_t bytes_total, bytes_done;
};

/* --- Reading --- */
int catalog_job(struct catalog *catalog, int64_t id, struct catalog_job *ret_job);
/* The newest of the model's of this kind (NULL: of any). */
int catalog_last_job(struct catalog *catalog, int64_t model_id, const char *kind,
    struct catalog_job *ret_job);
int catalog_list_jobs(struct catalog *catalog, bool open_only, int64_t after_id, struct catalog_job *array,
    size_t room);
/* The uid that paused all jobs; -ENOENT: nobody did. */
int catalog_hold(struct catalog *catalog, int64_t *ret_uid);

/* --- Writing --- */
int catalog_set_hold(struct catalog *catalog, int64_t uid /* -1: nobody */);
int catalog_add_job(struct catalog *catalog, const struct catalog_job *job, int64_t *ret_id);
/* All but id, model, key, kind, words, who asked and when it was created. */
int catalog_set_job(struct catalog *catalog, const struct catalog_job *job);
/* Removes ended ones, oldest first, but so many. */
int catalog_trim_jobs(struct catalog *catalog, unsigned keep);

#endif
