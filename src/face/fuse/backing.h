/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_FACE_FUSE_BACKING_H
#define WEIGHTFS_FACE_FUSE_BACKING_H

/*
 * Which nodes the kernel reads by itself. A node (a complete file's: even generation) that is passed
 * through has one backing id, shared by all who have it open; the kernel refuses a second one, and refuses
 * to mix passing through with caching on one node. So:
 *
 *   - the first open registers the file, the id is kept while it is open and backing_linger_s longer, and
 *     is closed by the sweeper;
 *   - when registering fails for the first time (no right to, no such feature, backing file on a stacked
 *     file system), or passthrough=off, no node that has no id gets one for the rest of the session: it is
 *     opened cached, always. Nodes that have one keep it;
 *   - what a predecessor registered is never registered again and never closed: its opens can't be counted.
 *
 * Each open is a use of the blob (blob_use). Between opens that follow each other quickly the use is kept,
 * since beginning one costs system calls.
 *
 * Threads: any. The lock (BACKING) is not held while registering.
 */

#include "face/fuse/inside.h"

/* `state_path`: NULL when there will be no successor; else makes face->state, and on a take-over reads
 * what the predecessor left. */
int backing_start(struct face *face, const char *state_path, struct backing **ret_backing);
void backing_free(struct backing *backing); /* after the session has ended: ids die with it */
/* INIT: what the kernel and libfuse can. */
void backing_offer(struct backing *backing, bool possible);
bool backing_is_on(struct backing *backing);
/* Keeps the bytes of INIT for a successor. */
void backing_note_init(struct backing *backing, const void *request, size_t size);

/* Opens a node that is passed through already: 0 and its id; -ENOENT: it is not (ask the tree); else why
 * the blob can't be used. */
int backing_open(struct backing *backing, uint64_t node, int32_t *ret_id);
/* Opens a complete blob of the node: as backing_open, registering it if need be. -ENOTSUP: it is to be
 * opened cached. The blob stays the caller's. */
int backing_register(struct backing *backing, uint64_t node, struct blob *blob, int32_t *ret_id);
/* The RELEASE of an open that one of the two gave (not a predecessor). */
void backing_release(struct backing *backing, uint64_t node);
/* Closes what has lingered. Four times a second. */
void backing_sweep(struct backing *backing);

#endif
