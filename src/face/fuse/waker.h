/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_FACE_FUSE_WAKER_H
#define WEIGHTFS_FACE_FUSE_WAKER_H

/*
 * Wakes those who watch files of ours with inotify. They see only what processes do with a file, so a
 * helper process does something for each change: it sets a time (IN_MODIFY), which we answer and which
 * changes nothing; and for a new job it makes the folder that is there already (IN_CREATE in jobs/). We
 * answer so for that one process, known by its number, which is nobody else's while it is our child.
 *
 * The helper (wake_helper.c, the same program) is started when there is something to tell of a folder that
 * the kernel knows, and leaves after some idle time. It is told a batch of names at a time and answers when
 * it is done: so at most one batch is under way, what changes meanwhile is collected (each object once,
 * WISHES_MOST objects, more are dropped), and between batches is a quarter of a second. When it dies it is
 * started again, some times; a mount without it only wakes nobody.
 *
 * It holds nothing of the mount: it opens, touches and closes, for less than a millisecond. It ends with us
 * by its socket and by a death signal.
 */

#include "face/fuse/inside.h"

#define WAKER_VERB "wake-helper" /* argv[1] of the helper */

struct waker;

/* *ret_waker NULL when it can't be known where we are mounted (a supervisor's session on an older kernel):
 * then nobody is woken. -errno. */
int waker_start(struct face *face, struct waker **ret_waker);
/* Quick, any thread. */
void waker_add(struct waker *waker, enum tree_wake what, uint64_t object);
/* While requests are being answered still. */
void waker_stop(struct waker *waker);
void waker_free(struct waker *waker); /* stopped, and nobody adds any more; NULL is allowed */

/* Is it our helper that asks? NULL waker: no. */
bool waker_is_asking(const struct waker *waker, const struct call *call);
/* The helper looks for the folder that it is about to make: it must not find it. */
bool waker_hides(const struct waker *waker, const struct call *call, const char *name);
/* mkdir: true when it was the helper's, and was answered. */
bool waker_makes(const struct waker *waker, const struct call *call, const char *name);

/* The helper's main(), with its words behind the verb: the mountpoint, and "MAJOR:MINOR" of its device; its
 * socket is descriptor 0. An exit code. */
int wake_helper(int argc, char **argv);

#endif
