/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_AUDIT_H
#define WEIGHTFS_MANAGE_AUDIT_H

/*
 * Who commanded what: rows in the catalogue, of commands that were done, that failed and that were refused.
 * And how often somebody may command: `command_rate` commands a minute for each user but root, all of which
 * may come at once; each refusal counts too.
 */

#include "manage/internal.h"

/* The audit's row of the line that ended; desk, inside its transaction. The caller is still waiting for it,
 * so his /proc entry is there. */
int audit_line(struct manage *manage, const struct command_request *request, const char *target,
    const char *line, int result);

/* May the user do `count` more commands now? 0; -ERR_TOO_OFTEN, and *ret_first: it is the first refusal
 * since he was last let through, and is to be written down. Any thread. */
int command_rate_take(struct manage *manage, uid_t uid, size_t count, bool *ret_first);

#endif
