/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing along the contiguous prefix, judging the whole, sealing. On the pool's threads. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"

#define HASH_PIECE_BYTES (1u << 20)
#define SEAL_RETRY_MS    5000
#define HASH_TELL_BYTES  (64u << 20)

static uint64_t prefix_end(const struct blob *blob) {
    uint32_t block = (uint32_t)(blob->hash_offset / STORE_BLOCK_BYTES);
    while (block < blob->block_count && blob->blocks[block] & ~BLOCK_MARKS)
        block++;
    uint64_t end = (uint64_t)block * STORE_BLOCK_BYTES;
    return end < blob->size ? end : blob->size;
}

static void hash_run(struct work *work);

void blob_hash_locked(struct blob *blob) {
    lock_assert(&blob->lock);
    if (blob->hash_busy || !blob->blocks || blob->store->closing)
        return;
    if (clock_ms() < blob->seal_retry_ms)
        return;
    bool seal = blob->state == BLOB_VERIFIED;
    if (!seal && blob->state != BLOB_FULL) {
        uint64_t ready =
            blob->state == BLOB_PARTIAL && blob->blocks[blob->hash_offset / STORE_BLOCK_BYTES] & ~BLOCK_MARKS
                ? prefix_end(blob) - blob->hash_offset
                : 0;
        if (ready < HASH_PIECE_BYTES)
            return;
    }
    /* One daemon hashes and seals; the others look again (I8). */
    int error = blob_lock_hash(blob);
    if (error == -EAGAIN)
        blob->foreign = true;
    if (error && error != -EAGAIN) {
        blob->error = error;
        (void)err_because(&blob->reason, error, "the lock for hashing: %s", err_sentence(error));
        blob->seal_retry_ms = clock_ms() + SEAL_RETRY_MS;
    }
    if (error)
        return;
    blob->hash_busy = true;
    blob->hash_work.run = hash_run;
    (void)blob_ref(blob);
    pool_submit(blob->store->settings.pool, &blob->hash_work);
}

/* For those who wait: ours by the clock, other daemons' by the time of `map`. */
static void tell_progress(struct blob *blob) {
    LOCK_SCOPE(&blob->lock);
    blob->moved_ms = clock_ms();
    if (blob->map_fd >= 0)
        (void)futimens(blob->map_fd, NULL);
}

/* Hashes what is contiguous; 1 when the end was reached, 0 when bytes are missing, or an error. */
static int hash_prefix(struct blob *blob, int fd, struct digest *digest, uint64_t offset,
    uint32_t generation) {
    TEXT_CLEANUP char *piece = mem_new(HASH_PIECE_BYTES);
    for (;;) {
        uint64_t end;
        {
            LOCK_SCOPE(&blob->lock);
            if (blob->meta.generation != generation || !blob->blocks)
                return -ERR_STALE;
            blob->hash_offset = offset;
            blob->moved_ms = clock_ms();
            end = prefix_end(blob);
        }
        if (offset == blob->size)
            return 1;
        if (end == offset)
            return 0;
        while (offset < end) {
            size_t len = end - offset < HASH_PIECE_BYTES ? (size_t)(end - offset) : HASH_PIECE_BYTES;
            int error = path_read_all(fd, piece, len, offset);
            if (error < 0)
                return error;
            digest_add(digest, piece, len);
            offset += len;
            if (offset % HASH_TELL_BYTES < HASH_PIECE_BYTES)
                tell_progress(blob);
        }
    }
}

/* After the first mismatch the file is fetched once more by itself, as if somebody wanted it. */
void blob_refetch_locked(struct blob *blob, bool on) {
    if (blob->refetch != on)
        blob->wants += on ? 1 : -1u;
    blob->refetch = on;
}

