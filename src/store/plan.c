/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler: which ranges are asked for next. All on the loop's thread: mail brings blobs that
 * somebody wants something of, a tick looks after retries. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

#define TICK_MS         100
#define TICK_FOREIGN_MS 20
#define TELL_MS         250
#define SYNC_EVERY_MS \
    15000 /* what a power cut may cost of a transfer; more often would hold up writers on slow disks */
#define READERS_EXTRA 4 /* connections beyond max_connections that only waiting readers may use */
#define STARVED_MS    1000
#define SHORT_BLOCKS  16
#define FOREIGN_TRIES 8
#define STARVED_MOST  48

void store_wake(struct store *store) {
    LOCK_SCOPE(&store->mail_lock);
    if (!store->closing)
        http_post(store->settings.http, &store->task);
}

void blob_attend(struct blob *blob) {
    struct store *store = blob->store;
    {
        LOCK_SCOPE(&store->mail_lock);
        if (!store->closing && !list_linked(&blob->mail_link))
            list_append(&store->mail, &blob_ref(blob)->mail_link);
    }
    store_wake(store);
}

void store_run_mail(struct http_task *task) {
    struct store *store = list_entry(task, struct store, task);
    for (;;) {
        struct list *link;
        {
            LOCK_SCOPE(&store->mail_lock);
            link = list_shift(&store->mail);
        }
        if (!link)
            break;
        struct blob *blob = list_entry(link, struct blob, mail_link);
        if (blob->active) {
            blob_put(blob);
        } else {
            blob->active = true;
            list_append(&store->active, &blob->active_link);
        }
    }
    store_follow_rate(store);
    store_plan(store);
}

/* What a failure means for those who wait and for what is tried next. */
static const struct policy {
    int error;
    bool final;   /* another origin may help, trying again will not */
    bool at_once; /* readers get it now, not after FETCH_ATTEMPTS */
    unsigned pause_ms;
} policies[] = {
    {-ERR_GATED, true, true, 0},
    {-ERR_TOKEN, true, true, 0},
    {-ERR_DISABLED, true, true, 0},
    {-ERR_UNKNOWN_FILE, true, true, 0},
    {-ERR_CHANGED, true, true, 0},
    {-ERR_UNKNOWN_MODEL, true, true, 0},
    {-ERR_INSECURE, true, true, 0},
    {-ERR_FULL, false, true, 2000},
    {-ERR_BUDGET, false, true, 2000},
    {-ERR_OFFLINE, false, true, 1000},
    {-EMFILE, false, false, 1000},
};

static struct policy policy_of(int error) {
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
        if (policies[i].error == error)
            return policies[i];
    return (struct policy){error, false, false, 0};
}

static void forget_location(struct blob *blob) {
    free(blob->location);
    blob->location = NULL;
    blob->no_ranges = false; /* the next server may know them */
}

/* Sets what follows from the failure; true when waiting readers are to be told. */
static bool note_failure_locked(struct blob *blob, unsigned origin, int error, unsigned retry_after_s) {
    uint64_t now = clock_ms();
    struct policy policy = policy_of(error);
    if (error == -ERR_EXPIRED && !blob->expired_once) {
        blob->expired_once = true;
        return false; /* an address lives an hour: a new one is asked for at once */
    }
    bool counted = blob->retry_ms > now; /* several ranges failed for one reason */
    if (!counted)
        blob->attempts++;
    uint64_t pause =
        policy.pause_ms ? policy.pause_ms : backoff_ms(blob->attempts, 100, blob->wants ? 30000 : 5000);
    if (retry_after_s)
        pause = retry_after_s * 1000ull;
    if (policy.final && origin != blob->origin_at)
        return false; /* another range was told the same: the next origin is being asked */
    if (policy.final) {
        blob->origin_at = (blob->origin_at + 1) % blob->origin_count;
        blob->final = ++blob->origins_failed >= blob->origin_count;
        pause = blob->final ? FAILURE_MEMORY_MS : 0;
        if (blob->final)
            blob->origins_failed = 0; /* next time all are tried again */
    }
    blob->retry_ms = now + pause;
    bool tell = blob->final || (policy.at_once && !policy.final) || blob->attempts >= FETCH_ATTEMPTS ||
                pause > store_stall_ms(blob->store);
    if (tell)
        blob->failed_until_ms = now + (pause < FAILURE_MEMORY_MS ? FAILURE_MEMORY_MS
                                          : pause < 10000        ? pause
                                                                 : 10000);
    return tell;
}

