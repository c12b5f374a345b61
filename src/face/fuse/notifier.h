/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_FACE_FUSE_NOTIFIER_H
#define WEIGHTFS_FACE_FUSE_NOTIFIER_H

/*
 * Tells the kernel what it must not believe any longer. A thread of its own, since the kernel may let it
 * wait for a request that is being answered: it answers none and holds no lock meanwhile. What is asked
 * for twice is told once. When more has come than fits (QUEUE_MOST), the kernel is told to look everything
 * up again.
 *
 * Pages are never dropped: a node's bytes do not change.
 */

#include "face/fuse/inside.h"

int notifier_start(struct face *face, struct notifier **ret_notifier);
/* Quick, any thread. */
void notifier_add(struct notifier *notifier, const struct tree_change *change);
/* Wakes those who poll `events`. Quick, any thread. */
void notifier_wake_polls(struct notifier *notifier);
/* While requests are being answered still, or the session has ended: the thread may be waiting in the
 * kernel. What is queued is let go, and so is what comes after. */
void notifier_stop(struct notifier *notifier);
void notifier_free(struct notifier *notifier); /* stopped, and nobody adds any more; NULL is allowed */

#endif
