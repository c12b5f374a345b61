/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_NOTIFY_H
#define WEIGHTFS_DAEMON_NOTIFY_H

/*
 * Telling those who wait for the daemon: a service manager (a datagram to NOTIFY_SOCKET) and the
 * process that the user started.
 */

/* "READY=1", "STOPPING=1" …; lines are divided by newlines. Nothing happens without NOTIFY_SOCKET; it
 * can't fail in a way that matters to the mount. */
void notify_manager(const char *state);

/*
 * The report: one line through a pipe from the daemon to the process that the user started: the exit
 * code, a space, a sentence (none when all is well). fd -1: there is nobody; then the sentence goes to
 * standard error.
 */
void notify_parent(int *fd, int exit_code, const char *sentence);
/* Waits for the report at most `seconds`, and says what it has to say: the exit code. */
int notify_await(int fd, unsigned seconds);

#endif
