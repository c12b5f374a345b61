/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_STORE_STORE_H
#define WEIGHTFS_STORE_STORE_H

/*
 * The store: bytes on our disk, fetched range by range, verified as a whole, shared by every daemon on
 * this host. README.md in this folder tells the life of a blob, the numbered invariants and the lock rules.
 *
 * A blob is one file's content, named by its digest ("sha256-…", "git-…": the key), whatever number of
 * files and models show it. Its *generation* is odd while it is incomplete and even while it is complete;
 * sealing, eviction and a mismatch begin a new one. The generation is part of the node numbers that the
 * kernel sees, so it is kept on disk and never falls.
 *
 * Threads: all functions may be called from any thread; none blocks on the network. They do small disk
 * work of their own (a stat, a small file).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/metric.h"
#include "base/option.h"
#include "base/pool.h"
#include "base/timer.h"
#include "base/wait.h"
#include "outside/digest.h"
#include "outside/http.h"
#include "weightfs/source.h"

#define STORE_BLOCK_BYTES 65536u

struct store;
struct blob;

/* Option rows of this floor: cache_max_bytes, min_free_bytes, integrity, stall_timeout_s, max_connections,
 * lazy … */
extern const struct option_row store_options[];
/* Metrics of this floor; their functions want the store. */
extern const struct metric_row store_metrics[];

struct store_settings {
    const char *path;     /* the store's folder, absolute; made when missing */
    const char *instance; /* this mount's name: instances/NAME */
    const struct options *options;
    struct http_loop *http;
    struct pool *pool; /* hashes, seals, syncs: at least two threads */
    /* The access of a source, as it is now; never NULL for a source that origins name. Called on any
     * thread. */
    const struct source_access *(*access_of)(void *context, const struct source *source);
    void *context;
};

/* Opens (or makes) the store and this instance's folder in it, which no other live daemon may have. Quick:
 * damaged parts are looked after when they are first used, and by a background walk. -ERR_STORE_VERSION,
 * -ERR_BUSY (another daemon runs this instance), -errno. */
int store_open(const struct store_settings *settings, struct store **ret_store, struct reason *reason);
/* The first step of closing: from now on nothing is asked of the loop, so that it may be stopped, then the
 * pool. */
void store_stop(struct store *store);
/* Fetches have ended (loop and pool were stopped before), blobs are put back: syncs what is written and
 * frees all. */
void store_close(struct store *store);
/* A descriptor of instances/NAME, the store's for its life: the catalogue lies there. */
int store_instance_fd(const struct store *store);
const char *store_instance_path(const struct store *store);

/* Where a blob's bytes come from. Copied. */
struct blob_origin {
    const struct source *source;
    struct source_file file; /* file.digest is the blob's key, file.size its size */
};

enum blob_state {
    BLOB_ABSENT,   /* nothing here */
    BLOB_PARTIAL,  /* some blocks here */
    BLOB_FULL,     /* every block here, the digest not yet known: nothing is handed out */
    BLOB_VERIFIED, /* every block here and right, not yet sealed: handed out, still the odd generation */
    BLOB_COMPLETE, /* sealed: read-only under blobs/ */
    BLOB_CORRUPT   /* came wrong twice: reads fail until blob_retry() */
};

struct blob_info {
    enum blob_state state;
    uint32_t generation;
    uint64_t size, bytes_here;
    char sha256[SHA256_HEX_SIZE]; /* our own, when complete; else "" */
    unsigned fetches;             /* ranges under way now */
    bool wanted;                  /* a background pull is on */
    bool used;                    /* somebody has it open here */
    int error;                    /* why the last fetch failed; 0 once bytes came again */
    bool final;                   /* error will not heal by itself */
    uint64_t retry_in_ms;         /* when it is tried again */
    struct reason reason;
};

/* The blob of `origin` (key, size); a reference. -ERR_GATED for an empty key. The origin is remembered as
 * one more place to fetch from. */
