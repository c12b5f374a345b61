/* SPDX-License-Identifier: Apache-2.0 */
/* A blob as its users see it: looking, using, waiting for bytes and reading them. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"
#include "store/verify.h"

const char *blob_key(const struct blob *blob) {
    return blob->key;
}

void blob_end_locked(struct wait *wait, int result, struct list *ended) {
    list_remove(&wait->link);
    wait->length = 0; /* ours no more: withdraw() answers false from now on */
    wait->number = (uint64_t)(int64_t)result;
    list_append(ended, &wait->link);
}

void blob_end_waits(struct list *ended) {
    struct list *link;
    while ((link = list_shift(ended))) {
        struct wait *wait = list_entry(link, struct wait, link);
        wait->finish(wait, (int)(int64_t)wait->number);
    }
}

bool blob_is_strict(const struct blob *blob) {
    return blob->store->strict || blob->meta.mismatches;
}

bool blob_handable_locked(const struct blob *blob, uint64_t offset, uint64_t length) {
    if (blob->state == BLOB_COMPLETE || blob->state == BLOB_VERIFIED)
        return true;
    if (blob->state != BLOB_PARTIAL || blob_is_strict(blob) || !blob->blocks)
        return false;
    uint64_t last = (offset + length - 1) / STORE_BLOCK_BYTES;
    for (uint64_t block = offset / STORE_BLOCK_BYTES; block <= last; block++)
        if (!(blob->blocks[block] & ~BLOCK_MARKS))
            return false;
    return true;
}

void blob_serve_locked(struct blob *blob, struct list *ended) {
    list_each (at, &blob->waiters) {
        struct wait *wait = list_entry(at, struct wait, link);
        if (blob_handable_locked(blob, wait->number, wait->length))
            blob_end_locked(wait, 0, ended);
    }
}

void blob_fail_locked(struct blob *blob, int error, struct list *ended) {
    list_each (at, &blob->waiters)
        blob_end_locked(list_entry(at, struct wait, link), error, ended);
}

void blob_tell_locked(struct blob *blob, int error, struct list *ended) {
    list_each (at, &blob->waiters)
        if (!list_entry(at, struct wait, link)->patient)
            blob_end_locked(list_entry(at, struct wait, link), error, ended);
}

void blob_dismiss(struct blob *blob) {
    LIST_HEAD(ended);
    lock_take(&blob->lock);
    list_each (at, &blob->waiters)
        if (list_entry(at, struct wait, link)->patient)
            blob_end_locked(list_entry(at, struct wait, link), -ERR_CANCELLED, &ended);
    lock_drop(&blob->lock);
    blob_end_waits(&ended);
}

static bool withdraw(struct wait *wait) {
    struct blob *blob = wait->where;
    LOCK_SCOPE(&blob->lock);
    if (!wait->length)
        return false;
    list_remove(&wait->link);
    wait->length = 0;
    return true;
}

/* When another daemon last marked a block, or hashed: it sets the time of `map`. In terms of clock_ms(). */
static uint64_t foreign_moved_ms(const struct blob *blob) {
    struct stat stat;
    if (!blob->foreign || blob->map_fd < 0 || fstat(blob->map_fd, &stat))
        return 0;
    int64_t ago = clock_wall_ms() - (stat.st_mtim.tv_sec * 1000LL + stat.st_mtim.tv_nsec / 1000000);
    uint64_t now = clock_ms();
    return ago < 0 ? now : (uint64_t)ago < now ? now - (uint64_t)ago : 0;
}

/* When something last moved for a wait: the fetch that covers its first absent block; the network as a
 * whole while it stands in the queue; the file when the whole of it is waited for. */
static uint64_t progress(struct wait *wait) {
    struct blob *blob = wait->where;
    LOCK_SCOPE(&blob->lock);
    if (!wait->length || !blob->blocks || blob->state == BLOB_FULL || blob_is_strict(blob))
        return blob->moved_ms > foreign_moved_ms(blob) ? blob->moved_ms : foreign_moved_ms(blob);
    uint32_t block = (uint32_t)(wait->number / STORE_BLOCK_BYTES);
    uint32_t end = (uint32_t)((wait->number + wait->length - 1) / STORE_BLOCK_BYTES) + 1;
    while (block < end && blob->blocks[block] & ~BLOCK_MARKS)
        block++;
    list_each (at, &blob->fetches) {
        struct fetch *fetch = list_entry(at, struct fetch, link);
        if (fetch->first <= block && block < fetch->end)
            return fetch->moved_ms;
    }
    uint64_t others = foreign_moved_ms(blob), network = blob->store->moved_ms;
    if (clock_ms() < blob->retry_ms)
        network = 0; /* it stands in no queue, it has failed */
    return others > network ? others : network;
}

