/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/backing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/path.h"
#include "face/fuse/state.h"
#include "store/store.h"
#include "store/verify.h"

enum {
    BUCKETS = 1024,
    HOT_OPENS = 8, /* opens between two sweeps from which on the next one is expected at once */
};

/* The kernel's interface; older headers lack it. */
struct backing_map {
    int32_t fd;
    uint32_t flags;
    uint64_t padding;
};
#define BACKING_OPEN  _IOW(229, 1, struct backing_map)
#define BACKING_CLOSE _IOW(229, 2, uint32_t)

struct entry {
    struct list bucket, idle; /* idle: linked while nobody has it open */
    uint64_t node;
    int32_t id;
    struct blob *blob; /* a reference; NULL: a predecessor registered it, and nobody opened it since */
    bool inherited;
    bool spare_use; /* a blob_use that belongs to no open: the next one's */
    unsigned opens;
    unsigned recent;  /* opens since the last sweep */
    uint64_t idle_ms; /* since when nobody has it open */
};

struct backing {
    struct face *face;
    struct lock lock; /* BACKING: all below */
    struct list buckets[BUCKETS];
    struct list idle; /* the longest first */
    size_t count;
    bool possible, wanted, fallback;
};

static struct list *bucket_of(struct backing *backing, uint64_t node) {
    return &backing->buckets[(node * UINT64_C(0x9e3779b97f4a7c15) >> 32) % BUCKETS];
}

static struct entry *find_locked(struct backing *backing, uint64_t node) {
    list_each (at, bucket_of(backing, node)) {
        struct entry *entry = list_entry(at, struct entry, bucket);
        if (entry->node == node)
            return entry;
    }
    return NULL;
}

static struct entry *add_locked(struct backing *backing, uint64_t node, int32_t id) {
    struct entry *entry = mem_new(sizeof *entry);
    entry->node = node;
    entry->id = id;
    entry->idle_ms = clock_ms();
    list_append(bucket_of(backing, node), &entry->bucket);
    list_append(&backing->idle, &entry->idle);
    backing->count++;
    return entry;
}

static void drop_locked(struct backing *backing, struct entry *entry) {
    list_remove(&entry->bucket);
    list_remove(&entry->idle);
    backing->count--;
}

static void free_entry(struct entry *entry) {
    /* At the end of a session some may be open still: their RELEASE will never come. */
    for (unsigned uses = entry->opens + entry->spare_use; uses; uses--)
        blob_unuse(entry->blob);
    if (entry->blob)
        blob_put(entry->blob);
    free(entry);
}

static int kernel_open(struct backing *backing, int fd) {
    int error = FAULT(fuse_backing_open);
    if (error < 0)
        return error;
    struct backing_map map = {.fd = fd};
    int id = ioctl(fuse_session_fd(backing->face->session), BACKING_OPEN, &map);
    if (id < 0)
        return -errno;
    return id ? id : -EINVAL;
}

static void kernel_close(struct backing *backing, int32_t id) {
    uint32_t number = (uint32_t)id;
    (void)ioctl(fuse_session_fd(backing->face->session), BACKING_CLOSE,
        &number); /* fails when the session has ended, and the id with it */
}

static void fall_back_locked(struct backing *backing) {
    if (!backing->fallback)
        state_add(backing->face->state, "cached");
    backing->fallback = true;
}

/* The lines that a predecessor left. What is not understood is left out: then that node is opened anew,
 * and at worst refused by the kernel. */
static void take_line(void *context, const char *line) {
    struct backing *backing = context;
    unsigned long long node;
    int id;
    LOCK_SCOPE(&backing->lock);
    if (strcmp(line, "cached") == 0)
        backing->fallback = true;
    else if (sscanf(line, "+ %llu %d", &node, &id) == 2 && id > 0) {
        struct entry *entry = find_locked(backing, node);
        if (!entry)
            entry = add_locked(backing, node, id);
        entry->id = id;
        entry->inherited = true;
    } else if (sscanf(line, "- %llu", &node) == 1) {
        struct entry *entry = find_locked(backing, node);
        if (entry) {
            drop_locked(backing, entry);
            free_entry(entry);
        }
    }
}

