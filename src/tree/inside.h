/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_INSIDE_H
#define WEIGHTFS_TREE_INSIDE_H

/*
 * What a tree is made of. Each part has its own lock of rank HANDLE and functions in the header named
 * beside it; two of these locks are never held together, and none while something is printed, asked of
 * a lower floor that writes, or waited for.
 */

#include <stdatomic.h>

#include "base/list.h"
#include "base/lock.h"
#include "base/pool.h"
#include "model/catalog.h"
#include "tree/tree.h"

#define SNAPSHOT_BUCKETS 8192
#define VERSION_SLOTS    4096
#define STAMP_SETS       4096
#define STAMP_WAYS       4
#define HANDLE_BUCKETS   1024
#define FILE_SLOTS       512
#define MODEL_SLOTS      16 /* listings under way: a folder's files have one model */
#define SEEN_SLOTS       1024

struct snapshots { /* snapshot.h */
    struct lock lock;
    struct list buckets[SNAPSHOT_BUCKETS]; /* the current ones by node */
    struct list ages;                      /* the same in order of their making */
    size_t count, bytes;
};

struct stamp {
    node_number node; /* 0: free (no text has that number) */
    uint64_t hash;
    int64_t changed_ms;
};
struct stamps { /* stamp.h */
    struct lock lock;
    struct stamp (*sets)[STAMP_WAYS];
    uint8_t turn[STAMP_SETS];
};

struct handles { /* handle.h */
    struct lock lock;
    struct list buckets[HANDLE_BUCKETS];
    struct list waits; /* of commands under way: run.c */
    uint64_t next;
};

struct file_slot {
    uint64_t file_id; /* 0: free */
    uint64_t version;
    uint64_t size;
    bool is_locked, is_former;
    bool is_judged, is_risky; /* the latter once the former */
    struct blob *blob;
};
struct model_slot {   /* what files need to know of their model */
    int64_t model_id; /* 0: free */
    uint64_t version;
    const struct source *source;
    int64_t revision_id;
    bool is_locked;
    char name[NAME_MODEL_SIZE];
};
struct files { /* file.h */
    struct lock lock;
    struct file_slot slots[FILE_SLOTS];
    struct model_slot models[MODEL_SLOTS];
};

struct changes { /* change.h */
    struct lock lock;
    pthread_cond_t told; /* calling became false */
    bool calling;        /* the listener is being called */
    tree_listener listener;
    void *context;
    tree_wake_listener waker;
    void *waker_context;
    struct pool *desk; /* under lock; NULL: no notes are taken any more */
    struct {
        int64_t model_id, revision_id;
    } seen[SEEN_SLOTS];
};

struct versions { /* version.h */
    _Atomic uint64_t all, figures, listings;
    _Atomic uint64_t models[VERSION_SLOTS];
};

struct permission { /* permission.h */
    struct lock lock;
    bool has_group;
    gid_t group;
    uid_t *members;
    size_t member_count;
};

#define LINKS_PENDING 8
struct links { /* link.h */
    struct lock lock;
    struct pending_link {
        char *name, *target; /* NULL: free */
        uint64_t made_ms;
    } pending[LINKS_PENDING];
};

struct tree {
    struct tree_settings settings;
    char *version, *mountpoint;
    struct catalog *catalog;
    struct store *store;
    const struct options *options;
    int64_t start_ms;      /* wall */
    _Atomic uint64_t news; /* rises with whatever may change a text at once, or a file's row */
    struct versions versions;
    struct permission permission;
    struct snapshots snapshots;
    struct stamps stamps;
    struct handles handles;
    struct files files;
    struct changes changes;
    struct links links;
};

#endif
