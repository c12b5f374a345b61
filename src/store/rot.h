/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_STORE_ROT_H
#define WEIGHTFS_STORE_ROT_H

/*
 * Taking a sealed file that is no longer what it was out of service (README.md, I12). For verify.c, and for
 * the walk after the start, which ends what a crash interrupted.
 */

#include "store/store.h"

/* `fd` is the file that was read as blobs/sha256/…/`sha256`. -ERR_ROTTEN: it is out of service for all
 * daemons, told, and fetched again where wished. -ERR_GONE: it is not that file any more. Others: it could
 * not be taken out, and is served on. Any thread that may wait for another process for a moment. */
int rot_take_out(struct blob *blob, const char *sha256, int fd, bool refetch, struct reason *reason);
/* The generation that had it is over already: what is left is to say so and to fetch it again. */
void rot_tell(struct blob *blob, bool refetch, const struct reason *reason);
/* The sealed file can't be served: when it is there with another size, that is rot too, and the blob's error
 * says so from now on. */
void rot_note_size_locked(struct blob *blob);
/* Ends what a crash interrupted in one folder of the shelf. */
void rot_repair(struct store *store, const char *folder);

#endif
