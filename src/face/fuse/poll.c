/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/poll.h"

#include <poll.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/list.h"

enum { ALWAYS = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM, READABLE = POLLIN | POLLRDNORM };

struct poller {
    struct list link;
    uint64_t handle;
    struct fuse_pollhandle *wake;
};

struct polls {
    struct lock lock; /* QUEUE */
    struct list pollers;
};

struct polls *polls_new(void) {
    struct polls *polls = mem_new(sizeof *polls);
    lock_init(&polls->lock, LOCK_QUEUE);
    list_init(&polls->pollers);
    return polls;
}

static void poller_free(struct poller *poller) {
    fuse_pollhandle_destroy(poller->wake);
    free(poller);
}

static struct poller *shift(struct polls *polls) {
    LOCK_SCOPE(&polls->lock);
    struct list *first = list_shift(&polls->pollers);
    return first ? list_entry(first, struct poller, link) : NULL;
}

void polls_free(struct polls *polls) {
    if (!polls)
        return;
    for (struct poller *poller; (poller = shift(polls));)
        poller_free(poller);
    lock_done(&polls->lock);
    free(polls);
}

/* Who still wants to know asks again, and is entered again: those are left for the next time. */
void polls_wake(struct polls *polls) {
    LIST_HEAD(woken);
    lock_take(&polls->lock);
    for (struct list *link; (link = list_shift(&polls->pollers));)
        list_append(&woken, link);
    lock_drop(&polls->lock);
    for (struct list *link; (link = list_shift(&woken));) {
        struct poller *poller = list_entry(link, struct poller, link);
        (void)fuse_lowlevel_notify_poll(poller->wake); /* ENOENT: it was closed meanwhile */
        poller_free(poller);
    }
}

/* A handle has one at most: the newest counts. */
static struct poller *take_locked(struct polls *polls, uint64_t handle) {
    list_each (at, &polls->pollers) {
        struct poller *poller = list_entry(at, struct poller, link);
        if (poller->handle == handle) {
            list_remove(&poller->link);
            return poller;
        }
    }
    return NULL;
}

void polls_forget(struct polls *polls, uint64_t handle) {
    lock_take(&polls->lock);
    struct poller *poller = take_locked(polls, handle);
    lock_drop(&polls->lock);
    if (poller)
        poller_free(poller);
}

static void enter(struct polls *polls, uint64_t handle, struct fuse_pollhandle *wake) {
    struct poller *poller = mem_new(sizeof *poller);
    poller->handle = handle;
    poller->wake = wake;
    lock_take(&polls->lock);
    struct poller *former = take_locked(polls, handle);
    list_append(&polls->pollers, &poller->link);
    lock_drop(&polls->lock);
    if (former)
        poller_free(former);
}

void poll_poll(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file, struct fuse_pollhandle *wake) {
    struct call call = call_of(req, OPERATION_POLL, node);
    struct face *face = call.face;
    bool waits = node_kind(node) == NODE_STREAM;
    /* Entered before it is looked at: what comes in between wakes it. */
    if (wake && waits)
        enter(face->polls, file->fh, wake);
    else if (wake)
        fuse_pollhandle_destroy(wake);
    unsigned ready = !waits ? ALWAYS : tree_is_readable(face->tree, node, file->fh) ? READABLE : 0;
    answer_ready(&call, ready);
}
