/* SPDX-License-Identifier: Apache-2.0 */
/* What ails the whole, for the root's status and health: the last failure of the kinds that say so. */

#include "manage/internal.h"

/* Failures that say more than that one model, file or name is not to be had. */
static const int ailments[] = {-ERR_TOKEN, -ERR_UNREACHABLE, -ERR_STALLED, -ERR_DEADLINE, -ERR_TLS,
    -ERR_INSECURE, -ERR_RATE_LIMITED, -ERR_SERVER, -ERR_STATUS, -ERR_ANSWER, -ERR_JSON, -ERR_RANGE};

void manage_trouble(struct manage *manage, int error, const char *about, const char *reason) {
    size_t at = 0, count = sizeof ailments / sizeof *ailments;
    while (at < count && ailments[at] != error)
        at++;
    if (at == count)
        return;
    LOCK_SCOPE(&manage->lock);
    manage->error = error;
    manage->error_ms = clock_ms();
    (void)err_because(&manage->reason, error, "%s%s%s", about ? about : "", about ? ": " : "", reason);
}

void manage_success(struct manage *manage, bool token_too) {
    LOCK_SCOPE(&manage->lock);
    if (token_too || manage->error != -ERR_TOKEN)
        manage->error = 0;
}
