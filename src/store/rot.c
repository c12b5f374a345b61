/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rot. Three steps, each of which may be the last before a power cut: the file is renamed, so that nobody
 * finds it any more; each key that was sealed as it gets a new generation; the file is unlinked. A name that
 * begins with ROTTEN is the note of what is not finished.
 */
#include "store/rot.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"
#include "store/shelf.h"

#define ROTTEN     ".rotten-"
#define LOCK_TRIES 500

/* The folder's lock keeps another daemon from sealing the same bytes between the look and the rename; the
 * shared lock on the file keeps evictors away. */
static int rename_locked(int folder_fd, const char *sha256, int fd) {
    char aside[SHA256_HEX_SIZE + 16];
    struct stat ours, named;
    (void)snprintf(aside, sizeof aside, ROTTEN "%s", sha256);
    if (flock(fd, LOCK_SH | LOCK_NB))
        return errno == EWOULDBLOCK ? -ERR_GONE : -errno; /* being evicted */
    if (fstat(fd, &ours) || fstatat(folder_fd, sha256, &named, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT ? -ERR_GONE : -errno;
    if (ours.st_ino != named.st_ino || ours.st_dev != named.st_dev)
        return -ERR_GONE; /* another daemon was quicker, and it may be right by now */
    int error = FAULT(store_rot_rename);
    if (error < 0)
        return error;
    if (renameat(folder_fd, sha256, folder_fd, aside))
        return -errno;
    return fsync(folder_fd) ? -errno : 0;
}

/* One key: its generation is over if it was sealed as these bytes. Under its folder's lock. */
static int end_generation(struct store *store, const char *key, const char *sha256) {
    struct meta meta;
    struct meta_stamp stamp;
    if (meta_read(store->parts_fd, key, &meta, &stamp) || strcmp(meta.sha256, sha256))
        return 0; /* what can't be read is begun anew by whoever asks for it */
    FD_CLEANUP int part_fd = path_open_folder(store->parts_fd, key, false);
    int error = part_fd < 0 ? part_fd : part_lock(part_fd, LOCK_TRIES);
    if (error)
        return error;
    if (!meta_read(store->parts_fd, key, &meta, &stamp) && meta.state == META_COMPLETE &&
        !strcmp(meta.sha256, sha256)) {
        meta.dead = meta.generation;
        meta.generation++; /* from even to odd (I10) */
        meta.state = META_PARTIAL;
        *meta.sha256 = 0;
        error = FAULT(store_rot_meta);
        if (error >= 0)
            error = meta_write(part_fd, &meta, true, &stamp);
    }
    part_unlock(part_fd);
    return error;
}

/* All keys that lead to the bytes: those of another kind are found by asking each (they are small files'). */
static int end_generations(struct store *store, const char *sha256) {
    int fd = openat(store->parts_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        int error = -errno;
        path_close(&fd);
        return error;
    }
    int error = 0;
    struct dirent *entry;
    while (!error && (entry = readdir(dir))) {
        enum digest_kind kind = digest_kind_of(entry->d_name);
        if (kind != DIGEST_NONE &&
            (kind != DIGEST_SHA256 || !strcmp(entry->d_name + strlen("sha256-"), sha256)))
            error = end_generation(store, entry->d_name, sha256);
    }
    (void)closedir(dir);
    return error;
}

void rot_note_size_locked(struct blob *blob) {
    lock_assert(&blob->lock);
    char name[SHA256_HEX_SIZE + 16];
    struct stat stat;
    (void)snprintf(name, sizeof name, "sha256/%.2s/%s", blob->meta.sha256, blob->meta.sha256);
    if (fstatat(blob->store->blobs_fd, name, &stat, AT_SYMLINK_NOFOLLOW) ||
        (uint64_t)stat.st_size == blob->size)
        return;
    blob->error = -ERR_ROTTEN;
    (void)err_because(&blob->reason, blob->error, "on disk it had %jd bytes instead of %ju",
        (intmax_t)stat.st_size, (uintmax_t)blob->size);
}

static int finish_rot(struct store *store, int folder_fd, const char *aside) {
    int error = end_generations(store, aside + strlen(ROTTEN));
    if (!error)
        error = FAULT(store_rot_unlink);
    if (error < 0)
        return error;
    return unlinkat(folder_fd, aside, 0) && errno != ENOENT ? -errno : 0;
}

static void count_out(struct store *store, uint64_t bytes) {
    LOCK_SCOPE(&store->lock);
    store->bytes_here -= bytes < store->bytes_here ? bytes : store->bytes_here;
}

void rot_tell(struct blob *blob, bool refetch, const struct reason *reason) {
    LIST_HEAD(ended);
    uint32_t generation;
    {
        LOCK_SCOPE(&blob->lock);
        (void)blob_load_locked(blob, &ended); /* its own failure shows at the next use */
        generation = blob->meta.generation;
        if (blob->state != BLOB_COMPLETE) {
            blob->error = -ERR_ROTTEN;
            blob->reason = *reason;
            blob->retry_ms = blob->failed_until_ms = 0;
            if (refetch)
                blob_refetch_locked(blob, true);
        }
    }
    blob_end_waits(&ended);
    bus_publish(&(struct news){.kind = NEWS_BLOB_GENERATION,
        .key = blob->key,
        .id = generation,
        .error = -ERR_ROTTEN,
        .text = reason->text});
    if (refetch)
        blob_attend(blob);
}

int rot_take_out(struct blob *blob, const char *sha256, int fd, bool refetch, struct reason *reason) {
    struct store *store = blob->store;
    char folder[16], aside[SHA256_HEX_SIZE + 16];
    const struct reason found = *reason;
    (void)snprintf(folder, sizeof folder, "sha256/%.2s", sha256);
    (void)snprintf(aside, sizeof aside, ROTTEN "%s", sha256);
    FD_CLEANUP int folder_fd = path_open_folder(store->blobs_fd, folder, false);
    int error = folder_fd < 0 ? folder_fd : part_lock(folder_fd, LOCK_TRIES);
    if (!error) {
        error = rename_locked(folder_fd, sha256, fd);
        part_unlock(folder_fd);
    }
    if (error)
        return err_because(reason, error, "%s; it can't be taken out of service: %s", found.text,
            err_sentence(error));
    error = finish_rot(store, folder_fd, aside);
    if (error) {
        /* Whoever finds no file under the name begins a new generation by itself: only another key that is
         * open now, and looks again only when the bytes are back, would be served on. */
        (void)unlinkat(folder_fd, aside, 0);
        trace(store, "rotten %s: not every key could be told: %s", sha256, err_sentence(error));
    }
    count_out(store, blob->size);
    rot_tell(blob, refetch, &found);
    store_tell_gone(store, sha256, false);
    return -ERR_ROTTEN;
}

/* When the bytes are back under their name the keys that had them have begun anew by themselves. */
static void finish_old(struct store *store, int folder_fd, const char *aside) {
    if (!faccessat(folder_fd, aside + strlen(ROTTEN), F_OK, AT_SYMLINK_NOFOLLOW))
        (void)unlinkat(folder_fd, aside, 0); /* it only takes room */
    else
        (void)finish_rot(store, folder_fd, aside); /* tried again after the next start */
}

void rot_repair(struct store *store, const char *folder) {
    char name[32];
    (void)snprintf(name, sizeof name, "sha256/%.2s", folder);
    FD_CLEANUP int folder_fd = path_open_folder(store->blobs_fd, name, false);
    int fd = folder_fd < 0 ? -1 : openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        path_close(&fd);
        return;
    }
    struct dirent *entry;
    while ((entry = readdir(dir)))
        if (!strncmp(entry->d_name, ROTTEN, strlen(ROTTEN)) &&
            digest_is_hex(entry->d_name + strlen(ROTTEN), 64))
            finish_old(store, folder_fd, entry->d_name);
    (void)closedir(dir);
}
