/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_FACE_FUSE_POLL_H
#define WEIGHTFS_FACE_FUSE_POLL_H

/*
 * poll(), select() and epoll on `events` and on answers: readable when there is more than the handle has
 * read (of an answer also when it has ended), and woken when there comes more. All other files are always
 * ready, as the kernel has it for files.
 */

#include "face/fuse/inside.h"

struct polls;

struct polls *polls_new(struct face *face);
/* Nobody polls any more; the tree and the notifier are still there. */
void polls_close(struct polls *polls);
/* After the session has ended. NULL is allowed. */
void polls_free(struct polls *polls);
/* There are news of events. Takes no lock but the notifier's. */
void polls_news(struct polls *polls);
/* Wakes those whose time has come. On the notifier's thread: it calls the kernel. */
void polls_wake(struct polls *polls);
/* The handle is closed. */
void polls_forget(struct polls *polls, uint64_t handle);

/* The kernel's request. */
void poll_poll(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file, struct fuse_pollhandle *wake);

#endif
