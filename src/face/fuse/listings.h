/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_FACE_FUSE_LISTINGS_H
#define WEIGHTFS_FACE_FUSE_LISTINGS_H

/*
 * Which listings the kernel may keep: it has the names of a model's folder in its page cache then, and asks
 * nothing when the folder is read again. It is told at each opendir whether what it has is still good, so
 * that a listing is right from the moment on at which the tree's version of it rose, whatever notifications
 * do. What is kept comes without attributes; hence a listing is read again
 *
 *   - after 45 s, before the attributes that came with it (60 s, of what is not here) are too old, so that
 *     they come back page by page and not one by one;
 *   - when the kernel has forgotten a model's file since: of any folder, since whose it was is not known.
 *
 * A table of fixed size; what finds no place is read again each time. Threads: any.
 */

#include "face/fuse/inside.h"

struct listings;

struct listings *listings_new(void);
void listings_free(struct listings *listings); /* NULL is allowed */
/* At an opendir: whether what the kernel may have of the folder is of this version (tree_listing_version()).
 * false: it reads it now. */
bool listings_keep(struct listings *listings, uint64_t node, uint64_t version);
/* The kernel forgot a node; those that are no model's files are passed over. */
void listings_forget(struct listings *listings, uint64_t node);

#endif
