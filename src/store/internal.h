/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_STORE_INTERNAL_H
#define WEIGHTFS_STORE_INTERNAL_H

/*
 * What the files of this folder share. README.md has the life of a blob, the invariants (numbered I1…) and
 * the lock rules that the comments here refer to.
 *
 * `_locked`: the caller holds blob->lock. "Loop": runs on the http loop's thread only.
 */

#include <stdatomic.h>

#include "base/bus.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/path.h"
#include "store/meta.h"
#include "store/metrics.h"
#include "store/store.h"
#include "store/window.h"

/* One byte a block in `map`, and in memory. On disk: the first three. */
enum {
    BLOCK_ABSENT = 0,
    BLOCK_WRITTEN = 1,
    BLOCK_SYNCED = 2,
    BLOCK_FLIGHT = 0x80,
    BLOCK_FOREIGN = 0x40,
    BLOCK_MARKS = BLOCK_FLIGHT | BLOCK_FOREIGN
};

#define BLOB_STREAMS      8
#define BLOB_ORIGINS      4
#define FETCH_STAGE_BYTES (4 * STORE_BLOCK_BYTES)
#define FETCH_ATTEMPTS    4    /* without a byte of progress, before waiting readers get the error */
#define FAILURE_MEMORY_MS 3000 /* how long a failure answers further reads at once */

/* Why a range is fetched; the order is the precedence. */
enum fetch_class { FETCH_READER, FETCH_AHEAD, FETCH_PULL, FETCH_CLASSES };

struct origin {
    const struct source *source;
    char *model, *commit, *path;
};

/* A range under way: one HTTP request. Made and ended by the loop; `first` and `end` change under the
 * blob's lock only. */
struct fetch {
    struct list link;  /* blob->fetches */
    struct blob *blob; /* a reference */
    struct http_request request;
    struct source_ask ask;
    char *url; /* the kept address, when asked directly */
    enum fetch_class class;
    bool direct;
    unsigned origin;           /* of blob->origins, which only grow: the one that was asked */
    uint32_t first, end;       /* blocks; the OFD lock on `map` covers them */
    uint64_t at;               /* the file's offset of the next byte that comes */
    _Atomic uint64_t moved_ms; /* when a byte last came; 0: none did */
    uint64_t flushed_ms, started_ms;
    int fd;            /* its own descriptor of `data` */
    bool nearly_there; /* the next range may be asked for; the loop's */
    uint64_t reserved; /* what was admitted for it and has not come yet; the loop's */
    bool dead;         /* the blob's generation ended: nothing more is marked. Blob's lock */
    bool cancelled;
    unsigned retry_after_s;
    struct reason reason;
    size_t staged;
    unsigned char *stage; /* FETCH_STAGE_BYTES: what came behind the last written block */
};

struct blob {
    struct store *store;
    struct list table_link; /* store->buckets, STORE lock */
    struct list idle_link;  /* store->idle while refs == 0, STORE lock */
    atomic_uint refs;       /* raised by whoever has one; lowered under the STORE lock */
    char key[DIGEST_TEXT_SIZE];
    uint64_t size;
    uint32_t block_count;
    enum digest_kind promised;

    struct lock lock; /* all below */
    bool loaded;
    struct meta meta;
    struct meta_stamp stamp; /* of the meta that was read */
    enum blob_state state;
    uint32_t present; /* blocks that are here */
    uint32_t witness; /* a block that was absent on disk when we looked; any other value only costs a look */
    unsigned users, wants;
    struct http_rate *rate; /* of pulls; NULL */
    bool refetch; /* one of the wants is our own, after a mismatch */

    int part_fd, data_fd,
        /* open while somebody needs them (blob_busy_locked); data_fd is the sealed file when complete */
        map_fd;
    uint8_t *blocks;     /* block_count bytes while map_fd is open */
    uint64_t touched_ms; /* when its last use was written down */

    struct list waiters; /* struct wait; .number offset, .length bytes (0: ended) */
    struct stream streams[BLOB_STREAMS];
    struct list fetches; /* struct fetch */
    unsigned fetch_count;
    uint64_t moved_ms; /* when bytes last came, or were hashed */

