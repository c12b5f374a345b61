/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/poll.h"

#include <poll.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/wait.h"
#include "face/fuse/notifier.h"

enum { CLOSE_MOST_MS = 10000 }; /* for a keeper that is just telling */

enum {
    READABLE = POLLIN | POLLRDNORM,
    WRITABLE = POLLOUT | POLLWRNORM,
    ALWAYS = READABLE | WRITABLE,
};

/* Of `events` it is woken with all others when there are news of them. Of an answer it has a wait of its own,
 * whose keeper tells when the time has come. */
struct poller {
    struct list link;
    uint64_t handle;
    struct fuse_pollhandle *wake;
    struct polls *polls;
    struct wait wait;
    bool is_answer;
    bool waits;   /* the keeper has the wait: finish() comes, if it is not taken back */
    bool is_gone; /* closed meanwhile: finish() frees it */
};

struct polls {
    struct face *face;
    _Atomic bool news; /* of events */
    struct lock lock;  /* PARK: all below; under it the notifier is told */
    pthread_cond_t calm;
    struct list pollers;
    unsigned gone; /* whose finish() is on its way */
};

struct polls *polls_new(struct face *face) {
    struct polls *polls = mem_new(sizeof *polls);
    polls->face = face;
    lock_init(&polls->lock, LOCK_PARK);
    lock_condition_init(&polls->calm);
    list_init(&polls->pollers);
    return polls;
}

static void poller_free(struct poller *poller) {
    fuse_pollhandle_destroy(poller->wake);
    free(poller);
}

/* One that is in the list no more. */
static void let_go(struct poller *poller) {
    struct polls *polls = poller->polls;
    lock_take(&polls->lock);
    bool waits = poller->waits;
    lock_drop(&polls->lock);
    if (waits && !wait_withdraw(&poller->wait)) { /* it was finished, or is just being */
        lock_take(&polls->lock);
        waits = poller->waits;
        poller->is_gone = waits;
        polls->gone += waits;
        lock_drop(&polls->lock);
        if (waits)
            return;
    }
    poller_free(poller);
}

static struct poller *shift(struct polls *polls) {
    LOCK_SCOPE(&polls->lock);
    struct list *first = list_shift(&polls->pollers);
    return first ? list_entry(first, struct poller, link) : NULL;
}

void polls_close(struct polls *polls) {
    for (struct poller *poller; (poller = shift(polls));)
        let_go(poller);
    LOCK_SCOPE(&polls->lock);
    uint64_t until_ms = clock_ms() + CLOSE_MOST_MS;
    while (polls->gone && lock_wait(&polls->lock, &polls->calm, until_ms))
        ;
}

void polls_free(struct polls *polls) {
    if (!polls)
        return;
    polls_close(polls);
    pthread_cond_destroy(&polls->calm);
    lock_done(&polls->lock);
    free(polls);
}

void polls_news(struct polls *polls) {
    atomic_store(&polls->news, true);
    notifier_wake_polls(polls->face->notifier);
}

/* Who still wants to know asks again, and is entered again: those are left for the next time. */
void polls_wake(struct polls *polls) {
    LIST_HEAD(woken);
    bool news = atomic_exchange(&polls->news, false);
    lock_take(&polls->lock);
    list_each (link, &polls->pollers) {
        const struct poller *poller = list_entry(link, struct poller, link);
        if (poller->is_answer ? poller->waits : !news)
            continue;
        list_remove(link);
        list_append(&woken, link);
    }
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
        let_go(poller);
}

/* Any thread: the kernel is told on another. */
static void finish(struct wait *wait, int result) {
    struct poller *poller = list_entry(wait, struct poller, wait);
    struct polls *polls = poller->polls;
    (void)result;
    lock_take(&polls->lock);
    poller->waits = false;
    bool is_gone = poller->is_gone;
    if (is_gone) {
        poller_free(poller);
        polls->gone--;
        pthread_cond_broadcast(&polls->calm);
    } else {
        notifier_wake_polls(polls->face->notifier);
    }
    lock_drop(&polls->lock);
}

static struct poller *poller_new(struct polls *polls, uint64_t handle, struct fuse_pollhandle *wake) {
    struct poller *poller = mem_new(sizeof *poller);
    poller->polls = polls;
    poller->handle = handle;
    poller->wake = wake;
    poller->wait.finish = finish;
    return poller;
}

static void enter(struct polls *polls, struct poller *poller) {
    lock_take(&polls->lock);
    struct poller *former = take_locked(polls, poller->handle);
    list_append(&polls->pollers, &poller->link);
    lock_drop(&polls->lock);
    if (former)
        let_go(former);
}

static unsigned poll_stream(const struct call *call, const struct fuse_file_info *file,
    struct fuse_pollhandle *wake) {
    if (wake) /* before it is looked at: what comes in between wakes it */
        enter(call->face->polls, poller_new(call->face->polls, file->fh, wake));
    return tree_is_readable(call->face->tree, call->node, file->fh) ? READABLE : 0;
}

/* It is in the list only while it waits, or until the kernel was told: the keeper may be quicker than we. */
static unsigned poll_answer(const struct call *call, const struct fuse_file_info *file,
    struct fuse_pollhandle *wake) {
    struct polls *polls = call->face->polls;
    struct tree_caller caller = caller_of(call);
    struct poller *poller = poller_new(polls, file->fh, wake);
    unsigned writable = node_kind(call->node) == NODE_ANSWER ? 0 : WRITABLE;
    if (!(file->poll_events & READABLE)) {
        poller_free(poller);
        return writable;
    }
    poller->is_answer = poller->waits = true;
    if (tree_poll_await(call->face->tree, call->node, file->fh, &caller, &poller->wait) != PARKED) {
        poller_free(poller);
        return writable | READABLE;
    }
    if (wake) {
        enter(polls, poller);
        notifier_wake_polls(call->face->notifier); /* it may be over by now, and nobody have told */
    } else {
        let_go(poller);
    }
    return writable;
}

void poll_poll(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file, struct fuse_pollhandle *wake) {
    struct call call = call_of(req, OPERATION_POLL, node);
    unsigned ready = ALWAYS;
    if (node_kind(node) == NODE_STREAM)
        ready = poll_stream(&call, file, wake);
    else if (node_is_answer(node))
        ready = poll_answer(&call, file, wake);
    else if (wake)
        fuse_pollhandle_destroy(wake);
    answer_ready(&call, ready);
}