void blob_look(struct blob *blob, struct blob_info *ret_info) {
    LIST_HEAD(ended);
    {
        LOCK_SCOPE(&blob->lock);
        /* what could not be read shows as absent, and fails when it is used */
        (void)blob_load_locked(blob, &ended);
        uint64_t now = clock_ms();
        *ret_info = (struct blob_info){
            .state = blob->state,
            .generation = blob->meta.generation,
            .size = blob->size,
            .fetches = blob->fetch_count,
            .wanted = blob->wants > 0,
            .used = blob->users > 0,
            .error = blob->error,
            .final = blob->final,
            .retry_in_ms = blob->retry_ms > now ? blob->retry_ms - now : 0,
            .reason = blob->reason,
        };
        uint64_t bytes = (uint64_t)blob->present * STORE_BLOCK_BYTES;
        ret_info->bytes_here = bytes < blob->size ? bytes : blob->size;
        if (blob->state == BLOB_COMPLETE)
            (void)text_copy(ret_info->sha256, sizeof ret_info->sha256, blob->meta.sha256);
    }
    blob_end_waits(&ended);
}

/* I3: a generation serves while it is the blob's, or the one from which the present complete one was
 * sealed. */
static bool serves_locked(const struct blob *blob, uint32_t generation) {
    if (generation <= blob->meta.dead)
        return false;
    return generation == blob->meta.generation ||
           (generation % 2 && generation + 1 == blob->meta.generation && blob->state == BLOB_COMPLETE);
}

bool blob_still_serves(struct blob *blob, uint32_t generation) {
    LOCK_SCOPE(&blob->lock);
    return serves_locked(blob, generation);
}

int blob_check(struct blob *blob, uint32_t generation) {
    LIST_HEAD(ended);
    lock_take(&blob->lock);
    int error = blob_load_locked(blob, &ended);
    if (!error && !serves_locked(blob, generation))
        error = -ERR_STALE;
    lock_drop(&blob->lock);
    blob_end_waits(&ended);
    return error;
}

int blob_use(struct blob *blob, uint32_t generation) {
    LIST_HEAD(ended);
    lock_take(&blob->lock);
    int error = blob_load_locked(blob, &ended);
    if (!error && !serves_locked(blob, generation))
        error = -ERR_STALE;
    if (!error && blob->state == BLOB_CORRUPT)
        error = -ERR_CORRUPT;
    /* A part is opened when bytes of it are first asked for: opening alone changes nothing on disk. */
    if (!error && (blob->state == BLOB_COMPLETE || blob->present))
        error = blob_open_locked(blob, &ended); /* its lock keeps evictors away */
    if (error == -EAGAIN && blob->state != BLOB_COMPLETE)
        error = 0; /* another daemon is at its files for a moment */
    if (error == -EAGAIN)
        error = -ERR_STALE; /* evicted this moment: looked up again it is found as it is then */
    if (!error) {
        blob->users++;
        blob_touch_locked(blob);
    }
    lock_drop(&blob->lock);
    blob_end_waits(&ended);
    return error;
}

void blob_unuse(struct blob *blob) {
    bool attend;
    {
        LOCK_SCOPE(&blob->lock);
        blob->users--;
        attend = !blob->users && blob->fetch_count;
        if (!blob->users)
            for (size_t i = 0; i < BLOB_STREAMS; i++)
                blob->streams[i] = (struct stream){0};
        blob_close_locked(blob);
    }
    if (attend)
        blob_attend(blob); /* what was read ahead for nobody is given up */
}

static int missing_locked(struct blob *blob, bool patient) {
    if (blob->state == BLOB_CORRUPT)
        return -ERR_CORRUPT;
    if (!store_is_lazy(blob->store) && !blob->wants)
        return -ERR_LAZY_OFF;
    if (blob->error == -ERR_OFFLINE && !http_loop_is_offline(blob->store->settings.http))
        blob->error = 0, blob->retry_ms = blob->failed_until_ms = 0; /* the gate was opened since */
    if (!patient && blob->error && clock_ms() < blob->failed_until_ms)
        return blob->error;
    return 0;
}

static int await_locked(struct blob *blob, uint32_t generation, uint64_t offset, size_t length, bool patient,
    struct wait *wait, struct list *ended) {
    int error = blob_load_locked(blob, ended);
    if (!error && !serves_locked(blob, generation))
        error = -ERR_STALE;
    if (!error)
        error = blob_open_locked(blob, ended);
    if (!error && !serves_locked(blob, generation))
        error = -ERR_STALE;
    bool changing = error == -EAGAIN; /* another daemon is at its files for a moment: the loop looks again */
    if (error && !changing)
        return error;
    (void)window_note(blob->streams, BLOB_STREAMS, offset, length, clock_ms());
    if (!changing && blob_handable_locked(blob, offset, length))
        return 0;
    error = missing_locked(blob, patient);
    if (error)
        return error;
    wait->where = blob;
    wait->patient = patient;
    wait->number = offset;
    wait->length = length;
    atomic_store_explicit(&wait->progress, progress, memory_order_release);
    atomic_store_explicit(&wait->withdraw, withdraw, memory_order_release);
    list_append(&blob->waiters, &wait->link);
    return PARKED;
}

