/* SPDX-License-Identifier: Apache-2.0 */
#include "outside/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/path.h"
#include "outside/child_inside.h"

/* Killed, and still not gone after so long: it hangs in the kernel (a dead disk), and nobody waits for
 * that. */
static const uint64_t KILL_MS = 5000;

/* Those that hang: reaped when the next child is run, as far as they have ended by then. */
static struct lock lock = {PTHREAD_MUTEX_INITIALIZER, LOCK_QUEUE};
static pid_t hanging[16];

static void reap_hanging(pid_t one_more) {
    LOCK_SCOPE(&lock);
    for (size_t i = 0; i < sizeof hanging / sizeof *hanging; i++) {
        if (hanging[i] && waitpid(hanging[i], NULL, WNOHANG))
            hanging[i] = 0;
        if (!hanging[i] && one_more) {
            hanging[i] = one_more;
            one_more = 0;
        }
    }
}

static int describe(const struct child_description *description, int output_fd,
    posix_spawn_file_actions_t *actions) {
    int error = description->input_fd >= 0
                    ? posix_spawn_file_actions_adddup2(actions, description->input_fd, STDIN_FILENO)
                    : posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    for (int fd = STDOUT_FILENO; !error && fd <= STDERR_FILENO; fd++)
        error = output_fd >= 0 ? posix_spawn_file_actions_adddup2(actions, output_fd, fd)
                               : posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_WRONLY, 0);
    return error ? error : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
}

/* A group of its own, so that what it starts is killed with it; no blocked or ignored signals of ours. */
static int set_attributes(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    error = error ? error : posix_spawnattr_setsigdefault(attributes, &all);
    error = error ? error : posix_spawnattr_setpgroup(attributes, 0);
    return error ? error
                 : posix_spawnattr_setflags(attributes,
                       POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

static int spawn(const struct child_description *description, int output_fd, pid_t *ret_pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int error = describe(description, output_fd, &actions);
    error = error ? error : set_attributes(&attributes);
    const char *const *environment_of =
        description->environment ? description->environment : (const char *const *)environ;
    /* The casts are for a prototype older than const: posix_spawnp changes neither. */
    if (!error)
        error = posix_spawnp(ret_pid, description->arguments[0], &actions, &attributes,
            (char *const *)description->arguments, (char *const *)environment_of);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return -error;
}

/* Takes what is in the pipe now, keeps what fits. false at its end. A pipe's worth at a time: who writes
 * without end must not keep us from looking at the clock. */
static bool drain(int fd, size_t limit, struct buf *output) {
    char chunk[4096];
    for (size_t taken = 0; taken < 64 * 1024;) {
        ssize_t len = read(fd, chunk, sizeof chunk);
        if (len < 0 && errno == EINTR)
            continue;
        if (len <= 0)
            return len < 0 && errno == EAGAIN;
        taken += (size_t)len;
        size_t room = output->len < limit ? limit - output->len : 0;
        (void)buf_add(output, chunk,
            (size_t)len < room ? (size_t)len : room); /* past a limit of the buf's own it is dropped */
    }
    return true;
}

/* Until the child has ended: 0, or -ERR_DEADLINE. Its end counts, not the pipe's: something that it left
 * behind may hold that. */
static int watch(int child_fd, int *output_fd, uint64_t until_ms, size_t limit, struct buf *output) {
    for (;;) {
        uint64_t now_ms = clock_ms();
        if (now_ms >= until_ms)
            return -ERR_DEADLINE;
        uint64_t left_ms = until_ms - now_ms;
        struct pollfd fds[] = {{.fd = child_fd, .events = POLLIN}, {.fd = *output_fd, .events = POLLIN}};
        int ready = poll(fds, 2, left_ms < 60 * 1000 ? (int)left_ms : 60 * 1000);
        if (ready < 0 && errno != EINTR)
            return -errno;
        if (ready <= 0)
            continue;
        if (fds[1].revents && !drain(*output_fd, limit, output))
            path_close(output_fd);
        if (fds[0].revents)
            return 0;
    }
}

int child_reap(pid_t pid) {
    int status;
    pid_t got;
    do
        got = waitpid(pid, &status, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int end_by_force(pid_t pid, int child_fd, int error) {
    struct pollfd fd = {.fd = child_fd, .events = POLLIN};
    (void)kill(-pid, SIGKILL); /* ESRCH: it has just ended */
    if (child_fd < 0 || poll(&fd, 1, (int)KILL_MS) > 0)
        (void)child_reap(pid);
    else
        reap_hanging(pid);
    return error;
}

int child_pipe(int lowest, int *ret_read_fd, int *ret_write_fd) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC))
        return -errno;
    /* Above those that the child gets, in case that one of ours is closed. */
    *ret_write_fd = fcntl(fds[1], F_DUPFD_CLOEXEC, lowest);
    int error = *ret_write_fd < 0 ? -errno : 0;
    close(fds[1]);
    *ret_read_fd = fds[0];
    if (!error && fcntl(fds[0], F_SETFL, O_NONBLOCK))
        error = -errno;
    return error;
}

int child_run(const struct child_description *description, struct buf *output) {
    FD_CLEANUP int read_fd = -1;
    FD_CLEANUP int write_fd = -1;
    lock_assert_none(); /* it waits */
    reap_hanging(0);
    int error = output ? child_pipe(STDERR_FILENO + 1, &read_fd, &write_fd) : 0;
    pid_t pid;
    error = error ? error : spawn(description, write_fd, &pid);
    if (error)
        return error;
    path_close(&write_fd);

    uint64_t until_ms;
    if (__builtin_add_overflow(clock_ms(), description->deadline_ms, &until_ms))
        until_ms = UINT64_MAX;
    FD_CLEANUP int child_fd = pidfd_open(pid, 0);
    error = child_fd < 0 ? -errno : watch(child_fd, &read_fd, until_ms, description->output_limit, output);
    if (error)
        return end_by_force(pid, child_fd, error);
    if (read_fd >= 0)
        (void)drain(read_fd, description->output_limit, output); /* what it wrote last */
    return child_reap(pid);
}