void blob_failed(struct blob *blob, unsigned origin, int error, const struct reason *reason,
    unsigned retry_after_s) {
    LIST_HEAD(ended);
    struct reason kept = {""};
    lock_take(&blob->lock);
    forget_location(blob); /* a server that fails may be one of several behind the first address */
    bool tell = note_failure_locked(blob, origin, error, retry_after_s);
    if (error != -ERR_EXPIRED || tell) {
        blob->error = error;
        blob->failed_ms = clock_ms();
        (void)err_because(&blob->reason, error, "%s", err_text(reason, error));
        kept = blob->reason;
    }
    if (tell)
        blob_tell_locked(blob, error, &ended);
    lock_drop(&blob->lock);
    blob_end_waits(&ended);
    if (*kept.text)
        bus_publish(
            &(struct news){.kind = NEWS_BLOB_TROUBLE, .key = blob->key, .error = error, .text = kept.text});
}

static bool may_ask_locked(struct blob *blob, enum fetch_class class) {
    if (blob->state != BLOB_ABSENT && blob->state != BLOB_PARTIAL)
        return false;
    if ((blob->locating && !blob->location) || !blob->origin_count || (blob->no_ranges && blob->fetch_count))
        return false;
    if (class == FETCH_READER  ? list_empty(&blob->waiters)
        : class == FETCH_AHEAD ? !blob->users
                               : !blob->wants)
        return false;
    return clock_ms() >= blob->retry_ms && !(blob->final && clock_ms() < blob->failed_until_ms);
}

static unsigned slots_free(const struct store *store, enum fetch_class class) {
    unsigned bulk = store->slots[FETCH_AHEAD] + store->slots[FETCH_PULL],
             all = bulk + store->slots[FETCH_READER];
    unsigned most = store_connections(store) + (class == FETCH_READER ? READERS_EXTRA : 0);
    most += store->starved + (class == FETCH_READER ? 0 : store->ending);
    return all < most ? most - all : 0;
}

/* Which ranges do not count as slots: those that nothing comes for must not keep others waiting (other
 * servers, other files), and behind those that are nearly there the next is asked for already, so that its
 * latency passes meanwhile. */
static void count_uncounted(struct store *store) {
    uint64_t now = clock_ms();
    store->starved = store->ending = 0;
    list_each (at, &store->active) {
        struct blob *blob = list_entry(at, struct blob, active_link);
        LOCK_SCOPE(&blob->lock);
        list_each (link, &blob->fetches) {
            const struct fetch *fetch = list_entry(link, struct fetch, link);
            uint64_t moved = fetch->moved_ms > fetch->started_ms ? fetch->moved_ms : fetch->started_ms;
            store->starved += now - moved > STARVED_MS && store->starved < STARVED_MOST;
            store->ending += fetch->nearly_there && store->ending < store_connections(store) / 2;
        }
    }
}

/* A long range that has no room is tried as a short one, so that a reader gets what still fits. */
static int admit_range(struct store *store, uint32_t first, uint32_t *end, struct reason *reason) {
    int error = store_admit(store, (uint64_t)(*end - first) * STORE_BLOCK_BYTES, reason);
    if ((error != -ERR_FULL && error != -ERR_BUDGET) || *end - first <= SHORT_BLOCKS)
        return error;
    *end = first + SHORT_BLOCKS;
    return store_admit(store, (uint64_t)SHORT_BLOCKS * STORE_BLOCK_BYTES, reason);
}

/* Starts one range of `blob`; false when it needs none of this class now. */
static bool start_one(struct store *store, struct blob *blob, enum fetch_class class) {
    LIST_HEAD(ended);
    uint32_t first = 0, end = 0;
    struct reason reason = {""};
    struct fetch *fetch = NULL;
    int error = 0;
    lock_take(&blob->lock);
    if (may_ask_locked(blob, class))
        error = blob_open_locked(blob, &ended);
    /* What another daemon fetches is passed over, a few times at most. */
    for (int tries = 0; !error && !fetch && tries < FOREIGN_TRIES && may_ask_locked(blob, class) &&
                        blob->blocks && pick_range_locked(blob, class, &first, &end);
         tries++) {
        error = admit_range(store, first, &end, &reason);
        uint64_t admitted = (uint64_t)(end - first) * STORE_BLOCK_BYTES;
        if (error)
            break;
        error = fetch_new(blob, class, first, end, &fetch);
        if (fetch)
            fetch->reserved = admitted;
        else
            store_settle(store, admitted, 0);
        if (error == -EAGAIN)
            error = 0; /* another daemon's */
    }
    blob_serve_locked(blob, &ended);
    unsigned origin = blob->origin_at;
    lock_drop(&blob->lock);
    blob_end_waits(&ended);
    if (error && error != -EAGAIN)
        blob_failed(blob, origin, error == -ENOSPC ? -ERR_FULL : error, &reason, 0);
    if (fetch)
        fetch_start(fetch);
    return fetch != NULL;
}

