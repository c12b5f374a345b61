/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_STORE_SHELF_H
#define WEIGHTFS_STORE_SHELF_H

/*
 * What lies in the store's folders now, of all daemons: sealed blobs and the data of parts, with their
 * sizes and last uses (the files' access times, which users of a blob set). Read from disk each time; one
 * thread's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outside/digest.h"

struct store;

struct shelf_item {
    char name[DIGEST_TEXT_SIZE]; /* sealed: the hex digits; a part: its key */
    bool is_part;
    uint64_t bytes;  /* on disk */
    int64_t used_ns; /* last use, wall time */
};

struct shelf {
    struct shelf_item *items;
    size_t count, room;
    uint64_t bytes;
};

void shelf_read(struct store *store, struct shelf *shelf);
/* Leaves out what any instance of the store holds, and sorts by last use, oldest first. */
void shelf_order(struct store *store, struct shelf *shelf);
/* Does any instance hold this key, or (by their hex digits) these sealed bytes? */
bool shelf_is_held(struct store *store, const char *key);
/* When the blob of `key` (complete: with this SHA-256; else "") was last used, wall time; 0: it is not
 * here. */
int64_t shelf_used_ms(struct store *store, const char *key, const char *sha256);
/* Does anybody, of any daemon, use this file now? */
bool shelf_is_used(struct store *store, const struct shelf_item *item);
/* Drops the file unless it is held or used: the bytes that it freed. Disk work: not from a FUSE thread. */
uint64_t shelf_evict(struct store *store, const struct shelf_item *item);
/* Is the store ours alone, or have other instances files in it? */
bool shelf_is_alone(struct store *store);
void shelf_done(struct shelf *shelf);
/* The smallest cache_max_bytes of the instances that run now; 0: none has one. */
uint64_t shelf_budget(struct store *store);

#endif
