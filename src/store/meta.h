/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_STORE_META_H
#define WEIGHTFS_STORE_META_H

/*
 * parts/KEY/meta: what the store remembers of a blob beside its bytes. Text, one "name value" a line,
 * first line "weightfs 1"; replaced whole. It stays when the blob is sealed or evicted, since it holds the
 * generation and, for keys that are not a SHA-256, under which name the bytes were sealed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/name.h"
#include "outside/digest.h"

enum meta_state {
    META_PARTIAL,  /* data and map, or nothing */
    META_DROPPING, /* data and map, if still there, are of a dead generation */
    META_SEALING,  /* verified; data may or may not have been renamed */
    META_COMPLETE  /* blobs/sha256/… */
};

struct meta {
    uint64_t size;
    uint32_t generation; /* odd while incomplete */
    uint32_t dead;       /* the highest generation that a mismatch killed; 0 */
    unsigned mismatches; /* in a row; 2: corrupt */
    enum meta_state state;
    char boot[BOOT_ID_SIZE];       /* in which "written" blocks count */
    char sha256[SHA256_HEX_SIZE];  /* sealing, complete: the bytes' name; "" */
    char source[NAME_SOURCE_SIZE]; /* where from, for people and repair */
    char model[NAME_MODEL_SIZE];
    char commit[64];
    char path[NAME_PATH_SIZE];
};

#define META_LIMIT 8192

/* Parses hostile text; unknown lines are ignored, -ERR_STORE for anything malformed, -ERR_STORE_VERSION
 * for a later version. */
int meta_parse(const char *text, size_t len, struct meta *ret_meta);
void meta_print(const struct meta *meta, struct buf *to);

/* Which file it was that was read: it is replaced by rename, so another inode or time means another text. */
struct meta_stamp {
    ino_t inode;
    off_t size; /* inodes are used again within a tick of the clock */
    int64_t time_ns;
};
/* parts_fd/KEY/meta. -ENOENT. */
int meta_stat(int parts_fd, const char *key, struct meta_stamp *ret_stamp);
int meta_read(int parts_fd, const char *key, struct meta *ret_meta, struct meta_stamp *ret_stamp);
int meta_write(int part_fd, const struct meta *meta, bool durable, struct meta_stamp *ret_stamp);

#endif