/* What nobody wants any more is given up: a reader went away, or has gone elsewhere. */
static void drop_unwanted(struct blob *blob) {
    struct fetch *unwanted[16];
    size_t count = 0;
    {
        LOCK_SCOPE(&blob->lock);
        if (blob->wants || blob->block_count == 1)
            return;
        list_each (at, &blob->fetches) {
            struct fetch *fetch = list_entry(at, struct fetch, link);
            bool waited = false;
            list_each (link, &blob->waiters) {
                struct wait *wait = list_entry(link, struct wait, link);
                waited |= wait->number < (uint64_t)fetch->end * STORE_BLOCK_BYTES &&
                          wait->number + wait->length > fetch->at;
            }
            bool ahead = blob->users && window_covers(blob->streams, BLOB_STREAMS, fetch->at);
            if (!waited && !ahead && !blob_is_strict(blob) && count < sizeof unwanted / sizeof *unwanted)
                unwanted[count++] = fetch;
        }
    }
    for (size_t i = 0; i < count; i++)
        fetch_cancel(unwanted[i]);
}

/* Looks after one blob; false when nothing is to be done for it any more. */
static bool look_after(struct blob *blob, bool *ret_foreign) {
    LIST_HEAD(ended);
    uint64_t now = clock_ms();
    bool tell = false;
    lock_take(&blob->lock);
    if ((!list_empty(&blob->waiters) || blob->state == BLOB_FULL) && blob->data_fd < 0) {
        /* It could not be opened while another daemon was changing its files. */
        if (!blob_load_locked(blob, &ended) && !blob_open_locked(blob, &ended))
            blob_serve_locked(blob, &ended);
        *ret_foreign = true;
    }
    bool was_foreign = blob->foreign;
    blob->foreign = false;
    if (was_foreign && blob->blocks) {
        for (uint32_t block = 0; block < blob->block_count; block++)
            blob->blocks[block] &= (uint8_t)~BLOCK_FOREIGN;
        (void)blob_load_locked(blob,
            &ended); /* sealed or killed by the other daemon; what can't be read now is looked at again */
        (void)blob_refresh_map_locked(blob, 0, blob->block_count);
        blob_serve_locked(blob, &ended);
        if (!list_empty(&blob->waiters) || blob->wants)
            *ret_foreign = blob->foreign = true; /* until a look finds nothing left to wait for */
    }
    blob_hash_locked(blob);
    if (blob->unsynced && now - blob->synced_ms > SYNC_EVERY_MS)
        blob_sync_locked(blob);
    if (blob->present != blob->told_present && now - blob->told_ms >= TELL_MS) {
        blob->told_present = blob->present;
        blob->told_ms = now;
        tell = true;
    }
    bool pending = blob->state != BLOB_COMPLETE && blob->state != BLOB_CORRUPT &&
                   blob->state != BLOB_ABSENT && blob->unsynced;
    bool keep = !list_empty(&blob->waiters) || blob->fetch_count || blob->state == BLOB_FULL ||
                blob->state == BLOB_VERIFIED || blob->foreign || pending || tell ||
                (blob->wants && blob->state != BLOB_COMPLETE && blob->state != BLOB_CORRUPT);
    lock_drop(&blob->lock);
    blob_end_waits(&ended);
    if (tell)
        bus_publish(&(struct news){.kind = NEWS_BLOB_PROGRESS, .key = blob->key});
    return keep;
}

void store_plan(struct store *store) {
    if (store->closing)
        return;
    bool foreign = false;
    list_each (at, &store->active)
        drop_unwanted(list_entry(at, struct blob, active_link));
    count_uncounted(store);
    for (enum fetch_class class = 0; class < FETCH_CLASSES; class ++)
        list_each (at, &store->active) {
            if (!slots_free(store, class))
                break;
            struct blob *blob = list_entry(at, struct blob, active_link);
            while (slots_free(store, class) && start_one(store, blob, class))
                ;
        }
    list_each (at, &store->active) {
        struct blob *blob = list_entry(at, struct blob, active_link);
        if (!look_after(blob, &foreign)) {
            list_remove(&blob->active_link);
            blob->active = false;
            lock_take(&blob->lock);
            blob_close_locked(blob);
            lock_drop(&blob->lock);
            blob_put(blob);
        }
    }
    if (!list_empty(&store->active) || atomic_load(&store->speed))
        http_delay_set(store->settings.http, &store->tick, foreign ? TICK_FOREIGN_MS : TICK_MS);
}

void store_tick(struct http_delay *delay) {
    struct store *store = list_entry(delay, struct store, tick);
    uint64_t now = clock_ms(), bytes = atomic_load(&store->fetched_bytes);
    if (now - store->speed_ms >= 500) {
        uint64_t current = (bytes - store->speed_bytes) * 1000 / (now - store->speed_ms);
        uint64_t before = atomic_load(&store->speed);
        atomic_store(&store->speed, now - store->speed_ms > 2000 ? current : (before * 2 + current) / 3);
        store->speed_ms = now;
        store->speed_bytes = bytes;
    }
    store_plan(store);
}
