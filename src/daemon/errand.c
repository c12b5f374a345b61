/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/errand.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"

#define REAP_MS 1000

static bool is_readable(int fd, uint64_t deadline_ms) {
    uint64_t end = clock_ms() + deadline_ms;
    for (;;) {
        uint64_t now = clock_ms();
        struct pollfd wanted = {.fd = fd, .events = POLLIN};
        int count = poll(&wanted, 1, now < end ? (int)(end - now) : 0);
        if (count > 0)
            return true;
        if (count == 0 || errno != EINTR)
            return false;
    }
}

/* A process that waits for a FUSE daemon which took its request and never answers can't even be killed:
 * then it is left to init. */
static void reap(int pid) {
    FD_CLEANUP int fd = pidfd_open(pid, 0);
    kill(pid, SIGKILL);
    if (fd < 0 || is_readable(fd, REAP_MS))
        (void)waitpid(pid, NULL, fd < 0 ? WNOHANG : 0);
}

static void close_pair(int ends[2]) {
    path_close(&ends[0]);
    path_close(&ends[1]);
}

int errand_begin(int (*run)(void *context), void *context, bool held, struct errand *ret_errand) {
    int go[2] = {-1, -1}, answer[2] = {-1, -1};
    if (pipe2(answer, O_CLOEXEC) < 0 || (held && pipe2(go, O_CLOEXEC) < 0)) {
        int error = -errno;
        close_pair(answer);
        return error;
    }
    int pid = fork();
    if (pid == 0) {
        char letter;
        close_pair((int[]){go[1], answer[0]});
        if (held)
            prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (held && read(go[0], &letter, 1) != 1)
            _exit(0); /* it is not wanted any more */
        int result = run(context);
        _exit(write(answer[1], &result, sizeof(result)) != sizeof(result));
    }
    int error = pid < 0 ? -errno : 0;
    close_pair((int[]){go[0], answer[1]});
    if (error < 0) {
        close_pair((int[]){go[1], answer[0]});
        return error;
    }
    *ret_errand = (struct errand){.pid = pid, .go_fd = go[1], .answer_fd = answer[0]};
    return 0;
}

void errand_go(struct errand *errand) {
    if (errand->go_fd < 0)
        return;
    (void)!write(errand->go_fd, "g", 1); /* when it has died, its answer ends, and that is what counts */
    path_close(&errand->go_fd);
}

int errand_answer(struct errand *errand) {
    int result;
    return read(errand->answer_fd, &result, sizeof(result)) == sizeof(result) ? result : -EIO;
}

void errand_done(struct errand *errand) {
    path_close(&errand->go_fd);
    path_close(&errand->answer_fd);
    if (errand->pid > 0)
        reap(errand->pid);
    errand->pid = 0;
}

int errand_run(int (*run)(void *context), void *context, uint64_t deadline_ms) {
    struct errand errand = ERRAND_INIT;
    int result = errand_begin(run, context, false, &errand);
    if (result >= 0)
        result = is_readable(errand.answer_fd, deadline_ms) ? errand_answer(&errand) : -ETIMEDOUT;
    errand_done(&errand);
    return result;
}

int errand_stat(void *path) {
    struct statfs system;
    struct stat status;
    /* The kernel remembers attributes for a while; what statfs says always comes from the daemon. */
    return statfs(path, &system) < 0 || stat(path, &status) < 0 ? -errno : 0;
}

int errand_look_at_mount(void *mountpoint) {
    struct statfs system;
    struct stat status;
    if (statfs(mountpoint, &system) < 0 || stat(mountpoint, &status) < 0)
        return -errno;
    return system.f_type == FUSE_SUPER_MAGIC && S_ISDIR(status.st_mode) ? 0 : -ENXIO;
}
