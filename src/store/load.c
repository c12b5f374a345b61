/* SPDX-License-Identifier: Apache-2.0 */
/* A blob's files: reading what is on disk, opening, closing, and starting over. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"
#include "store/rot.h"

static void sealed_name(const char *sha256, char to[static SHA256_HEX_SIZE + 16]) {
    (void)snprintf(to, SHA256_HEX_SIZE + 16, "sha256/%.2s/%s", sha256, sha256);
}

static bool sealed_exists(const struct blob *blob, const char *sha256) {
    char name[SHA256_HEX_SIZE + 16];
    struct stat stat;
    sealed_name(sha256, name);
    return !fstatat(blob->store->blobs_fd, name, &stat, AT_SYMLINK_NOFOLLOW) && S_ISREG(stat.st_mode) &&
           (uint64_t)stat.st_size == blob->size;
}

static bool part_has(const struct blob *blob, const char *file) {
    char name[DIGEST_TEXT_SIZE + 16];
    (void)snprintf(name, sizeof name, "%s/%s", blob->key, file);
    return !faccessat(blob->store->parts_fd, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

static int open_part_folder(struct blob *blob) {
    if (blob->part_fd >= 0)
        return 0;
    int fd = path_open_folder(blob->store->parts_fd, blob->key, true);
    if (fd < 0)
        return fd;
    blob->part_fd = fd;
    return 0;
}

int blob_write_meta_locked(struct blob *blob, bool durable) {
    int error = open_part_folder(blob);
    if (error)
        return error;
    blob->meta.size = blob->size;
    (void)text_copy(blob->meta.boot, sizeof blob->meta.boot, boot_id());
    if (blob->origin_count) {
        const struct origin *origin = &blob->origins[blob->origin_at];
        (void)text_copy(blob->meta.source, sizeof blob->meta.source, origin->source->name);
        (void)text_copy(blob->meta.model, sizeof blob->meta.model, origin->model);
        (void)text_copy(blob->meta.commit, sizeof blob->meta.commit, origin->commit);
        (void)text_copy(blob->meta.path, sizeof blob->meta.path, origin->path);
    }
    return meta_write(blob->part_fd, &blob->meta, durable, &blob->stamp);
}

/* How many blocks `map` promises: those that were synced, and those written if that was in this boot. */
static uint32_t count_map(const struct blob *blob) {
    char name[DIGEST_TEXT_SIZE + 8];
    (void)snprintf(name, sizeof name, "%s/map", blob->key);
    FD_CLEANUP int fd = openat(blob->store->parts_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool same_boot = !strcmp(blob->meta.boot, boot_id());
    uint32_t present = 0;
    uint8_t bytes[4096];
    ssize_t got;
    for (off_t at = 0; fd >= 0 && (got = pread(fd, bytes, sizeof bytes, at)) > 0; at += got)
        for (ssize_t i = 0; i < got && at + i < blob->block_count; i++)
            present += bytes[i] == BLOCK_SYNCED || (same_boot && bytes[i] == BLOCK_WRITTEN);
    return present;
}

static uint32_t next_odd(uint32_t generation) {
    uint32_t next = generation % 2 ? generation + 2 : generation + 1;
    return next < (1u << 24) ? next : 1; /* 8 million fetches of one file */
}

/* Sets state and counts from blob->meta, mending what a crash left. */
static void settle(struct blob *blob) {
    bool sealed = *blob->meta.sha256 && sealed_exists(blob, blob->meta.sha256), mended = false;
    if (blob->meta.state == META_SEALING && sealed && !part_has(blob, "data")) {
        /* The crash came between the rename and the meta that tells of it (I7). */
        blob->meta.state = META_COMPLETE;
        blob->meta.generation++;
        mended = !blob_write_meta_locked(blob, false); /* settled again at the next start if this fails */
    } else if (blob->meta.state == META_COMPLETE && !sealed) {
        rot_note_size_locked(blob);
        blob->meta.state = META_PARTIAL;
        blob->meta.generation = next_odd(blob->meta.generation);
        *blob->meta.sha256 = 0;
        (void)blob_write_meta_locked(blob, false); /* likewise */
    }
    blob->present = 0;
    if (blob->meta.state == META_COMPLETE) {
        if (mended && blob->part_fd >= 0)
            (void)unlinkat(blob->part_fd, "map", 0); /* it only takes room */
        blob->state = BLOB_COMPLETE;
        blob->present = blob->block_count;
        return;
    }
    if (blob->meta.state != META_DROPPING)
        blob->meta.state = META_PARTIAL;
    if (blob->meta.state == META_PARTIAL && part_has(blob, "data"))
        blob->present = count_map(blob);
    blob->state = blob->meta.mismatches >= 2 ? BLOB_CORRUPT : blob->present ? BLOB_PARTIAL : BLOB_ABSENT;
    blob_count_locked(blob);
}

static void settle_fresh(struct blob *blob) {
    blob->meta = (struct meta){.size = blob->size, .generation = 1};
    blob->stamp = (struct meta_stamp){0};
    const char *hex = blob->key + strlen("sha256-");
    if (blob->promised == DIGEST_SHA256 && sealed_exists(blob, hex)) {
        /* Sealed under another key, or the parts folder was lost. */
        (void)text_copy(blob->meta.sha256, sizeof blob->meta.sha256, hex);
        blob->meta.state = META_COMPLETE;
        blob->meta.generation = 2;
        (void)blob_write_meta_locked(blob, false); /* found out again next time */
    }
    settle(blob);
}

/* An empty file needs no bytes: it is complete as it is, and stays with generation 1. */
static void settle_empty(struct blob *blob) {
    char promised[DIGEST_TEXT_SIZE];
    blob->meta = (struct meta){.generation = 1};
    struct digest *digest = digest_new(blob->promised, 0);
    digest_end(digest, blob->meta.sha256, promised);
    digest_free(digest);
    blob->state = strcmp(promised, blob->key) ? BLOB_CORRUPT : BLOB_COMPLETE;
    blob->meta.mismatches = blob->state == BLOB_CORRUPT ? 2 : 0;
}

void blob_reset_locked(struct blob *blob, int error, struct list *ended) {
    lock_assert(&blob->lock);
    blob_fail_locked(blob, error, ended);
    list_each (at, &blob->fetches) {
        struct fetch *fetch = list_entry(at, struct fetch, link);
        fetch->dead = true; /* its bytes are for a generation that is no more */
    }
    path_close(&blob->data_fd);
    path_close(&blob->map_fd);
    path_close(&blob->part_fd);
    free(blob->blocks);
    blob->blocks = NULL;
    blob->present = 0;
    digest_free(blob->hash);
    blob->hash = NULL;
    blob->hash_offset = 0;
    blob->unsynced = false;
    blob->state = BLOB_ABSENT;
}

static int open_sealed(struct blob *blob) {
    char name[SHA256_HEX_SIZE + 16];
    sealed_name(blob->meta.sha256, name);
    FD_CLEANUP int fd = openat(blob->store->blobs_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? -ERR_STALE : -errno;
    struct stat stat;
    if (flock(fd, LOCK_SH | LOCK_NB) || fstat(fd, &stat) || !stat.st_nlink)
        return -ERR_STALE; /* being evicted */
    blob->data_fd = fd;
    fd = -1;
    return 0;
}

/* What another daemon made of the blob since we read its meta. */
static void apply(struct blob *blob, const struct meta *meta, const struct meta_stamp *stamp,
    struct list *ended) {
    bool sealed_by_other = meta->state == META_COMPLETE && meta->generation == blob->meta.generation + 1;
    bool same = meta->generation == blob->meta.generation;
    blob->stamp = *stamp;
    if (sealed_by_other) {
        blob->meta = *meta;
        blob->state = BLOB_COMPLETE;
        blob->present = blob->block_count;
        path_close(&blob->map_fd);
        free(blob->blocks);
        blob->blocks = NULL;
        blob->unsynced = false; /* whoever sealed it synced it */
        blob->error = 0;
        list_each (at, &blob->fetches)
            list_entry(at, struct fetch, link)->dead = true;
        blob_refetch_locked(blob, false);
        int error = blob->data_fd >= 0 || list_empty(&blob->waiters) ? 0 : open_sealed(blob);
        if (error)
            blob_fail_locked(blob, error, ended);
        blob_serve_locked(blob, ended);
        return;
    }
    if (!same) {
        blob_refetch_locked(blob, false); /* whoever began the new generation sees to it */
        blob_reset_locked(blob, -ERR_STALE, ended);
    }
    blob->meta = *meta;
    if (!same || blob->map_fd < 0)
        settle(blob);
}

static int reload(struct blob *blob, struct list *ended) {
    struct meta meta;
    struct meta_stamp stamp;
    int error = meta_read(blob->store->parts_fd, blob->key, &meta, &stamp);
    if (error == -ENOENT && !blob->loaded) {
        settle_fresh(blob);
    } else if (error == -ENOENT) {
        if (!blob->stamp.inode)
            return 0; /* nothing was ever written */
        uint32_t generation = next_odd(blob->meta.generation);
        blob_reset_locked(blob, -ERR_GONE, ended);
        blob->meta = (struct meta){.size = blob->size, .generation = generation};
        blob->stamp = (struct meta_stamp){0};
    } else if (!error && meta.size != blob->size) {
        return -ERR_CHANGED; /* content has one size: what is here is not touched for a listing that errs */
    } else if (error == -ERR_STORE || error == -EFBIG) {
        /* Damaged: begin anew with a generation that was surely not used lately. */
        uint32_t generation = ((uint32_t)(clock_wall_ms() / 16000) & 0xffffff) | 1;
        blob_reset_locked(blob, -ERR_GONE, ended);
        blob->meta = (struct meta){.size = blob->size, .generation = generation};
        bool sealed = blob->promised == DIGEST_SHA256 && sealed_exists(blob, blob->key + strlen("sha256-"));
        if (sealed) {
            (void)text_copy(blob->meta.sha256, sizeof blob->meta.sha256, blob->key + strlen("sha256-"));
            blob->meta.state = META_COMPLETE;
            blob->meta.generation++;
            settle(blob);
        }
        error = open_part_folder(blob);
        if (!error && sealed)
            error = blob_write_meta_locked(blob, false);
        else if (!error) {
            (void)unlinkat(blob->part_fd, "data", 0);
            (void)unlinkat(blob->part_fd, "map", 0);
            error = blob_write_meta_locked(blob, false);
        }
        if (error)
            return error;
    } else if (error) {
        return error;
    } else if (!blob->loaded) {
        blob->meta = meta;
        blob->stamp = stamp;
        settle(blob);
    } else {
        apply(blob, &meta, &stamp, ended);
    }
    return 0;
}

/* Nothing but rot takes a sealed file away under its users (I12). */
static bool is_linked(int fd) {
    struct stat stat;
    return fd >= 0 && !fstat(fd, &stat) && stat.st_nlink;
}

int blob_load_locked(struct blob *blob, struct list *ended) {
    lock_assert(&blob->lock);
    if (!blob->size) {
        if (!blob->loaded)
            settle_empty(blob);
        blob->loaded = true;
        return 0;
    }
    if (blob->loaded && blob->state == BLOB_COMPLETE && blob->users && is_linked(blob->data_fd))
        return 0; /* our shared lock keeps it as it is (I6) */
    struct meta_stamp stamp;
    if (blob->loaded && !meta_stat(blob->store->parts_fd, blob->key, &stamp) &&
        stamp.inode == blob->stamp.inode && stamp.size == blob->stamp.size &&
        stamp.time_ns == blob->stamp.time_ns) {
        if (blob->state == BLOB_COMPLETE && !sealed_exists(blob, blob->meta.sha256)) {
            blob_reset_locked(blob, -ERR_GONE, ended);
            settle(blob);
        }
        return 0;
    }
    int error = reload(blob, ended);
    blob->loaded = blob->loaded || !error;
    if (!blob_busy_locked(blob))
        path_close(&blob->part_fd);
    return error;
}

/* Blocks that were written in an earlier boot count for nothing. Under the folder lock. */
static int enter_boot(struct blob *blob) {
    if (blob->stamp.inode && !strcmp(blob->meta.boot, boot_id()))
        return 0;
    int error = 0;
    uint8_t bytes[4096];
    for (uint32_t at = 0; error >= 0 && at < blob->block_count; at += sizeof bytes) {
        uint32_t count = blob->block_count - at < sizeof bytes ? blob->block_count - at : sizeof bytes;
        error = path_read_all(blob->map_fd, bytes, count, at);
        for (uint32_t i = 0; i < count; i++)
            if (bytes[i] != BLOCK_SYNCED)
                bytes[i] = BLOCK_ABSENT;
        if (error >= 0)
            error = path_write_all(blob->map_fd, bytes, count, at);
    }
    return error < 0 ? error : blob_write_meta_locked(blob, false);
}

static int open_sized(int dir_fd, const char *name, uint64_t size, int *ret_fd) {
    FD_CLEANUP int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) || ((uint64_t)stat.st_size != size && ftruncate(fd, (off_t)size)))
        return -errno;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* Under the folder lock, so that no other daemon seals or removes these files meanwhile. */
static int open_part_files(struct blob *blob) {
    bool dropping = blob->meta.state == META_DROPPING;
    if (dropping && unlinkat(blob->part_fd, "data", 0) && errno != ENOENT)
        return -errno;
    if (!part_has(blob, "data"))
        (void)unlinkat(blob->part_fd, "map", 0); /* a map without data is not believed */
    blob->meta.state = META_PARTIAL;
    int error = open_sized(blob->part_fd, "data", blob->size, &blob->data_fd);
    if (!error && flock(blob->data_fd, LOCK_SH | LOCK_NB))
        error = -EAGAIN; /* being evicted */
    if (!error)
        error = open_sized(blob->part_fd, "map", blob->block_count, &blob->map_fd);
    if (!error)
        error = enter_boot(blob);
    if (!error && dropping)
        error = blob_write_meta_locked(blob, false);
    return error;
}

static int open_part(struct blob *blob, struct list *ended) {
    int error = FAULT(store_open_part);
    if (error < 0 || (error = open_part_folder(blob)) || (error = part_lock(blob->part_fd, 0)))
        return error;
    uint32_t generation = blob->meta.generation;
    error = reload(blob, ended); /* as it is now that nobody changes it */
    if (!error &&
        (blob->meta.generation != generation || blob->state == BLOB_COMPLETE || blob->state == BLOB_CORRUPT))
        error = -ERR_STALE;
    if (!error)
        error = open_part_files(blob);
    if (blob->part_fd >= 0)
        part_unlock(blob->part_fd);
    if (error)
        return error;
    blob->blocks = mem_new(blob->block_count);
    blob->synced_ms = clock_ms();
    blob->present = 0;
    blob->state = BLOB_ABSENT;
    (void)blob_refresh_map_locked(blob, 0, blob->block_count);
    return 0;
}

int blob_open_locked(struct blob *blob, struct list *ended) {
    lock_assert(&blob->lock);
    if (!blob->size || blob->data_fd >= 0)
        return 0;
    if (blob->state == BLOB_CORRUPT)
        return -ERR_CORRUPT;
    bool sealed = blob->state == BLOB_COMPLETE;
    int error = sealed ? open_sealed(blob) : open_part(blob, ended);
    if (error) {
        path_close(&blob->data_fd);
        path_close(&blob->map_fd);
        path_close(&blob->part_fd);
    }
    if (error == -ERR_STALE && sealed)
        (void)reload(blob, ended); /* its own failure shows at the next use */
    if (error == -ERR_STALE && !sealed && blob->state == BLOB_COMPLETE)
        error = open_sealed(blob); /* another daemon was quicker */
    if (!error)
        blob_serve_locked(blob, ended); /* those parked while it could not be opened */
    return error;
}

bool blob_busy_locked(const struct blob *blob) {
    return blob->users || blob->wants || blob->fetch_count || blob->hash_busy || blob->sync_busy ||
           !list_empty(&blob->waiters) || blob->state == BLOB_FULL || blob->state == BLOB_VERIFIED;
}

void blob_close_locked(struct blob *blob) {
    lock_assert(&blob->lock);
    if (blob_busy_locked(blob))
        return;
    if (blob->unsynced) {
        blob_sync_locked(blob); /* comes back here when it is done */
        if (blob->sync_busy)
            return;
    }
    path_close(&blob->data_fd);
    path_close(&blob->map_fd);
    path_close(&blob->part_fd);
    free(blob->blocks);
    blob->blocks = NULL;
}