/* The digest is known: right, or the generation dies. True when it is right. */
static bool judge(struct blob *blob, const char *sha256, const char *promised, uint32_t generation) {
    LIST_HEAD(ended);
    bool right = !strcmp(promised, blob->key);
    lock_take(&blob->lock);
    if (blob->meta.generation != generation) {
        lock_drop(&blob->lock);
        return false;
    }
    if (right) {
        blob->state = BLOB_VERIFIED;
        (void)text_copy(blob->meta.sha256, sizeof blob->meta.sha256, sha256);
        blob_serve_locked(blob, &ended);
    } else {
        blob->meta.dead = generation;
        blob->meta.mismatches++;
        blob_drop_locked(blob, -ERR_MISMATCH, &ended);
        blob_refetch_locked(blob, blob->state == BLOB_ABSENT);
        (void)err_because(&blob->reason, -ERR_MISMATCH, "what came has the digest %s, promised was %s",
            promised, blob->key);
        free(blob->location);
        blob->location = NULL;
    }
    lock_drop(&blob->lock);
    metric_add(&store_metrics[STORE_VERIFIED], right ? STORE_VERDICT_OK : STORE_VERDICT_MISMATCH, 1);
    blob_end_waits(&ended);
    bus_publish(&(struct news){.kind = right ? NEWS_BLOB_VERIFIED : NEWS_BLOB_GENERATION,
        .key = blob->key,
        .id = right ? generation : generation + 2,
        .error = right ? 0 : -ERR_MISMATCH});
    return right;
}

/* Under the shelf folder's lock: what is found there must not be taken away for rot between the look and what
 * follows from it (I12). */
static int put_on_shelf(struct blob *blob, int part_fd, int folder_fd, const char *sha256) {
    struct stat stat;
    int error = part_lock(folder_fd, 500);
    if (error)
        return error;
    /* The same bytes may lie there already, under another key or by another daemon: then ours are one copy
     * too many. */
    bool there =
        !fstatat(folder_fd, sha256, &stat, AT_SYMLINK_NOFOLLOW) && (uint64_t)stat.st_size == blob->size;
    if (there ? unlinkat(part_fd, "data", 0) && errno != ENOENT /* an earlier try came so far */
              : renameat(part_fd, "data", folder_fd, sha256))
        error = -errno;
    part_unlock(folder_fd);
    return error;
}

/* Gives the verified bytes their place. Every step may fail or be the last before a power cut; load.c's
 * settle() understands what is left. Under the folder lock. */
static int place(struct blob *blob, int part_fd, struct meta *meta) {
    char folder[16];
    (void)snprintf(folder, sizeof folder, "sha256/%.2s", meta->sha256);
    struct meta_stamp stamp;
    meta->state = META_SEALING;
    int error = meta_write(part_fd, meta, true, &stamp);
    if (error)
        return error;
    FD_CLEANUP int folder_fd = path_open_folder(blob->store->blobs_fd, folder, true);
    if (folder_fd < 0)
        return folder_fd;
    error = FAULT(store_seal_rename);
    if (error >= 0)
        error = put_on_shelf(blob, part_fd, folder_fd, meta->sha256);
    if (error < 0)
        return error;
    error = FAULT(store_after_seal_rename);
    if (error >= 0)
        error = FAULT(store_seal_sync_folder);
    FD_CLEANUP int shelf_fd = path_open_folder(blob->store->blobs_fd, "sha256", false);
    if (error < 0 || shelf_fd < 0 || fsync(folder_fd) || fsync(shelf_fd))
        return error < 0 ? error : -errno;
    meta->state = META_COMPLETE;
    meta->generation++;
    meta->mismatches = 0;
    error = meta_write(part_fd, meta, false, &stamp);
    if (!error)
        (void)unlinkat(part_fd, "map", 0); /* still under the lock: later it might be a new part's */
    return error;
}

static int seal_files(struct blob *blob, int part_fd, int fd, struct meta *meta) {
    int error = FAULT(store_seal_sync);
    if (error < 0 || fchmod(fd, 0444) || fsync(fd))
        return -ERR_STORE; /* a second fsync would say yes though the bytes are lost */
    error = part_lock(part_fd, 1000);
    if (error)
        return error;
    error = place(blob, part_fd, meta);
    part_unlock(part_fd);
    return error;
}

