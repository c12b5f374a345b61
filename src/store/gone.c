/* SPDX-License-Identifier: Apache-2.0 */
/* Telling that a file of the shelf was unlinked. Of most nobody has the blob, of some nobody asked since this
 * daemon began: their models' states, and what the kernel believes, are old all the same. */

#include "store/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bus.h"

/* The blob's digest is read without its lock where nobody has it: whoever gets it takes ours first. */
static bool may_be_locked(const struct blob *blob, const char *key, const char *sha256) {
    if (strcmp(blob->key, key) == 0)
        return true;
    if (!*sha256 || digest_kind_of(blob->key) == DIGEST_SHA256)
        return false;
    return atomic_load(&blob->refs) || strcmp(blob->meta.sha256, sha256) == 0;
}

/* References to those of this daemon's blobs that the file may be of; the array is the caller's. */
static struct blob **find_known(struct store *store, const char *key, const char *sha256, size_t *ret_count) {
    size_t count = 0, room = 0;
    struct blob **known = NULL;
    LOCK_SCOPE(&store->lock);
    for (size_t i = 0; i < STORE_BUCKETS; i++)
        list_each (at, &store->buckets[i]) {
            struct blob *blob = list_entry(at, struct blob, table_link);
            if (!may_be_locked(blob, key, sha256))
                continue;
            if (count == room)
                known = mem_resize(known, room = room ? room * 2 : 64, sizeof *known);
            known[count++] = store_lend_locked(store, blob);
        }
    *ret_count = count;
    return known;
}

static bool is_of(struct blob *blob, const char *key, const char *sha256) {
    if (strcmp(blob->key, key) == 0)
        return true;
    LOCK_SCOPE(&blob->lock);
    return *sha256 && strcmp(blob->meta.sha256, sha256) == 0;
}

void store_tell_gone(struct store *store, const char *name, bool is_part) {
    char key[DIGEST_TEXT_SIZE + 16];
    (void)snprintf(key, sizeof key, is_part ? "%s" : "sha256-%s", name); /* fits */
    const char *sha256 = is_part ? "" : name;
    size_t count;
    struct blob **known = find_known(store, key, sha256, &count);
    bool told = false;
    for (size_t i = 0; i < count; i++) {
        if (is_of(known[i], key, sha256)) {
            struct blob_info info;
            blob_look(known[i], &info);
            bus_publish(
                &(struct news){.kind = NEWS_BLOB_GENERATION, .key = known[i]->key, .id = info.generation});
            told = told || strcmp(known[i]->key, key) == 0;
        }
        blob_put(known[i]);
    }
    free(known);
    /* Which generation is next is found when it is next asked for. */
    if (!told)
        bus_publish(&(struct news){.kind = NEWS_BLOB_GENERATION, .key = key});
}
