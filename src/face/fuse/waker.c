/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/waker.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/path.h"
#include "base/thread.h"
#include "face/fuse/known.h"
#include "face/fuse/mounted.h"
#include "outside/child_companion.h"

enum {
    WISHES_MOST = 256,
    MESSAGE_MOST = 32 << 10,
    INTERVAL_MS = 250,      /* between batches: what a stream of changes costs */
    IDLE_MS = 60000,        /* then the helper is let go */
    ANSWER_MOST_MS = 30000, /* a helper that takes longer is stuck in a mount that lies on ours, or worse */
    DEATHS_MOST = 5,
};

struct wish {
    enum tree_wake what;
    uint64_t object;
};

struct waker {
    struct face *face;
    char *mountpoint;
    char device[32];
    struct lock lock; /* QUEUE: wishes, count, stopping, and setting and closing fd */
    pthread_cond_t wake;
    struct wish wishes[WISHES_MOST];
    size_t count;
    bool stopping;
    int fd; /* to the helper; -1: there is none */
    pthread_t thread;
    _Atomic int pid;           /* 0: there is none */
    _Atomic uint64_t creating; /* the job whose folder the helper is to make now; 0 */
    /* The thread's own: */
    uint64_t newest_job;
    unsigned deaths;
    struct buf message;
};

/* ---- the helper ---- */

static int start_helper(struct waker *waker) {
    const char *const arguments[] = {"weightfs", WAKER_VERB, waker->mountpoint, waker->device, NULL};
    int pid, fd;
    int error = companion_start(arguments, &pid, &fd);
    if (error)
        return error;
    atomic_store(&waker->pid, pid);
    LOCK_SCOPE(&waker->lock);
    waker->fd = fd;
    if (waker->stopping) /* waker_stop() could not tell it yet */
        (void)shutdown(waker->fd, SHUT_RDWR);
    trace(fuse, "wake helper %d started", pid);
    return 0;
}

static void end_helper(struct waker *waker) {
    int pid = atomic_exchange(&waker->pid, 0); /* before it is reaped: then its number may be another's */
    lock_take(&waker->lock);
    path_close(&waker->fd);
    lock_drop(&waker->lock);
    if (pid && companion_end(pid) < 0)
        log_warning("the wake helper (process %d) can't be ended", pid);
}

static bool is_stopping(struct waker *waker) {
    LOCK_SCOPE(&waker->lock);
    return waker->stopping;
}

/* Sends the names that were collected, and waits until they are done. -errno; -EIO: the helper has died. */
static int exchange(struct waker *waker) {
    char answer;
    int error = waker->fd < 0 ? start_helper(waker) : 0;
    if (error)
        return error;
    struct pollfd wanted = {.fd = waker->fd, .events = POLLIN};
    if (send(waker->fd, waker->message.data, waker->message.len, MSG_NOSIGNAL) >= 0 &&
        poll(&wanted, 1, ANSWER_MOST_MS) > 0 && recv(waker->fd, &answer, 1, MSG_DONTWAIT) == 1)
        return 0;
    end_helper(waker);
    return -EIO;
}

static void send_message(struct waker *waker) {
    int error = 0;
    bool sent = false;
    while (!sent && waker->message.len && waker->deaths < DEATHS_MOST && !is_stopping(waker)) {
        error = exchange(waker);
        sent = !error;
        waker->deaths = error ? waker->deaths + 1 : 0;
        if (waker->deaths == DEATHS_MOST && !is_stopping(waker))
            log_warning("watchers (inotify) are no longer woken: the helper that does it %s",
                error == -EIO ? "ends or hangs time and again" : err_sentence(error));
    }
    buf_clear(&waker->message);
}

/* ---- what to tell it ---- */

static void add_line(struct waker *waker, char what, const char *path) {
    if (waker->message.len + strlen(path) + 4 > MESSAGE_MOST)
        send_message(waker);
    (void)buf_format(&waker->message, "%c %s\n", what, path); /* no limit */
}

static void add_name(void *context, node_number folder, const char *path) {
    struct waker *waker = context;
    if (known_may_be(waker->face->known, folder))
        add_line(waker, 't', path);
}

/* A message of its own: `creating` is true for as long as it is under way. */
static void create(struct waker *waker, uint64_t job) {
    char path[32];
    waker->newest_job = job;
    if (!known_may_be(waker->face->known, tree_jobs_folder()))
        return;
    send_message(waker);
    (void)snprintf(path, sizeof path, "jobs/%llu", (unsigned long long)job);
    add_line(waker, 'c', path);
    atomic_store(&waker->creating, job);
    send_message(waker);
    atomic_store(&waker->creating, 0);
}

