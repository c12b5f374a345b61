/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_ASK_H
#define WEIGHTFS_TREE_ASK_H

/*
 * `ask`: prompt and reply on one descriptor, which no other sees. It is a stream: there are no offsets, the
 * position stands in the handle. What is written is a prompt; the first read (or poll) after it asks it, and
 * reads its answer, in order; at the answer's end reads give 0, or its error; the next write begins a new
 * turn, independent of the former one, which is cancelled if it is not over. The last close cancels too.
 *
 * A reader that is killed while it waits ends the question, though the descriptor may live on in its parent;
 * one that was only interrupted reads on. So when a read is interrupted the question remembers who read, and
 * ends when that process is no more (infer_watch).
 *
 * Opened read-only it is a text that tells of this; write-only it can't be opened, since nobody could read
 * the answer. A descriptor that a former daemon gave out gives EIO: what was written through it is lost.
 */

#include "tree/handle.h"

/* Any thread; handles.lock is taken, never held while something else is called. */

/* 0, or -EINVAL: write-only. `caller` NULL: taken up from a predecessor. */
int ask_open(struct tree *tree, struct handle *handle, const struct tree_caller *caller);
/* 0: taken. -E2BIG: nothing of the turn will be asked, and until a read has said so nothing more is taken;
 * -EIO: taken up from a predecessor; -EOPNOTSUPP, -ERR_CANCELLED: as infer_begin(). */
int ask_write(struct tree *tree, struct handle *handle, const void *data, size_t size,
    const struct tree_caller *caller);
/* Asks what was written. 0: there is something to read, or an end; PARKED, which ends when there is or when
 * the turn is over. `caller` is watched from the moment the wait is withdrawn. */
int ask_await(struct tree *tree, struct handle *handle, const struct tree_caller *caller, struct wait *wait);
/* The count; 0: the turn's end, or nothing was written; TREE_READ_AGAIN: another reader took what there
 * was; or the answer's error. */
ssize_t ask_read(struct tree *tree, struct handle *handle, void *data, size_t size);
/* The last close. */
void ask_close(struct tree *tree, struct handle *handle);

#endif