/* Closes *fd before the blob is told complete: it shares the lock that keeps evictors away. */
static int seal(struct blob *blob, int *fd, uint32_t generation) {
    struct meta meta;
    int part_fd;
    {
        LOCK_SCOPE(&blob->lock);
        if (blob->meta.generation != generation || blob->state != BLOB_VERIFIED)
            return -ERR_STALE;
        meta = blob->meta;
        part_fd = fcntl(blob->part_fd, F_DUPFD_CLOEXEC, 0); /* a reset may close the blob's */
        if (part_fd < 0)
            return -errno;
    }
    int error = seal_files(blob, part_fd, *fd, &meta);
    path_close(fd);
    LIST_HEAD(ended);
    lock_take(&blob->lock);
    bool same = blob->meta.generation == generation && blob->state == BLOB_VERIFIED;
    if (error == -ERR_STORE && same) {
        blob_lose_locked(blob, "verified, but the disk of the store could not keep it", &ended);
    } else if (error) {
        blob->seal_retry_ms = clock_ms() + SEAL_RETRY_MS;
        blob->error = error == -ENOSPC ? -ERR_FULL : error;
        (void)err_because(&blob->reason, blob->error, "verified, but could not be put into the store: %s",
            err_sentence(blob->error));
    } else if (!same) {
        /* Another thread's look found it sealed already, and it may even have been evicted since (I10). */
        if (blob->map_fd >= 0)
            blob_unlock_hash(blob);
        blob->hash_busy = false;
    } else {
        blob->meta = meta;
        (void)meta_stat(blob->store->parts_fd, blob->key, &blob->stamp);
        blob->state = BLOB_COMPLETE;
        blob->present = blob->block_count;
        blob->unsynced = false;
        blob_unlock_hash(blob);
        path_close(&blob->map_fd);
        free(blob->blocks);
        blob->blocks = NULL;
        blob->error = 0;
        blob->losses = 0;
        blob->hash_busy = false;
        blob_refetch_locked(blob, false);
        blob_serve_locked(blob, &ended);
        /* The descriptor at hand may be of a file that was unlinked for being a second copy: the next user
         * opens the sealed one. */
        if (!blob->users)
            path_close(&blob->data_fd);
    }
    lock_drop(&blob->lock);
    path_close(&part_fd);
    blob_end_waits(&ended);
    return error;
}

static void hash_run(struct work *work) {
    struct blob *blob = list_entry(work, struct blob, hash_work);
    struct digest *digest;
    uint64_t offset;
    uint32_t generation;
    bool verified;
    int fd;
    {
        LOCK_SCOPE(&blob->lock);
        digest = blob->hash;
        blob->hash = NULL;
        offset = digest ? blob->hash_offset : 0;
        generation = blob->meta.generation;
        verified = blob->state == BLOB_VERIFIED;
        fd = blob->data_fd < 0 ? -1 : fcntl(blob->data_fd, F_DUPFD_CLOEXEC, 0);
    }
    if (!digest)
        digest = digest_new(blob->promised, blob->size);
    int result = fd < 0 ? -EMFILE : verified ? 1 : hash_prefix(blob, fd, digest, offset, generation);
    if (result == 1 && !verified) {
        char sha256[SHA256_HEX_SIZE], promised[DIGEST_TEXT_SIZE];
        digest_end(digest, sha256, promised);
        digest_free(digest);
        digest = NULL;
        verified = judge(blob, sha256, promised, generation);
    }
    int sealed = verified && result == 1 ? seal(blob, &fd, generation) : -EAGAIN;
    path_close(&fd);
    LIST_HEAD(ended);
    {
        LOCK_SCOPE(&blob->lock);
        if (result >= 0 && blob->meta.generation == generation && blob->blocks) {
            blob->hash = digest; /* goes on there when more has come */
            digest = NULL;
        }
        if (sealed) { /* else it was done with before it was told complete */
            if (blob->map_fd >= 0)
                blob_unlock_hash(blob);
            blob->hash_busy = false;
        }
        if (result < 0 && result != -ERR_STALE) {
            /* what was added behind hash_offset is in the digest too: begun anew, after a while */
            blob->hash_offset = 0;
            blob->seal_retry_ms = clock_ms() + SEAL_RETRY_MS;
            blob->error = result;
            (void)err_because(&blob->reason, result, "its part can't be read: %s", err_sentence(result));
            blob_tell_locked(blob, result, &ended);
        }
        blob_hash_locked(blob); /* bytes that came between the last look and now */
        blob_close_locked(blob);
    }
    blob_end_waits(&ended);
    digest_free(digest);
    if (!sealed)
        bus_publish(&(struct news){.kind = NEWS_BLOB_GENERATION, .key = blob->key, .id = generation + 1});
    blob_attend(blob);
    blob_put(blob);
}
