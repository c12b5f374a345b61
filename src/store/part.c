/* SPDX-License-Identifier: Apache-2.0 */
/* The block map of a part: one byte a block, on disk for all daemons, in memory for this one. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/internal.h"

/* Behind every possible block number. */
#define LOCK_HASH_AT ((off_t)1 << 40)

uint32_t blob_block_bytes(const struct blob *blob, uint32_t block) {
    uint64_t start = (uint64_t)block * STORE_BLOCK_BYTES;
    return blob->size - start < STORE_BLOCK_BYTES ? (uint32_t)(blob->size - start) : STORE_BLOCK_BYTES;
}

static bool refresh(struct blob *blob, uint32_t first, uint32_t end) {
    uint8_t disk[4096];
    bool found = false;
    while (first < end) {
        uint32_t count = end - first < sizeof disk ? end - first : sizeof disk;
        if (path_read_all(blob->map_fd, disk, count, first) < 0)
            return found; /* what can't be read is absent: it is fetched again */
        for (uint32_t i = 0; i < count; i++)
            if ((disk[i] == BLOCK_WRITTEN || disk[i] == BLOCK_SYNCED) &&
                !(blob->blocks[first + i] & ~BLOCK_MARKS)) {
                blob->blocks[first + i] |= disk[i];
                blob->present++;
                found = true;
            }
        first += count;
    }
    return found;
}

bool blob_refresh_map_locked(struct blob *blob, uint32_t first, uint32_t end) {
    lock_assert(&blob->lock);
    if (!blob->blocks || blob->present == blob->block_count || !refresh(blob, first, end))
        return false;
    /* I5: before a block that another daemon wrote is handed out, all blocks are counted. */
    (void)refresh(blob, 0, blob->block_count);
    blob->moved_ms = clock_ms();
    blob_count_locked(blob);
    return true;
}

void blob_count_locked(struct blob *blob) {
    if (blob->state == BLOB_ABSENT && blob->present)
        blob->state = BLOB_PARTIAL;
    if (blob->state == BLOB_PARTIAL && blob->present == blob->block_count)
        blob->state = BLOB_FULL;
}

/* I2 for all daemons: a block that is absent on disk after ours were marked is the witness that the file is
 * not full. Only when it is here too all of the map is read again, and the last absent block becomes the
 * next. */
static void count_others(struct blob *blob) {
    uint8_t disk = BLOCK_SYNCED;
    if (blob->witness < blob->block_count && path_read_all(blob->map_fd, &disk, 1, blob->witness) >= 0 &&
        disk == BLOCK_ABSENT)
        return;
    (void)refresh(blob, 0, blob->block_count);
    blob->witness = blob->block_count;
    while (blob->witness && blob->blocks[blob->witness - 1] & ~BLOCK_MARKS)
        blob->witness--;
    blob->witness = blob->witness ? blob->witness - 1 : UINT32_MAX;
}

int blob_mark_locked(struct blob *blob, uint32_t first, uint32_t end) {
    lock_assert(&blob->lock);
    uint8_t bytes[256];
    memset(bytes, BLOCK_WRITTEN, sizeof bytes);
    for (uint32_t at = first; at < end; at += sizeof bytes) {
        uint32_t count = end - at < sizeof bytes ? end - at : sizeof bytes;
        int error = FAULT(store_write_map);
        if (error < 0 || (error = path_write_all(blob->map_fd, bytes, count, at)) < 0)
            return error;
    }
    for (uint32_t block = first; block < end; block++) {
        uint8_t was = blob->blocks[block] & (uint8_t)~BLOCK_MARKS;
        if (was == BLOCK_ABSENT)
            blob->present++;
        blob->blocks[block] = was == BLOCK_ABSENT ? BLOCK_WRITTEN : was;
    }
    blob->unsynced = true;
    count_others(blob);
    blob_count_locked(blob);
    return 0;
}

static int set_lock(struct blob *blob, short type, off_t start, off_t len) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    int error = FAULT(store_lock);
    if (error < 0)
        return error;
    if (!fcntl(blob->map_fd, F_OFD_SETLK, &lock))
        return 0;
    /* POSIX allows either for "another has it" */
    return errno == EACCES || errno == EINTR ? -EAGAIN : -errno;
}

int blob_lock_range(struct blob *blob, uint32_t first, uint32_t end, uint32_t *ret_end) {
    int error;
    while ((error = set_lock(blob, F_WRLCK, first, end - first))) {
        struct flock other = {.l_type = F_WRLCK,
            .l_whence = SEEK_SET,
            .l_start = first,
            .l_len = end - first};
        if (error != -EAGAIN)
            return error;
        if (fcntl(blob->map_fd, F_OFD_GETLK, &other) || other.l_type == F_UNLCK ||
            other.l_start <= (off_t)first)
            return -EAGAIN; /* let go of meanwhile counts as taken: the next tick tries again */
        end = (uint32_t)other.l_start;
    }
    *ret_end = end;
    return 0;
}

void blob_unlock_range(struct blob *blob, uint32_t first, uint32_t end) {
    struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = first, .l_len = end - first};
    if (end > first && blob->map_fd >= 0)
        (void)fcntl(blob->map_fd, F_OFD_SETLK, &lock); /* releasing can't fail but by a bad descriptor */
}

int blob_lock_hash(struct blob *blob) {
    return set_lock(blob, F_WRLCK, LOCK_HASH_AT, 1);
}

void blob_unlock_hash(struct blob *blob) {
    struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = LOCK_HASH_AT, .l_len = 1};
    (void)fcntl(blob->map_fd, F_OFD_SETLK, &lock);
}

int part_lock(int part_fd, unsigned tries) {
    while (flock(part_fd, LOCK_EX | LOCK_NB)) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -errno;
        if (!tries--)
            return -EAGAIN;
        clock_pause(2);
    }
    return 0;
}

void part_unlock(int part_fd) {
    (void)flock(part_fd, LOCK_UN); /* can't fail but by a bad descriptor */
}