    struct origin origins[BLOB_ORIGINS];
    unsigned origin_count, origin_at;
    unsigned origins_failed;  /* for good, in a row */
    char *location;           /* the address that answered, asked directly from then on; NULL */
    bool locating;            /* the first fetch is finding it out */
    _Atomic bool no_ranges;   /* the server answers 200 to ranges */
    bool expired_once;        /* a kept address was refused; the next refusal counts as a failure */
    unsigned attempts;        /* failures since a byte came */
    unsigned losses;          /* times that the disk could not keep it */
    uint64_t retry_ms;        /* clock_ms before which nothing is asked */
    uint64_t failed_until_ms; /* reads of absent bytes fail at once until then */
    uint64_t failed_ms; /* when `error` was set: what was asked for before it is no sign that it is over */
    int error;
    bool final;
    struct reason reason;

    struct work hash_work;
    bool hash_busy;
    struct digest *hash;
    uint64_t hash_offset;
    uint64_t seal_retry_ms;
    struct work sync_work;
    bool sync_busy, unsynced;
    uint64_t synced_ms;
    bool foreign;     /* another daemon is fetching, hashing or sealing what we wait for */
    uint64_t told_ms; /* the last NEWS_BLOB_PROGRESS */
    uint32_t told_present;

    /* Loop only. */
    struct list active_link; /* store->active; holds a reference */
    bool active;
    struct list mail_link; /* store->mail, mail_lock; holds a reference */
};

#define STORE_BUCKETS   4096
#define STORE_IDLE_MOST 1024

struct store {
    struct store_settings settings;
    char *path, *instance_path;
    int dir_fd, blobs_fd, parts_fd, instance_fd, instance_lock_fd;
    bool strict;

    struct lock lock; /* STORE: table, idle, budget's figures */
    struct list buckets[STORE_BUCKETS];
    struct list idle;
    unsigned idle_count;
    uint64_t pending_bytes; /* admitted and not come yet */
    uint64_t bytes_here, budget_bytes, evicted_bytes, used_scanned_ms;
    bool evict_busy;
    uint64_t evict_asked_bytes, evict_failed_ms;
    int evict_result;
    struct work evict_work, scan_work, holds_work;
    bool scan_busy;
    bool holds_busy, holds_dirty; /* the list of holds is being synced; there is one that was not yet */
    bool repaired;       /* the scan's own */
    atomic_bool closing; /* set under mail_lock too: after that nobody but the loop itself posts */

    struct lock mail_lock; /* MAIL: mail, closing */
    struct list mail;
    struct http_task task;
    struct http_delay tick;

    _Atomic uint64_t fetched_bytes;
    _Atomic unsigned fetches;
    _Atomic uint64_t speed;

    struct http_rate *rate; /* of all that is fetched: limit_rate */

    /* Loop only. */
    struct list active;
    unsigned slots[FETCH_CLASSES]; /* fetches by class */
    unsigned starved, ending;      /* those among them that do not count: nothing comes, nearly all came */
    _Atomic uint64_t moved_ms;     /* when a byte last came, of any blob */
    uint64_t speed_ms, speed_bytes, free_checked_ms, free_checked_bytes;
    uint64_t disk_free_bytes;
};

/* Options that may change at any time: asked for at each use, under any lock. */
static inline bool store_is_lazy(const struct store *store) {
    return options_bool(store->settings.options, "lazy");
}
static inline uint64_t store_stall_ms(const struct store *store) {
    return (uint64_t)options_number(store->settings.options, "stall_timeout_s") * 1000;
}
static inline unsigned store_connections(const struct store *store) {
    return (unsigned)options_number(store->settings.options, "max_connections");
}

static inline void store_follow_rate(struct store *store) {
    http_rate_set(store->rate, (uint64_t)options_number(store->settings.options, "limit_rate"));
}

/* --- blob.c: waiting and ending --- */
/* Takes `wait` out and puts it on `ended` with its result; blob_end_waits() calls finish() without locks. */
void blob_end_locked(struct wait *wait, int result, struct list *ended);
void blob_end_waits(struct list *ended);
/* Ends all whose bytes are here; with an error, all others too. */
void blob_serve_locked(struct blob *blob, struct list *ended);
void blob_fail_locked(struct blob *blob, int error, struct list *ended);
/* A fetch failed: ends those that are not patient. The others' asker looks at the blob and decides. */
void blob_tell_locked(struct blob *blob, int error, struct list *ended);
/* Nothing of it is served before the whole is verified: integrity=strict, or it came wrong before. */
bool blob_is_strict(const struct blob *blob);
bool blob_handable_locked(const struct blob *blob, uint64_t offset, uint64_t length);
/* Asks the loop to look at the blob soon. Any thread, locks allowed. */
void blob_attend(struct blob *blob);