int blob_await(struct blob *blob, uint32_t generation, uint64_t offset, size_t length, bool patient,
    struct wait *wait) {
    if (offset >= blob->size || !length)
        return 0;
    if (length > blob->size - offset)
        length = (size_t)(blob->size - offset);
    LIST_HEAD(ended);
    bool ahead = false;
    lock_take(&blob->lock);
    int result = await_locked(blob, generation, offset, length, patient, wait, &ended);
    if (!result && blob->state == BLOB_PARTIAL)
        ahead = true; /* it read what was here: the window behind it may need filling */
    lock_drop(&blob->lock);
    blob_end_waits(&ended);
    enum store_read outcome = !result            ? STORE_READ_HERE
                              : result == PARKED ? STORE_READ_WAITED
                                                 : STORE_READ_FAILED;
    metric_add(&store_metrics[STORE_READS], outcome, 1);
    metric_add(&store_metrics[STORE_READ_BYTES], outcome, length);
    if (result == PARKED || ahead)
        blob_attend(blob);
    return result;
}

/* Are the bytes in `data`? What blob_await() granted may be read though the file became full meanwhile:
 * the block that made it so was absent then. */
static bool readable_locked(const struct blob *blob, uint64_t offset, size_t length) {
    if (blob->state == BLOB_COMPLETE || blob->state == BLOB_VERIFIED)
        return true;
    uint64_t last = (offset + length - 1) / STORE_BLOCK_BYTES;
    for (uint64_t block = offset / STORE_BLOCK_BYTES; blob->blocks && block <= last; block++)
        if (!(blob->blocks[block] & ~BLOCK_MARKS))
            return false;
    return blob->blocks != NULL;
}

ssize_t blob_read(struct blob *blob, uint32_t generation, void *data, size_t length, uint64_t offset) {
    if (offset >= blob->size || !length)
        return 0;
    if (length > blob->size - offset)
        length = (size_t)(blob->size - offset);
    int error = FAULT(store_read_data);
    if (error < 0)
        return error;
    int fd;
    {
        LOCK_SCOPE(&blob->lock);
        if (!serves_locked(blob, generation))
            return -ERR_STALE; /* killed by a mismatch since blob_await() */
        if (!readable_locked(blob, offset, length))
            return -ERR_GONE;
        fd = blob->data_fd < 0 ? -1 : fcntl(blob->data_fd, F_DUPFD_CLOEXEC, 0);
    }
    if (fd < 0)
        return -ERR_GONE;
    error = path_read_all(fd, data, length, offset);
    (void)close(fd);
    return error < 0 ? error : (ssize_t)length;
}

int blob_open_complete(struct blob *blob) {
    LOCK_SCOPE(&blob->lock);
    if (blob->state != BLOB_COMPLETE || blob->data_fd < 0)
        return -ERR_STALE;
    /* Opened anew: the one at hand may be writable, from the time when it was a part. */
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", blob->data_fd);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

void blob_want(struct blob *blob) {
    LIST_HEAD(ended);
    bool attend = false;
    lock_take(&blob->lock);
    blob->wants++;
    if (!blob_load_locked(blob, &ended) && blob->state != BLOB_COMPLETE && blob->state != BLOB_CORRUPT)
        attend = true;
    lock_drop(&blob->lock);
    blob_end_waits(&ended);
    if (attend)
        blob_attend(blob);
}

void blob_unwant(struct blob *blob) {
    bool attend;
    {
        LOCK_SCOPE(&blob->lock);
        blob->wants--;
        attend = !blob->wants && blob->fetch_count;
        blob_close_locked(blob);
    }
    if (attend)
        blob_attend(blob);
}

void blob_set_rate(struct blob *blob, struct http_rate *rate) {
    lock_take(&blob->lock);
    struct http_rate *former = blob->rate;
    blob->rate = http_rate_ref(rate);
    lock_drop(&blob->lock);
    http_rate_unref(former);
}

void blob_retry(struct blob *blob) {
    LIST_HEAD(ended);
    lock_take(&blob->lock);
    blob->error = 0;
    blob->final = false;
    blob->attempts = 0;
    blob->retry_ms = blob->failed_until_ms = 0;
    blob->origins_failed = 0;
    *blob->reason.text = 0;
    free(blob->location);
    blob->location = NULL;
    blob->no_ranges = false;
    if (!blob_load_locked(blob, &ended) && blob->state == BLOB_CORRUPT) {
        blob->meta.mismatches = 1; /* still not trusted: nothing is served before the whole is verified */
        blob->state = BLOB_ABSENT;
        /* then the mark is back after a restart, and retry again helps */
        (void)blob_write_meta_locked(blob, false);
    }
    blob_close_locked(blob);
    lock_drop(&blob->lock);
    blob_end_waits(&ended);
    blob_attend(blob);
}
