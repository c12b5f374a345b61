/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/notifier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/thread.h"
#include "face/fuse/poll.h"

enum { QUEUE_MOST = 4096, BUCKETS = 512 };

struct note {
    struct list queue, bucket;
    bool expire;
    uint64_t node; /* expire: the folder */
    char name[];   /* expire: in it; else "" */
};

struct notifier {
    struct face *face;
    struct lock lock; /* QUEUE: all below */
    pthread_cond_t wake;
    struct list queue;
    struct list buckets[BUCKETS];
    size_t count;
    bool flooded, polls, stopping; /* polls: those who poll are to be woken */
    pthread_t thread;
};

static struct list *bucket_of(struct notifier *notifier, bool expire, uint64_t node, const char *name) {
    uint64_t hash = node ^ expire;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return &notifier->buckets[(hash * UINT64_C(0x9e3779b97f4a7c15) >> 32) % BUCKETS];
}

static bool is_queued_locked(const struct list *bucket, bool expire, uint64_t node, const char *name) {
    list_each (at, bucket) {
        const struct note *note = list_entry(at, struct note, bucket);
        if (note->node == node && note->expire == expire && strcmp(note->name, name) == 0)
            return true;
    }
    return false;
}

static struct note *shift_locked(struct notifier *notifier) {
    struct list *first = list_shift(&notifier->queue);
    if (!first)
        return NULL;
    struct note *note = list_entry(first, struct note, queue);
    list_remove(&note->bucket);
    notifier->count--;
    return note;
}

void notifier_add(struct notifier *notifier, const struct tree_change *change) {
    uint64_t node = change->expire ? change->parent : change->node;
    const char *name = change->expire ? change->name : "";
    LOCK_SCOPE(&notifier->lock);
    struct list *bucket = bucket_of(notifier, change->expire, node, name);
    if (notifier->stopping || notifier->flooded || is_queued_locked(bucket, change->expire, node, name))
        return;
    if (notifier->count == QUEUE_MOST) {
        /* Looking everything up again includes all that is queued. */
        notifier->flooded = true;
        struct note *note;
        while ((note = shift_locked(notifier)))
            free(note);
    } else {
        struct note *note = mem_new(sizeof *note + strlen(name) + 1);
        note->expire = change->expire;
        note->node = node;
        memcpy(note->name, name, strlen(name) + 1);
        list_append(&notifier->queue, &note->queue);
        list_append(bucket, &note->bucket);
        notifier->count++;
    }
    pthread_cond_signal(&notifier->wake);
}

void notifier_wake_polls(struct notifier *notifier) {
    LOCK_SCOPE(&notifier->lock);
    notifier->polls = true;
    pthread_cond_signal(&notifier->wake);
}

static int expire(struct fuse_session *session, uint64_t folder, const char *name) {
    size_t len = strlen(name);
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 16)
    int error = fuse_lowlevel_notify_expire_entry(session, folder, name, len);
#else
    int error = fuse_lowlevel_notify_expire_entry(session, folder, name, len, FUSE_LL_EXPIRE_ONLY);
#endif
    /* Older kernels: forgetting the name is as good, but for mounts below it. */
    return error == -ENOSYS ? fuse_lowlevel_notify_inval_entry(session, folder, name, len) : error;
}

/* Results are of no interest: ENOENT is what the kernel says of what it does not know anyway. */
static void tell(struct face *face, const struct note *note) {
    /* A folder's pages are its names: who has it open reads the new ones from the start on. A file's pages
     * are never dropped. */
    off_t pages = node_kind(note->node) == NODE_FOLDER ? 0 : -1;
    int error = note->expire ? expire(face->session, note->node, note->name)
                             : fuse_lowlevel_notify_inval_inode(face->session, note->node, pages, 0);
    trace(fuse, "%s node %#llx %s: %s", note->expire ? "expire" : "attributes",
        (unsigned long long)note->node, note->name, err_name(error));
}

static void tell_all(struct face *face) {
    int error = notify_raw(face, NOTIFY_INCREASE_EPOCH);
    if (error)
        log_warning("so much has changed at once that the kernel was not told all; until it looks again by "
                    "itself, listings may be old");
}

static void *run(void *context) {
    struct notifier *notifier = context;
    lock_take(&notifier->lock);
    while (!notifier->stopping) {
        bool flooded = notifier->flooded, polls = notifier->polls;
        struct note *note = flooded ? NULL : shift_locked(notifier);
        if (!flooded && !note && !polls) {
            (void)lock_wait(&notifier->lock, &notifier->wake, 0);
            continue;
        }
        notifier->flooded = notifier->polls = false;
        lock_drop(&notifier->lock);
        if (polls)
            polls_wake(notifier->face->polls);
        if (flooded)
            tell_all(notifier->face);
        else if (note)
            tell(notifier->face, note);
        free(note);
        lock_take(&notifier->lock);
    }
    lock_drop(&notifier->lock);
    return NULL;
}

int notifier_start(struct face *face, struct notifier **ret_notifier) {
    struct notifier *notifier = mem_new(sizeof *notifier);
    notifier->face = face;
    lock_init(&notifier->lock, LOCK_QUEUE);
    lock_condition_init(&notifier->wake);
    list_init(&notifier->queue);
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&notifier->buckets[i]);
    int error = thread_start("fuse-notify", run, notifier, &notifier->thread);
    if (error) {
        lock_done(&notifier->lock);
        free(notifier);
        return error;
    }
    *ret_notifier = notifier;
    return 0;
}

void notifier_stop(struct notifier *notifier) {
    {
        LOCK_SCOPE(&notifier->lock);
        notifier->stopping = true;
        pthread_cond_signal(&notifier->wake);
    }
    pthread_join(notifier->thread, NULL);
}

void notifier_free(struct notifier *notifier) {
    if (!notifier)
        return;
    struct note *note;
    while ((note = shift_locked(notifier)))
        free(note);
    pthread_cond_destroy(&notifier->wake);
    lock_done(&notifier->lock);
    free(notifier);
}
