/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "base/thread.h"
#include "daemon/errand.h"
#include "daemon/fatal.h"
#include "daemon/mounts.h"
#include "weightfs/exit.h"

struct guard {
    struct guard_settings settings;
    struct errand errand;
    pthread_mutex_t mutex; /* guards face; without a rank: taken outside of all locks */
    struct face *face;
    _Atomic(const char *) log_path;
    atomic_uint asked; /* how often TERM or INT came */
    int signal_fd;
    int read_end, write_end; /* letters from the main thread: r(eady), e(nding), q(uit) */
    pthread_t thread;
    unsigned minor;                    /* of the mount's device; 0 unknown */
    uint64_t ready_by_ms, ended_by_ms; /* 0: no such deadline */
};

static void handled_signals(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void guard_block_signals(void) {
    sigset_t set;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    handled_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    fatal_catch();
}

/* ---- what the thread does */

/* The kernel answers all that waits in this mount with ECONNABORTED, and the daemon's reads end. */
static void abort_connection(struct guard *guard) {
    char path[64];
    if (!guard->minor)
        return;
    snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%u/abort", guard->minor);
    FD_CLEANUP int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "1", 1) != 1)
        log_warning("%s: %s", path, err_sentence(-errno));
}

static void stop_face(struct guard *guard) {
    pthread_mutex_lock(&guard->mutex);
    if (guard->face)
        face_stop(guard->face);
    pthread_mutex_unlock(&guard->mutex);
}

static void on_signal(struct guard *guard) {
    struct signalfd_siginfo info;
    if (read(guard->signal_fd, &info, sizeof(info)) != sizeof(info))
        return;
    if (info.ssi_signo == SIGHUP) {
        const char *path = atomic_load(&guard->log_path);
        int error = path ? log_open(path) : 0;
        if (error < 0)
            log_error("%s: %s", path, err_sentence(error));
        else
            log_notice("hang-up: %s", path ? "the log was opened again" : "nothing to do");
        return;
    }
    if (atomic_fetch_add(&guard->asked, 1) > 0) {
        log_warning("asked to end a second time: what still waits is given up");
        abort_connection(guard);
        guard->ended_by_ms =
            clock_ms() + GUARD_FORCE_MS; /* where the connection can't be aborted the process's end does it */
    }
    log_notice("asked to end (signal %u from process %u)", info.ssi_signo, info.ssi_pid);
    stop_face(guard);
}

static void remember_connection(struct guard *guard) {
    MOUNTS_CLEANUP struct mounts mounts = MOUNTS_INIT;
    if (mounts_read(&mounts) < 0)
        return;
    const struct mount_entry *entry = mounts_at(&mounts, guard->settings.mountpoint);
    guard->minor = entry ? entry->minor : 0;
}

static void conclude(struct guard *guard, int result) {
    guard->ready_by_ms = 0;
    errand_done(&guard->errand);
    guard->settings.proved(guard->settings.context, result);
    if (result < 0)
        stop_face(guard);
}

/* true: the thread ends. */
static bool on_letter(struct guard *guard) {
    char letter = 'q';
    if (read(guard->read_end, &letter, 1) != 1 || letter == 'q')
        return true;
    if (letter == 'e') {
        if (!guard->ended_by_ms)
            guard->ended_by_ms = clock_ms() + GUARD_END_MS;
        guard->ready_by_ms = 0;
    } else if (guard->settings.mountpoint) {
        remember_connection(guard);
        guard->ready_by_ms = clock_ms() + GUARD_READY_MS;
        errand_go(&guard->errand);
    } else {
        conclude(guard, 0);
    }
    return false;
}

/* What the kernel and the disk were given is safe; who still waits for something is told by the end of
 * the connection. */
static void end_by_force(void) {
    log_error("the shutdown takes too long: ending without it");
    _exit(WEIGHTFS_EXIT_FAILURE);
}

static int patience_ms(const struct guard *guard) {
    uint64_t now = clock_ms(), at = guard->ended_by_ms ? guard->ended_by_ms : guard->ready_by_ms;
    return !at ? -1 : at > now ? (int)(at - now) : 0;
}

static void *run(void *context) {
    struct guard *guard = context;
    for (;;) {
        struct pollfd wanted[] = {
            {.fd = guard->signal_fd, .events = POLLIN},
            {.fd = guard->read_end, .events = POLLIN},
            {.fd = guard->errand.answer_fd, .events = POLLIN},
        };
        int count = poll(wanted, 3, patience_ms(guard));
        if (count < 0)
            continue; /* EINTR: nothing else can be wrong with three descriptors of our own */
        if (count == 0 && guard->ended_by_ms)
            end_by_force();
        else if (count == 0)
            conclude(guard, -ETIMEDOUT);
        if (wanted[0].revents)
            on_signal(guard);
        if (wanted[2].revents)
            conclude(guard, errand_answer(&guard->errand));
        if (wanted[1].revents && on_letter(guard))
            return NULL;
    }
}

/* ---- its life */

static void guard_free(struct guard *guard) {
    errand_done(&guard->errand);
    path_close(&guard->signal_fd);
    path_close(&guard->read_end);
    path_close(&guard->write_end);
    pthread_mutex_destroy(&guard->mutex);
    free(guard);
}

int guard_start(const struct guard_settings *settings, struct guard **ret_guard) {
    struct guard *guard = mem_new(sizeof(*guard));
    sigset_t set;
    int ends[2] = {-1, -1};
    guard->settings = *settings;
    guard->errand = (struct errand)ERRAND_INIT;
    atomic_init(&guard->log_path, settings->log_path);
    pthread_mutex_init(&guard->mutex, NULL);
    handled_signals(&set);
    guard->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
    int error = guard->signal_fd < 0 || pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
    guard->read_end = ends[0];
    guard->write_end = ends[1];
    if (error >= 0 && settings->mountpoint)
        error =
            errand_begin(errand_look_at_mount, (void *)(uintptr_t)settings->mountpoint, true, &guard->errand);
    if (error >= 0)
        error = thread_start("guard", run, guard, &guard->thread);
    if (error < 0) {
        guard_free(guard);
        return error;
    }
    *ret_guard = guard;
    return 0;
}

static void send_letter(struct guard *guard, char letter) {
    (void)!write(guard->write_end, &letter, 1); /* a pipe of our own with three letters in it at most */
}

void guard_set_log(struct guard *guard, const char *path) {
    atomic_store(&guard->log_path, path);
}

void guard_watch_face(struct guard *guard, struct face *face) {
    pthread_mutex_lock(&guard->mutex);
    guard->face = face;
    if (face && guard_was_asked_to_end(guard))
        face_stop(face);
    pthread_mutex_unlock(&guard->mutex);
}

void guard_ready(struct guard *guard) {
    send_letter(guard, 'r');
}

void guard_ending(struct guard *guard) {
    send_letter(guard, 'e');
}

bool guard_was_asked_to_end(const struct guard *guard) {
    return atomic_load(&guard->asked) > 0;
}

void guard_stop(struct guard *guard) {
    if (!guard)
        return;
    send_letter(guard, 'q');
    pthread_join(guard->thread, NULL);
    guard_free(guard);
}