int backing_start(struct face *face, const char *state_path, struct backing **ret_backing) {
    struct backing *backing = mem_new(sizeof *backing);
    backing->face = face;
    backing->wanted = options_bool(face->options, "passthrough");
    lock_init(&backing->lock, LOCK_BACKING);
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&backing->buckets[i]);
    list_init(&backing->idle);
    int error = state_path ? state_open(state_path, face->takeover, take_line, backing, &face->state) : 0;
    if (error) {
        backing_free(backing);
        return error;
    }
    *ret_backing = backing;
    return 0;
}

void backing_free(struct backing *backing) {
    if (!backing)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        struct list *first;
        while ((first = list_shift(&backing->buckets[i])))
            free_entry(list_entry(first, struct entry, bucket));
    }
    lock_done(&backing->lock);
    free(backing);
}

void backing_offer(struct backing *backing, bool possible) {
    LOCK_SCOPE(&backing->lock);
    backing->possible = possible;
    if (!possible || !backing->wanted)
        fall_back_locked(backing);
}

bool backing_is_on(struct backing *backing) {
    LOCK_SCOPE(&backing->lock);
    return backing->possible && !backing->fallback;
}

void backing_note_init(struct backing *backing, const void *request, size_t size) {
    LOCK_SCOPE(&backing->lock);
    state_set_init(backing->face->state, request, size);
}

static void opened_locked(struct entry *entry) {
    if (!entry->opens++)
        list_remove(&entry->idle);
    entry->recent++;
}

/* One open less. A use that is to be ended by the caller, without the lock: its blob; else NULL. */
static struct blob *closed_locked(struct backing *backing, struct entry *entry, bool had_use) {
    if (!--entry->opens) {
        entry->idle_ms = clock_ms();
        list_append(&backing->idle, &entry->idle);
    }
    if (!had_use)
        return NULL;
    if (!entry->opens && !entry->spare_use && entry->recent >= HOT_OPENS) {
        entry->spare_use = true;
        return NULL;
    }
    return entry->blob;
}

/* The entry counts the open already. It is closed again when the blob can't be used. */
static int use(struct backing *backing, struct entry *entry, int32_t *ret_id) {
    int error = blob_use(entry->blob, node_generation(entry->node));
    if (error) {
        LOCK_SCOPE(&backing->lock);
        (void)closed_locked(backing, entry, false);
        return error;
    }
    *ret_id = entry->id;
    return 0;
}

int backing_open(struct backing *backing, uint64_t node, int32_t *ret_id) {
    struct entry *entry;
    {
        LOCK_SCOPE(&backing->lock);
        entry = find_locked(backing, node);
        if (!entry || !entry->blob)
            return -ENOENT;
        opened_locked(entry); /* from here on the entry stays */
        if (entry->spare_use && blob_still_serves(entry->blob, node_generation(entry->node))) {
            entry->spare_use = false;
            *ret_id = entry->id;
            return 0;
        }
    }
    return use(backing, entry, ret_id);
}

/* The node's entry, opened; NULL when it has none, or when it shall be cached (-ENOTSUP). */
static struct entry *join_locked(struct backing *backing, uint64_t node, struct blob *blob, int *ret_error) {
    struct entry *entry = find_locked(backing, node);
    *ret_error = !entry && backing->fallback ? -ENOTSUP : 0;
    if (!entry)
        return NULL;
    if (!entry->blob)
        entry->blob = blob_ref(blob);
    opened_locked(entry);
    return entry;
}

static int register_file(struct backing *backing, struct blob *blob) {
    FD_CLEANUP int fd = blob_open_complete(blob);
    return fd < 0 ? fd : kernel_open(backing, fd);
}

/* What was registered (or why it could not be) becomes the node's, unless somebody else was faster: then
 * *ret_superfluous. */
