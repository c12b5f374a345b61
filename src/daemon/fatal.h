/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_FATAL_H
#define WEIGHTFS_DAEMON_FATAL_H

/*
 * Signals that kill (SIGSEGV and the like) print the last lines of the log to standard error first,
 * then kill as they would have. Once, before threads start.
 */

void fatal_catch(void);

#endif
