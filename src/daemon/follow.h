/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_FOLLOW_H
#define WEIGHTFS_DAEMON_FOLLOW_H

/*
 * Waiting for what is under way, with progress: for a job (jobs/ID) or a model, by the `wait`, `progress`
 * and `status` in its folder. While the process has one thread (a child reads `wait`).
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/name.h"

/* Shows progress on standard error until nothing is under way: 0, -EINTR (from the terminal: what is under
 * way goes on), or what `wait` answered. */
int follow(const char *dir, const char *title, bool is_quiet);

struct outcome_said {
    char kind[32], model[NAME_KEY_SIZE]; /* of jobs; "" */
    char state[64], reason[400];
    char size[64]; /* "3.1 MB"; "" */
};
/* What `status` in the folder says of it. -errno. */
int follow_outcome(const char *dir, struct outcome_said *ret_said);

/* Follows the job `id` of `mount` and says what became of it: an exit code (WEIGHTFS_EXIT_FAILURE also for a
 * validation that found something). `title` "": the job's model. */
int follow_job(const char *mount, int64_t id, const char *title, bool is_quiet);

/* Calls `visit` for each job number in a sentence ("job 12 fetches …", "jobs 3, 4 and 5 …"), until it returns
 * something else than 0, which is then returned. */
int follow_each_job(const char *sentence, int (*visit)(void *context, int64_t id), void *context);

#endif