static struct entry *settle(struct backing *backing, uint64_t node, struct blob *blob, int id,
    bool *ret_superfluous, int *ret_error) {
    LOCK_SCOPE(&backing->lock);
    struct entry *entry = join_locked(backing, node, blob, ret_error);
    *ret_superfluous = id > 0 && (entry || *ret_error);
    if (entry || *ret_error)
        return entry;
    if (id < 0) {
        log_notice("complete files are cached, not passed through: %s", err_sentence(id));
        fall_back_locked(backing);
        *ret_error = -ENOTSUP;
        return NULL;
    }
    entry = add_locked(backing, node, id);
    entry->blob = blob_ref(blob);
    opened_locked(entry);
    /* Before the kernel hears of it: a successor must know each id that an open can have. */
    state_add(backing->face->state, "+ %llu %d", (unsigned long long)node, id);
    return entry;
}

int backing_register(struct backing *backing, uint64_t node, struct blob *blob, int32_t *ret_id) {
    int error;
    struct entry *entry;
    {
        LOCK_SCOPE(&backing->lock);
        entry = join_locked(backing, node, blob, &error);
    }
    if (!entry && !error) {
        bool superfluous;
        int id = register_file(backing, blob);
        if (id == -ERR_STALE)
            return id; /* it was evicted just now: that says nothing of passing through */
        entry = settle(backing, node, blob, id, &superfluous, &error);
        if (superfluous)
            kernel_close(backing, id);
    }
    return entry ? use(backing, entry, ret_id) : error;
}

void backing_release(struct backing *backing, uint64_t node) {
    struct blob *blob = NULL;
    {
        LOCK_SCOPE(&backing->lock);
        struct entry *entry = find_locked(backing, node);
        if (entry && entry->opens)
            blob = closed_locked(backing, entry, true);
        if (blob)
            blob_ref(blob); /* the entry may go as soon as the lock is dropped */
    }
    if (!blob)
        return;
    blob_unuse(blob);
    blob_put(blob);
}

static void compact_locked(struct backing *backing) {
    if (!state_is_long(backing->face->state, backing->count))
        return;
    BUF_CLEANUP struct buf lines = BUF_INIT;
    if (backing->fallback)
        (void)buf_text_add(&lines, "cached\n");
    for (size_t i = 0; i < BUCKETS; i++)
        list_each (at, &backing->buckets[i]) {
            struct entry *entry = list_entry(at, struct entry, bucket);
            (void)buf_format(&lines, "+ %llu %d\n", (unsigned long long)entry->node, entry->id);
        }
    state_replace(backing->face->state, &lines, backing->count + backing->fallback);
}

/* The next idle entry that has lingered for long enough goes into *ret_gone; the next one whose use is not
 * expected to be needed soon gives *ret_blob. */
static bool sweep_one(struct backing *backing, uint64_t linger_ms, struct entry **ret_gone,
    struct blob **ret_blob) {
    LOCK_SCOPE(&backing->lock);
    uint64_t now = clock_ms();
    list_each (at, &backing->idle) {
        struct entry *entry = list_entry(at, struct entry, idle);
        if (entry->spare_use && entry->recent < HOT_OPENS) {
            entry->spare_use = false;
            *ret_blob = blob_ref(entry->blob);
            return true;
        }
        if (!entry->inherited && !entry->spare_use && now >= entry->idle_ms + linger_ms) {
            drop_locked(backing, entry);
            state_add(backing->face->state, "- %llu", (unsigned long long)entry->node);
            *ret_gone = entry;
            return true;
        }
    }
    return false;
}

void backing_sweep(struct backing *backing) {
    uint64_t linger_ms = (uint64_t)options_number(backing->face->options, "backing_linger_s") * 1000;
    struct entry *gone = NULL;
    struct blob *blob = NULL;
    while (sweep_one(backing, linger_ms, &gone, &blob)) {
        if (gone) {
            kernel_close(backing, gone->id);
            free_entry(gone);
        }
        if (blob) {
            blob_unuse(blob);
            blob_put(blob);
        }
        gone = NULL;
        blob = NULL;
    }
    LOCK_SCOPE(&backing->lock);
    for (size_t i = 0; i < BUCKETS; i++)
        list_each (at, &backing->buckets[i])
            list_entry(at, struct entry, bucket)->recent = 0;
    compact_locked(backing);
}
