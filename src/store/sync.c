/* SPDX-License-Identifier: Apache-2.0 */
/* Syncing what is written, and giving up what the disk could not keep or what is wrong. On the pool's
 * threads. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/internal.h"

#define LOSS_PAUSE_MS      2500
#define LOSS_PAUSE_MOST_MS 600000

/* I4: first meta says that the generation is over, durably, then its files go; so it can't come back. */
void blob_drop_locked(struct blob *blob, int error, struct list *ended) {
    lock_assert(&blob->lock);
    int part_fd = blob->part_fd;
    /* else another daemon may open what goes: it finds nothing */
    bool locked = part_fd >= 0 && !part_lock(part_fd, 100);
    blob->part_fd = -1;
    blob->meta.state = META_DROPPING;
    blob->meta.generation += 2;
    *blob->meta.sha256 = 0;
    blob_reset_locked(blob, error, ended);
    (void)blob_write_meta_locked(blob, true); /* if it can't be written the files go all the same */
    if (part_fd >= 0) {
        (void)unlinkat(part_fd, "data", 0);
        (void)unlinkat(part_fd, "map", 0);
    }
    if (locked)
        part_unlock(part_fd);
    path_close(&part_fd);
    blob->state = blob->meta.mismatches >= 2 ? BLOB_CORRUPT : BLOB_ABSENT;
    blob->error = error;
    (void)err_because(&blob->reason, error, "%s", err_sentence(error));
}

/* The disk failed to keep the bytes (I11). A failing disk must not become endless fetching: longer and
 * longer pauses. */
void blob_lose_locked(struct blob *blob, const char *what, struct list *ended) {
    metric_add(&store_metrics[STORE_LOSSES], 0, 1);
    blob_drop_locked(blob, -EIO, ended);
    (void)err_because(&blob->reason, -EIO, "%s", what);
    blob->retry_ms = clock_ms() + backoff_ms(++blob->losses, LOSS_PAUSE_MS, LOSS_PAUSE_MOST_MS);
    blob->failed_until_ms = clock_ms() + FAILURE_MEMORY_MS;
}

static bool is_written(uint8_t state) {
    return (state & ~BLOCK_MARKS) == BLOCK_WRITTEN;
}

/* Marks what was written `before` the sync, run by run; what came meanwhile stays for the next. */
static void mark_synced_locked(struct blob *blob, const uint8_t *before) {
    uint8_t marks[256];
    memset(marks, BLOCK_SYNCED, sizeof marks);
    for (uint32_t block = 0; block < blob->block_count;) {
        uint32_t end = block;
        while (end < blob->block_count && end - block < sizeof marks && is_written(before[end]) &&
               is_written(blob->blocks[end]))
            end++;
        if (end == block) {
            blob->unsynced |= is_written(blob->blocks[block]);
            block++;
            continue;
        }
        int error = FAULT(store_sync_map);
        if (error >= 0 && path_write_all(blob->map_fd, marks, end - block, block) >= 0)
            memset(blob->blocks + block, BLOCK_SYNCED, end - block);
        block = end;
    }
}

static void sync_run(struct work *work) {
    struct blob *blob = list_entry(work, struct blob, sync_work);
    uint8_t *before = NULL;
    uint32_t generation;
    LIST_HEAD(ended);
    int fd = -1;
    {
        LOCK_SCOPE(&blob->lock);
        generation = blob->meta.generation;
        if (blob->blocks && blob->data_fd >= 0) {
            before = mem_new(blob->block_count);
            memcpy(before, blob->blocks, blob->block_count);
            fd = fcntl(blob->data_fd, F_DUPFD_CLOEXEC, 0);
        }
    }
    int error = FAULT(store_sync_data);
    bool synced = error >= 0 && fd >= 0 && !fdatasync(fd);
    path_close(&fd);
    {
        LOCK_SCOPE(&blob->lock);
        blob->synced_ms = clock_ms();
        blob->unsynced = !synced && blob->blocks;
        if (synced && before && blob->blocks && blob->meta.generation == generation)
            mark_synced_locked(blob, before);
        blob->sync_busy = false;
        if (!synced && before && blob->blocks && blob->meta.generation == generation) {
            /* The kernel forgets what it could not write: the bytes can't be vouched for. */
            blob_lose_locked(blob, "the disk of the store could not keep what was fetched", &ended);
        }
        blob_close_locked(blob);
    }
    blob_end_waits(&ended);
    free(before);
    blob_put(blob);
}

void blob_sync_locked(struct blob *blob) {
    lock_assert(&blob->lock);
    if (blob->sync_busy || blob->store->closing)
        return;
    blob->sync_busy = true;
    blob->sync_work.run = sync_run;
    (void)blob_ref(blob);
    pool_submit(blob->store->settings.pool, &blob->sync_work);
}
