/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_SAY_H
#define WEIGHTFS_DAEMON_SAY_H

/*
 * What the command says to the person who typed it: one sentence on standard error, "weightfs: …". The
 * mounted daemon uses base/log.h instead.
 */

#include "weightfs/exit.h"

/* Says it and returns `exit_code`, so that a failure is one statement: return say(WEIGHTFS_EXIT_FATAL,
 * "…"). */
int say(int exit_code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
