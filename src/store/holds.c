/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this instance keeps, as a list on disk that all daemons of the store read before they evict.
 *
 * The new list is there at once, for everybody; the disk has it a moment later, on a thread of the pool.
 * Whoever pins does not wait for that: the list is made from the catalogue, whose last commits a power cut
 * may take too (WAL, synchronous=NORMAL), and it is made anew when the manager starts. It is synced all the
 * same, so that a power cut between the rename and the writing of the bytes, which would leave an empty list
 * to the other daemons, has milliseconds to hit and not half a minute.
 */
#include <fcntl.h>
#include <unistd.h>

#include "store/internal.h"

static bool begin_sync(struct store *store) {
    LOCK_SCOPE(&store->lock);
    bool dirty = store->holds_dirty;
    store->holds_dirty = false;
    store->holds_busy = dirty;
    return dirty;
}

static void sync_run(struct work *work) {
    struct store *store = list_entry(work, struct store, holds_work);
    while (begin_sync(store)) {
        FD_CLEANUP int fd = openat(store->instance_fd, "pins", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0)
            (void)fsync(fd); /* in memory it is right; the disk's own trouble shows with what is fetched */
        (void)fsync(store->instance_fd);
    }
}

static void sync_later(struct store *store) {
    LOCK_SCOPE(&store->lock);
    store->holds_dirty = true;
    if (store->holds_busy || store->closing)
        return;
    store->holds_busy = true;
    store->holds_work.run = sync_run;
    pool_submit(store->settings.pool, &store->holds_work);
}

int store_set_holds(struct store *store, const char *const *keys, size_t count) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    for (size_t i = 0; i < count; i++)
        (void)buf_format(&text, "%s\n", keys[i]);
    int result = path_replace(store->instance_fd, "pins", buf_text(&text), text.len, false);
    if (result == 0)
        sync_later(store);
    return result;
}
