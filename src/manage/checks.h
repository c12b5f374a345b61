/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_CHECKS_H
#define WEIGHTFS_MANAGE_CHECKS_H

/* The threads that check files: started when they are first needed. */

#include "manage/internal.h"

struct checks;

/* Desk. `slow`: to the one thread that takes its time. -errno: it could not be started. */
int checks_submit(struct manage *manage, struct work *work, bool slow);
/* Any thread; what is under way ends soon then. */
bool checks_are_closing(const struct checks *checks);
/* Waits on the calling thread, at most so long, or until checks are closing or somebody calls checks_wake().
 * For limits of a rate. */
void checks_pause(struct checks *checks, uint64_t ms);
void checks_wake(struct checks *checks); /* NULL is allowed */
/* After the desk has ended. */
void checks_free(struct manage *manage);

#endif