int blob_get(struct store *store, const struct blob_origin *origin, struct blob **ret_blob);
struct blob *blob_ref(struct blob *blob);
void blob_put(struct blob *blob);
void blob_look(struct blob *blob, struct blob_info *ret_info);
const char *blob_key(const struct blob *blob);

/* A user: it can't be evicted meanwhile, by any daemon. `generation` is the one that was looked up:
 * -ERR_STALE when it can't be served any more, -ERR_CORRUPT. */
int blob_use(struct blob *blob, uint32_t generation);
void blob_unuse(struct blob *blob);
/* May a node with this generation still be shown (getattr)? 0 or -ERR_STALE. */
int blob_check(struct blob *blob, uint32_t generation);

/*
 * Makes [offset, offset+length) readable (length ≤ 1 MiB; cut at the file's end by the caller). 0:
 * blob_read() will give it. PARKED: `wait` is kept until it is so (finish(0)) or can't be (finish(error)).
 * Negative: can't. A sequential reader's window of read-ahead grows by these calls. The caller is a user
 * of the blob. `patient`: an engine's loader, whose mapping would ask again and again: no memory of failures,
 * and a fetch that fails does not end the wait; whoever runs the engine looks at the blob and ends it. Only
 * the end of the generation, or of the store, is told.
 */
int blob_await(struct blob *blob, uint32_t generation, uint64_t offset, size_t length, bool patient,
    struct wait *wait);
/* An engine has gone: patient waits, those of its mapping that nobody waits for any more, end with
 * -ERR_CANCELLED. */
void blob_dismiss(struct blob *blob);
/* Reads what blob_await() said is there: `length` bytes, or a negative error. */
ssize_t blob_read(struct blob *blob, uint32_t generation, void *data, size_t length, uint64_t offset);
/* A read-only descriptor of a complete blob, the caller's to close; -ERR_STALE when it is not complete.
 * The caller is a user. */
int blob_open_complete(struct blob *blob);

/* Background pulls: a blob is fetched to its end while at least one want is on. */
void blob_want(struct blob *blob);
void blob_unwant(struct blob *blob);
/* Pulls of this blob keep `rate` too (a reference of the store's own; NULL: none); readers don't. The
 * last one that was set counts. */
void blob_set_rate(struct blob *blob, struct http_rate *rate);
/* Forgets failures and a corrupt mark; what is wanted goes on at once. */
void blob_retry(struct blob *blob);
/* Drops what is here. -EBUSY: open (by any daemon), or being fetched for somebody; -EPERM: held. 0 also
 * when nothing was there. */
int blob_evict(struct blob *blob, uint64_t *ret_freed_bytes);

/* The keys that this instance keeps (pinned, required): replaces the former list, on disk too, where the
 * store's other daemons read it. At once for all of them; on the disk a moment later (holds.c). */
int store_set_holds(struct store *store, const char *const *keys, size_t count);

struct store_figures {
    uint64_t bytes_here;      /* complete and partial, all daemons' */
    uint64_t budget_bytes;    /* cache_max_bytes, the smallest of the store's daemons; 0: none */
    uint64_t disk_free_bytes; /* less min_free_bytes */
    uint64_t disk_total_bytes;
    uint64_t fetched_bytes; /* over the network by this daemon since it started */
    uint64_t speed;         /* bytes a second over the last seconds */
    unsigned fetches;       /* under way */
    uint64_t evicted_bytes;
    uint64_t pending_bytes; /* on their way: their room is taken already */
};
void store_look(struct store *store, struct store_figures *ret_figures);
/* cache_max_bytes has another value: it is told to the store's other daemons, and counts from the next look
 * at the store on, which begins now. Writes a small file. */
void store_budget_changed(struct store *store);
/* Would `bytes` more fit, evicting what may be evicted? 0, -ERR_FULL, -ERR_BUDGET with figures in the
 * reason. For plan and pre-flight. */
int store_room(struct store *store, uint64_t bytes, struct reason *reason);
/* Evicts least recently used blobs until `bytes` more fit. Disk work: not from a FUSE thread. */
int store_make_room(struct store *store, uint64_t bytes);

#endif
