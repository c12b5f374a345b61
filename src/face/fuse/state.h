/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_FACE_FUSE_STATE_H
#define WEIGHTFS_FACE_FUSE_STATE_H

/*
 * What a successor on the same session must know, in a small text file: lines are appended as things
 * happen, and count from then on (a process that is killed loses no write(2)). A last line without its end
 * is not there. When most lines are history the file is written anew.
 *
 *     init HEX        the kernel's FUSE_INIT request, as it came
 *     cached          nothing more is passed through in this session
 *     + NODE ID       the node is passed through, as this backing id (both decimal)
 *     - NODE          it is not any more
 *
 * No locks: the owner of the struct says who may call.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct state;

/* `resume`: reads what a predecessor wrote, a line at a time; else begins anew. -errno. */
int state_open(const char *path, bool resume, void (*take)(void *context, const char *line), void *context,
    struct state **ret_state);
void state_close(struct state *state); /* the file stays */
/* Appends a line; NULL is allowed (there is no successor). Failures are logged once: the mount goes on
 * without a successor. */
void state_add(struct state *state, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* True when the file should be written anew: it has many more lines than `live`. */
bool state_is_long(const struct state *state, size_t live);
/* Replaces the file by `lines`, each ended. The line "init" is kept by the state itself. */
void state_replace(struct state *state, const struct buf *lines, size_t count);
/* The INIT request of this session. */
void state_set_init(struct state *state, const void *request, size_t size);
/* Its bytes and their count; 0 when it is not known. */
size_t state_init(const struct state *state, void *request, size_t size);

#endif