static void tell(struct waker *waker, const struct wish *wishes, size_t count) {
    struct tree *tree = waker->face->tree;
    unsigned what = 0;
    for (size_t i = 0; i < count; i++) {
        what |= wishes[i].what;
        if (wishes[i].what == TREE_WAKE_JOB && wishes[i].object > waker->newest_job)
            create(waker, wishes[i].object);
    }
    tree_wakes_whole(tree, what, add_name, waker);
    for (size_t i = 0; i < count; i++)
        tree_wakes_of(tree, wishes[i].what, wishes[i].object, add_name, waker);
    send_message(waker);
}

static size_t take_locked(struct waker *waker, struct wish to[static WISHES_MOST]) {
    size_t count = waker->count;
    memcpy(to, waker->wishes, count * sizeof *to);
    waker->count = 0;
    return count;
}

static void *run(void *context) {
    struct waker *waker = context;
    struct wish wishes[WISHES_MOST];
    uint64_t next_ms = 0;
    lock_take(&waker->lock);
    while (!waker->stopping) {
        uint64_t now = clock_ms();
        bool idle = !waker->count;
        if (idle && !lock_wait(&waker->lock, &waker->wake, waker->fd < 0 ? 0 : now + IDLE_MS)) {
            lock_drop(&waker->lock);
            end_helper(waker);
            lock_take(&waker->lock);
        }
        if (idle)
            continue;
        if (now < next_ms) {
            (void)lock_wait(&waker->lock, &waker->wake, next_ms);
            continue;
        }
        size_t count = take_locked(waker, wishes);
        lock_drop(&waker->lock);
        tell(waker, wishes, count);
        lock_take(&waker->lock);
        next_ms = clock_ms() + INTERVAL_MS;
    }
    lock_drop(&waker->lock);
    end_helper(waker);
    return NULL;
}

void waker_add(struct waker *waker, enum tree_wake what, uint64_t object) {
    LOCK_SCOPE(&waker->lock);
    for (size_t i = 0; i < waker->count; i++)
        if (waker->wishes[i].what == what && waker->wishes[i].object == object)
            return;
    if (waker->count == WISHES_MOST || waker->stopping)
        return;
    waker->wishes[waker->count++] = (struct wish){what, object};
    if (waker->count == 1)
        pthread_cond_signal(&waker->wake);
}

/* ---- life ---- */

int waker_start(struct face *face, struct waker **ret_waker) {
    struct waker *waker = mem_new(sizeof *waker);
    *waker = (struct waker){.face = face, .fd = -1};
    int error = mounted_where(fuse_session_fd(face->session), face->mountpoint, &waker->mountpoint,
        waker->device, sizeof waker->device);
    if (error) {
        trace(fuse, "nobody is woken: %s", err_sentence(error));
        free(waker);
        *ret_waker = NULL;
        return 0;
    }
    waker->newest_job = tree_newest_job(face->tree);
    lock_init(&waker->lock, LOCK_QUEUE);
    lock_condition_init(&waker->wake);
    error = thread_start("fuse-wake", run, waker, &waker->thread);
    if (error) {
        pthread_cond_destroy(&waker->wake);
        lock_done(&waker->lock);
        free(waker->mountpoint);
        free(waker);
        return error;
    }
    *ret_waker = waker;
    return 0;
}

void waker_stop(struct waker *waker) {
    {
        LOCK_SCOPE(&waker->lock);
        waker->stopping = true;
        if (waker->fd >= 0)
            (void)shutdown(waker->fd, SHUT_RDWR); /* its answer is not waited for any more */
        pthread_cond_signal(&waker->wake);
    }
    pthread_join(waker->thread, NULL);
}

void waker_free(struct waker *waker) {
    if (!waker)
        return;
    pthread_cond_destroy(&waker->wake);
    lock_done(&waker->lock);
    buf_done(&waker->message);
    free(waker->mountpoint);
    free(waker);
}

/* ---- its requests ---- */

bool waker_is_asking(const struct waker *waker, const struct call *call) {
    int pid = waker ? atomic_load(&waker->pid) : 0;
    return pid && fuse_req_ctx(call->req)->pid == pid;
}

static bool is_being_made(const struct waker *waker, const struct call *call, const char *name) {
    char wanted[24];
    if (call->node != tree_jobs_folder() || !waker_is_asking(waker, call))
        return false;
    uint64_t job = atomic_load(&waker->creating);
    (void)snprintf(wanted, sizeof wanted, "%llu", (unsigned long long)job);
    return job && strcmp(name, wanted) == 0;
}

bool waker_hides(const struct waker *waker, const struct call *call, const char *name) {
    return is_being_made(waker, call, name);
}

bool waker_makes(const struct waker *waker, const struct call *call, const char *name) {
    struct wait unused = {0}; /* jobs are known or not: nothing is waited for */
    struct tree_entry entry;
    if (!is_being_made(waker, call, name))
        return false;
    int error = tree_lookup(call->face->tree, call->node, name, NULL, &entry, &unused);
    if (error)
        answer_error(call, error);
    else
        answer_entry(call, &entry);
    return true;
}
