/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_FACE_FUSE_KNOWN_H
#define WEIGHTFS_FACE_FUSE_KNOWN_H

/*
 * Which folders the kernel may know: it looked them up and has not forgotten them. Who watches a name keeps
 * its folder known, so what is not known here is watched by nobody. Kept as counts by a hash of the node,
 * without locks: folders that share one, and answers that nobody waited for any more, make it say "may be"
 * too often, never too seldom. After a take-over everything may be known.
 */

#include "face/fuse/inside.h"

struct known;

struct known *known_new(bool everything);
void known_free(struct known *known); /* NULL is allowed */
/* An entry was answered; nodes that are no folders are passed over. */
void known_add(struct known *known, uint64_t node);
void known_forget(struct known *known, uint64_t node, uint64_t count);
bool known_may_be(const struct known *known, uint64_t node);

#endif
