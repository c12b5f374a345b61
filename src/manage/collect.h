/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_COLLECT_H
#define WEIGHTFS_MANAGE_COLLECT_H

/*
 * Pulls of many: `ensure` (what is required) and `pull category=… | recommended | all` (of the registry).
 * Each is one job about the whole that goes through its models:
 *
 *   ask      sources are asked of what is not known yet, some at a time
 *   measure  when all are known: is there room for all of it? Else nothing is begun
 *   pull     a pull job for each that is not here; how many run at once is their own option
 *   await    until all of them have ended; those that failed are named at the end
 *
 * After a restart it begins anew: what is here is passed over, pulls that are open are joined. Desk.
 */

#include "manage/job.h"
#include "manage/known.h"

enum target_stage { TARGET_NEW, TARGET_ASKED, TARGET_KNOWN, TARGET_MEASURED, TARGET_PULLED, TARGET_ENDED };

struct target {
    char name[NAME_KEY_SIZE]; /* as people know it */
    struct name_key key;
    enum target_stage stage;
    int64_t model_id, job_id;
    bool is_ours;               /* the pull was begun by us, not joined */
    uint64_t bytes_total, here; /* once it is measured */
    int error;                  /* ended, and not here */
    struct reason reason;
};

struct targets {
    struct target *array;
    size_t count;
    size_t passed_over;               /* of the set, but no source of this version has them */
    char no_source[NAME_SOURCE_SIZE]; /* that of the first */
};

/* What `words` (of a job: "" ensure, "recommended", "all", "category=NAME") mean now. Those that are wrong
 * from the start have ended already, with their error. -ERR_BAD_VALUE: no such category. */
int targets_choose(struct manage *manage, const char *words, struct targets *ret_targets,
    struct reason *reason);
void targets_done(struct targets *targets);
#define TARGETS_CLEANUP __attribute__((cleanup(targets_done)))

/* Is it known as it is asked for? The model's id; 0. */
int64_t target_find_known(struct manage *manage, const struct name_key *key);

/* Is `word` of the root's pull one for a set? */
bool collect_is_set(const char *word);
/* The commands. */
int collect_parse(struct manage *manage, const char *word, struct reason *reason);
int collect_run(struct manage *manage, const struct command_request *request, const char *word,
    struct reason *reason);
/* `ensure` without anybody having asked for it. */
void ensure_at_start(struct manage *manage);

extern const struct job_kind kind_ensure, kind_collect;

#endif
