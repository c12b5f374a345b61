/* SPDX-License-Identifier: Apache-2.0 */
/* Room: how much the store holds, what may be evicted, and evicting it. Blobs are found on disk, not in
 * memory: other daemons' count too. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/internal.h"
#include "store/shelf.h"

#define SCAN_EVERY_MS    60000
#define FREE_CHECK_MS    500
#define FREE_CHECK_BYTES (64u << 20)
#define EVICT_AGAIN_MS   500
#define TOUCH_EVERY_MS   60000
#define EVICT_TRIES      30
#define EVICT_PAUSE_MS   10

void blob_touch_locked(struct blob *blob) {
    uint64_t now = clock_ms();
    if (blob->data_fd < 0 || (blob->touched_ms && now - blob->touched_ms < TOUCH_EVERY_MS))
        return;
    blob->touched_ms = now;
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
    (void)futimens(blob->data_fd, times); /* an older last use only makes it an earlier candidate */
}

static uint64_t min_free(const struct store *store) {
    return (uint64_t)options_number(store->settings.options, "min_free_bytes");
}

static uint64_t disk_free(const struct store *store, uint64_t *ret_total) {
    struct statvfs disk;
    if (fstatvfs(store->dir_fd, &disk))
        return 0;
    uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize, keep = min_free(store);
    if (ret_total)
        *ret_total = (uint64_t)disk.f_blocks * disk.f_frsize;
    return free_bytes > keep ? free_bytes - keep : 0;
}

/* How many bytes must go before `bytes` fit: more than those where the disk has less than it shall keep. */
static uint64_t disk_deficit(const struct store *store, uint64_t bytes) {
    struct statvfs disk;
    uint64_t need = bytes + min_free(store), free_bytes = 0;
    if (!fstatvfs(store->dir_fd, &disk))
        free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    return need > free_bytes ? need - free_bytes : 0;
}

void store_write_budget(struct store *store) {
    char text[32];
    int64_t budget = options_number(store->settings.options, "cache_max_bytes");
    int len = snprintf(text, sizeof text, "%" PRId64 "\n", budget);
    (void)path_replace(store->instance_fd, "budget", text, (size_t)len,
        false); /* the others then do not know of our limit */
}

/* Reads the shelf, and takes its figures for what the store holds now. */
static void take_stock(struct store *store, struct shelf *shelf) {
    shelf_read(store, shelf);
    uint64_t budget = shelf_budget(store);
    LOCK_SCOPE(&store->lock);
    store->bytes_here = shelf->bytes;
    store->budget_bytes = budget;
    store->used_scanned_ms = clock_ms();
}

static void scan_run(struct work *work) {
    struct store *store = list_entry(work, struct store, scan_work);
    if (!store->repaired)
        store_repair(store);
    store->repaired = true;
    struct shelf shelf = {0};
    take_stock(store, &shelf);
    shelf_done(&shelf);
    LOCK_SCOPE(&store->lock);
    store->scan_busy = false;
}

void store_scan(struct store *store) {
    {
        LOCK_SCOPE(&store->lock);
        if (store->scan_busy || store->closing)
            return;
        store->scan_busy = true;
    }
    store->scan_work.run = scan_run;
    pool_submit(store->settings.pool, &store->scan_work);
}

void store_budget_changed(struct store *store) {
    store_write_budget(store);
    uint64_t budget = shelf_budget(store);
    {
        LOCK_SCOPE(&store->lock);
        store->budget_bytes = budget;
    }
    store_scan(store);
}

/* How many bytes must go before `bytes` fit. */
static uint64_t excess(struct store *store, uint64_t bytes, bool *ret_disk) {
    uint64_t by_disk = disk_deficit(store, bytes), by_budget = 0;
    LOCK_SCOPE(&store->lock);
    uint64_t used = store->bytes_here + store->pending_bytes;
    if (store->budget_bytes && used + bytes > store->budget_bytes)
        by_budget = used + bytes - store->budget_bytes;
    *ret_disk = by_disk > by_budget;
    return by_disk > by_budget ? by_disk : by_budget;
}

static int no_room(struct store *store, uint64_t bytes, bool disk, struct reason *reason) {
    char need[HUMAN_SIZE], have[HUMAN_SIZE], limit[HUMAN_SIZE];
    (void)human_bytes(need, bytes);
    if (disk)
        return err_because(reason, -ERR_FULL,
            "%s are needed, and the disk of the store has %s to give (min_free_bytes %s)", need,
            human_bytes(have, disk_free(store, NULL)), human_bytes(limit, min_free(store)));
    LOCK_SCOPE(&store->lock);
    return err_because(reason, -ERR_BUDGET,
        "%s are needed; cache_max_bytes is %s, %s are used and what could go is open or pinned", need,
        human_bytes(limit, store->budget_bytes), human_bytes(have, store->bytes_here));
}