/* --- load.c: what is on disk --- */
int blob_load_locked(struct blob *blob, struct list *ended); /* first use, and again when meta changed */
int blob_open_locked(struct blob *blob, struct list *ended); /* descriptors and blocks */
void blob_close_locked(struct blob *blob);                   /* unless blob_busy_locked */
bool blob_busy_locked(const struct blob *blob);
/* A new generation that has nothing (after eviction, mismatch, or when files were taken away): descriptors
 * are closed, waiters get `error`. */
void blob_reset_locked(struct blob *blob, int error, struct list *ended);
int blob_write_meta_locked(struct blob *blob, bool durable);

/* --- part.c: blocks --- */
uint32_t blob_block_bytes(const struct blob *blob, uint32_t block);
/* Reads [first, end) of `map` again: what others wrote becomes present. True when something was new. */
bool blob_refresh_map_locked(struct blob *blob, uint32_t first, uint32_t end);
/* Bytes are in `data`: marks blocks written on disk and in memory, and when that was the last: FULL. */
int blob_mark_locked(struct blob *blob, uint32_t first, uint32_t end);
void blob_count_locked(struct blob *blob);
/* The OFD lock on `map` that says "I fetch these". 0: [first, *ret_end) is ours; shorter than asked when
 * another daemon has what follows. -EAGAIN: it has `first`. Else the lock's own failure. */
int blob_lock_range(struct blob *blob, uint32_t first, uint32_t end, uint32_t *ret_end);
void blob_unlock_range(struct blob *blob, uint32_t first, uint32_t end);
/* The OFD lock that says "I hash and seal". */
int blob_lock_hash(struct blob *blob);
void blob_unlock_hash(struct blob *blob);
/* The folder lock of a part (flock): whoever makes, renames or removes its files, or writes meta for good,
 * holds it. -EAGAIN after `tries` × 2 ms. */
int part_lock(int part_fd, unsigned tries);
void part_unlock(int part_fd);

/* --- plan.c --- */
void store_wake(struct store *store); /* the loop plans again; any thread */
/* Loop: */
void store_run_mail(struct http_task *task);
void store_tick(struct http_delay *delay);
void store_plan(struct store *store);
/* `origin`: the one that was asked. */
void blob_failed(struct blob *blob, unsigned origin, int error, const struct reason *reason,
    unsigned retry_after_s);

/* --- pick.c: Loop --- */
/* The next range of `class` that nobody fetches; false when the blob needs none. May cut a range that is
 * under way short. */
bool pick_range_locked(struct blob *blob, enum fetch_class class, uint32_t *ret_first, uint32_t *ret_end);

/* --- fetch.c: Loop --- */
/* -EAGAIN: another daemon fetches it, or has just done so. */
int fetch_new(struct blob *blob, enum fetch_class class, uint32_t first, uint32_t end,
    struct fetch **ret_fetch);
void fetch_start(struct fetch *fetch);
void fetch_cancel(struct fetch *fetch);
/* Gives the blocks from `block` on back. */
void fetch_cut_locked(struct fetch *fetch, uint32_t block);

/* --- seal.c: Pool --- */
void blob_hash_locked(struct blob *blob); /* starts hashing when there is enough to hash */
void blob_sync_locked(struct blob *blob);
void blob_refetch_locked(struct blob *blob, bool on);
/* The generation ends with nothing kept: a mismatch, or a disk that could not keep it. */
void blob_drop_locked(struct blob *blob, int error, struct list *ended);
/* The same because of our own disk; fetched again after longer and longer pauses. */
void blob_lose_locked(struct blob *blob, const char *what, struct list *ended);

/* --- budget.c --- */
/* May `bytes` more be fetched now? 0; -EAGAIN: being made room; -ERR_FULL, -ERR_BUDGET with figures. Loop. */
int store_admit(struct store *store, uint64_t bytes, struct reason *reason);
/* What was admitted came (`kept`), or will not come any more. */
void store_settle(struct store *store, uint64_t admitted, uint64_t kept);
void store_scan(struct store *store);
/* repair.c: once after the start, with the first scan. */
void store_repair(struct store *store);
void store_write_budget(struct store *store);
void blob_touch_locked(struct blob *blob);

/* --- store.c --- */
/* A reference to a blob of the table, in use or not. STORE lock. */
struct blob *store_lend_locked(struct store *store, struct blob *blob);

/* --- gone.c --- */
/* A file of the shelf was unlinked: tells those above of each key that led to it, be its blob in use or not;
 * of one that this daemon has no blob of, without a generation. */
void store_tell_gone(struct store *store, const char *name, bool is_part);

#endif
