/* SPDX-License-Identifier: Apache-2.0 */
#include "outside/child_companion.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/path.h"

#define REAP_MS 1000

static char **make_environment(void) {
    static const char *const KEPT[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"};
    char **list = mem_array(sizeof KEPT / sizeof *KEPT + 1, sizeof *list);
    size_t count = 0;
    for (size_t i = 0; i < sizeof KEPT / sizeof *KEPT; i++) {
        BUF_CLEANUP struct buf text = BUF_INIT;
        const char *value = environment(KEPT[i]);
        if (value && buf_format(&text, "%s=%s", KEPT[i], value) == 0)
            list[count++] = buf_take(&text);
    }
    return list;
}

static void free_environment(char **list) {
    for (char **at = list; *at; at++)
        free(*at);
    free(list);
}

static int describe(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int fd) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawn_file_actions_adddup2(actions, fd, STDIN_FILENO);
    error =
        error ? error : posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    error = error ? error : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
    error = error ? error : posix_spawnattr_setsigmask(attributes, &none);
    error = error ? error : posix_spawnattr_setsigdefault(attributes, &all);
    return error ? error
                 : posix_spawnattr_setflags(attributes,
                       POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
}

static int spawn(const char *const *arguments, int fd, int *ret_pid) {
    char **variables = make_environment();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int error = describe(&actions, &attributes, fd);
    if (!error) /* it does not change them */
        error = posix_spawn(ret_pid, "/proc/self/exe", &actions, &attributes, (char *const *)arguments,
            variables);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free_environment(variables);
    return -error;
}

int companion_start(const char *const *arguments, int *ret_pid, int *ret_fd) {
    int ends[2];
    lock_assert_none();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    int error = spawn(arguments, ends[1], ret_pid);
    path_close(&ends[1]);
    if (error)
        path_close(&ends[0]);
    else
        *ret_fd = ends[0];
    return error;
}

int companion_end(int pid) {
    lock_assert_none();
    FD_CLEANUP int fd = pidfd_open(pid, 0);
    (void)kill(pid, SIGKILL);
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    int ended = fd < 0 ? 0 : poll(&wanted, 1, REAP_MS);
    return waitpid(pid, NULL, ended > 0 ? 0 : WNOHANG) == pid ? 0 : -EBUSY;
}