/* Its data file is locked: nobody has it open. */
static bool evict_part(struct store *store, const struct shelf_item *item) {
    struct meta meta;
    struct meta_stamp stamp;
    FD_CLEANUP int part_fd = path_open_folder(store->parts_fd, item->name, false);
    if (part_fd < 0 || part_lock(part_fd, 10))
        return false;
    bool may = !meta_read(store->parts_fd, item->name, &meta, &stamp) && meta.state == META_PARTIAL;
    if (may) {
        meta.generation += 2;
        may = !meta_write(part_fd, &meta, false, &stamp) && !unlinkat(part_fd, "data", 0);
        (void)unlinkat(part_fd, "map", 0); /* a map without data is not believed */
    }
    part_unlock(part_fd);
    return may;
}

/* Unlinks one file of the shelf unless it is in use anywhere. The bytes it freed. */
static uint64_t evict_item(struct store *store, const struct shelf_item *item) {
    char name[DIGEST_TEXT_SIZE + 32];
    (void)snprintf(name, sizeof name, item->is_part ? "parts/%s/data" : "blobs/sha256/%.2s/%s", item->name,
        item->name);
    FD_CLEANUP int fd =
        openat(store->dir_fd, name, (item->is_part ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
    int fault = FAULT(store_evict_unlink);
    struct stat locked, named;
    if (fd < 0 || fault < 0 || flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &locked) ||
        fstatat(store->dir_fd, name, &named, AT_SYMLINK_NOFOLLOW) || locked.st_ino != named.st_ino)
        return 0; /* in use, or it is another file by now */
    if (item->is_part)
        return evict_part(store, item) ? item->bytes : 0;
    return unlinkat(store->dir_fd, name, 0) ? 0 : item->bytes;
}

static void count_eviction(uint64_t bytes) {
    metric_add(&store_metrics[STORE_EVICTIONS], 0, 1);
    metric_add(&store_metrics[STORE_EVICTED_BYTES], 0, bytes);
}

static uint64_t evict_and_tell(struct store *store, const struct shelf_item *item) {
    uint64_t freed = evict_item(store, item);
    if (!freed)
        return 0;
    {
        LOCK_SCOPE(&store->lock);
        store->bytes_here -= freed < store->bytes_here ? freed : store->bytes_here;
        store->evicted_bytes += freed;
    }
    count_eviction(freed);
    trace(store, "evicted %s, %" PRIu64 " bytes", item->name, freed);
    store_tell_gone(store, item->name, item->is_part);
    return freed;
}

uint64_t shelf_evict(struct store *store, const struct shelf_item *item) {
    return shelf_is_held(store, item->name) ? 0 : evict_and_tell(store, item);
}

int store_make_room(struct store *store, uint64_t bytes) {
    struct shelf shelf = {0};
    take_stock(store, &shelf);
    bool disk = false;
    shelf_order(store, &shelf); /* oldest use first, held ones left out */
    for (size_t i = 0; i < shelf.count && excess(store, bytes, &disk); i++)
        (void)evict_and_tell(store, &shelf.items[i]);
    shelf_done(&shelf);
    return excess(store, bytes, &disk) ? no_room(store, bytes, disk, NULL) : 0;
}

static void evict_run(struct work *work) {
    struct store *store = list_entry(work, struct store, evict_work);
    int result = store_make_room(store, store->evict_asked_bytes);
    {
        LOCK_SCOPE(&store->lock);
        store->evict_busy = false;
        store->evict_result = result;
        store->evict_failed_ms = result ? clock_ms() : 0;
    }
    store_wake(store);
}

int store_admit(struct store *store, uint64_t bytes, struct reason *reason) {
    uint64_t now = clock_ms(), fetched = atomic_load(&store->fetched_bytes);
    if (now - store->free_checked_ms > FREE_CHECK_MS ||
        fetched - store->free_checked_bytes > FREE_CHECK_BYTES) {
        store->free_checked_ms = now;
        store->free_checked_bytes = fetched;
        store->disk_free_bytes = disk_free(store, NULL);
    }
    bool scan, fits;
    {
        LOCK_SCOPE(&store->lock);
        scan = now - store->used_scanned_ms > SCAN_EVERY_MS;
        uint64_t used = store->bytes_here + store->pending_bytes;
        fits =
            bytes <= store->disk_free_bytes && (!store->budget_bytes || used + bytes <= store->budget_bytes);
        if (fits)
            store->pending_bytes += bytes;
    }
    if (scan)
        store_scan(store);
    if (fits)
        return 0;
    bool failed, start = false;
    {
        LOCK_SCOPE(&store->lock);
        failed = store->evict_failed_ms && now - store->evict_failed_ms < EVICT_AGAIN_MS;
        if (!failed && !store->evict_busy) {
            store->evict_busy = start = true;
            store->evict_asked_bytes = bytes;
        }
    }
    store->free_checked_ms = 0;
    if (failed)
        return no_room(store, bytes, bytes > disk_free(store, NULL), reason);
    if (start) {
        store->evict_work.run = evict_run;
        pool_submit(store->settings.pool, &store->evict_work);
    }
    return -EAGAIN;
}

void store_settle(struct store *store, uint64_t admitted, uint64_t kept) {
    LOCK_SCOPE(&store->lock);
    store->pending_bytes -= admitted < store->pending_bytes ? admitted : store->pending_bytes;
    store->bytes_here += kept;
}

int store_room(struct store *store, uint64_t bytes, struct reason *reason) {
    bool disk;
    uint64_t over = excess(store, bytes, &disk);
    if (!over)
        return 0;
    struct shelf shelf = {0};
    shelf_read(store, &shelf);
    shelf_order(store, &shelf);
    for (size_t i = 0; i < shelf.count && over; i++)
        over -= shelf.items[i].bytes < over ? shelf.items[i].bytes : over;
    shelf_done(&shelf);
    return over ? no_room(store, bytes, disk, reason) : 0;
}

void store_look(struct store *store, struct store_figures *ret_figures) {
    struct store_figures figures = {
        .fetched_bytes = atomic_load(&store->fetched_bytes),
        .speed = atomic_load(&store->speed),
        .fetches = atomic_load(&store->fetches),
    };
    figures.disk_free_bytes = disk_free(store, &figures.disk_total_bytes);
    LOCK_SCOPE(&store->lock);
    figures.bytes_here = store->bytes_here;
    figures.budget_bytes = store->budget_bytes;
    figures.evicted_bytes = store->evicted_bytes;
    figures.pending_bytes = store->pending_bytes;
    *ret_figures = figures;
}

/* What is to be evicted of the blob; -EBUSY in *ret_error with `passing` when only our own hashing or
 * syncing is in the way. */
static bool take_out(struct blob *blob, struct shelf_item *ret_item, int *ret_error, bool *ret_passing) {
    LIST_HEAD(ended);
    lock_take(&blob->lock);
    bool wanted = blob->users || blob->wants || !list_empty(&blob->waiters);
    *ret_passing = !wanted && blob_busy_locked(blob);
    *ret_error = wanted || *ret_passing ? -EBUSY : blob_load_locked(blob, &ended);
    bool found = !*ret_error && blob->size && (blob->state == BLOB_COMPLETE || blob->present);
    if (found) {
        ret_item->is_part = blob->state != BLOB_COMPLETE;
        (void)text_copy(ret_item->name, sizeof ret_item->name,
            ret_item->is_part ? blob->key : blob->meta.sha256);
        ret_item->bytes = ret_item->is_part ? (uint64_t)blob->present * STORE_BLOCK_BYTES : blob->size;
        path_close(&blob->data_fd);
        path_close(&blob->map_fd);
        free(blob->blocks);
        blob->blocks = NULL;
    }
    lock_drop(&blob->lock);
    blob_end_waits(&ended);
    return found;
}

int blob_evict(struct blob *blob, uint64_t *ret_freed_bytes) {
    struct store *store = blob->store;
    char sha256[SHA256_HEX_SIZE];
    {
        LOCK_SCOPE(&blob->lock);
        (void)text_copy(sha256, sizeof sha256, blob->meta.sha256);
    }
    if (shelf_is_held(store, blob->key) || (*sha256 && shelf_is_held(store, sha256)))
        return -EPERM;
    *ret_freed_bytes = 0;
    struct shelf_item item = {0};
    int error = 0;
    bool passing = true;
    uint64_t freed = 0;
    /* Our own hash, or another daemon's, may have the file for a moment. */
    for (int tries = 0; tries < EVICT_TRIES && !freed && passing; tries++) {
        if (tries)
            clock_pause(EVICT_PAUSE_MS);
        if (take_out(blob, &item, &error, &passing)) {
            freed = evict_item(store, &item);
            passing = true;
        }
        if (!error && !*item.name)
            return 0; /* nothing is here */
    }
    if (!freed)
        return -EBUSY;
    *ret_freed_bytes = freed;
    {
        LOCK_SCOPE(&store->lock);
        store->bytes_here -= freed < store->bytes_here ? freed : store->bytes_here;
        store->evicted_bytes += freed;
    }
    count_eviction(freed);
    store_tell_gone(store, item.name, item.is_part);
    return 0;
}
