/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_GUARD_H
#define WEIGHTFS_DAEMON_GUARD_H

/*
 * The guard is the daemon's thread that waits for everything that is not a request: signals, the proof
 * that the mount answers, and the end of the shutdown's patience. It never touches the mount.
 *
 *   TERM, INT   end the mount; a second one ends it by force (the kernel answers all that is waiting)
 *   HUP         opens the log again
 *
 * Life: guard_block_signals() while there is one thread; guard_start(); guard_watch_face() once there
 * is one; guard_ready() from face_run()'s callback; guard_ending() when the shutdown begins: from then
 * on it has GUARD_END_MS, after which the process ends itself (what was fetched is on disk: a crash
 * costs nothing); guard_stop().
 */

#include <stdbool.h>

#include "base/err.h"
#include "face/fuse/face.h"

#define GUARD_READY_MS 15000
#define GUARD_END_MS   12000
#define GUARD_FORCE_MS 2000 /* after a second TERM */

struct guard;

struct guard_settings {
    const char *mountpoint; /* what the proof looks at; NULL: no proof is wanted (a supervisor's session) */
    /* What HUP opens again; NULL: nothing. Stays the caller's, unchanged until guard_stop(). */
    const char *log_path;
    /* Called once on the guard's thread: 0 when the mount answers, else what was wrong. */
    void (*proved)(void *context, int result);
    void *context;
};

/* Signals come to the guard alone, SIGPIPE to nobody; what kills prints the log's last lines first.
 * Before any thread starts. */
void guard_block_signals(void);
/* Forks the child for the proof, then starts the thread: nothing else may run yet. */
int guard_start(const struct guard_settings *settings, struct guard **ret_guard);
void guard_set_log(struct guard *guard, const char *path);
/* From now on TERM ends this face. When one came already it does so at once. NULL: there is none any more. */
void guard_watch_face(struct guard *guard, struct face *face);
void guard_ready(struct guard *guard);
void guard_ending(struct guard *guard);
bool guard_was_asked_to_end(const struct guard *guard);
void guard_stop(struct guard *guard); /* NULL is allowed */

#endif
