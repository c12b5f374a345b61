/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/notify.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "daemon/say.h"

void notify_manager(const char *state) {
    const char *path = environment("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!path || (path[0] != '/' && path[0] != '@') ||
        text_copy(address.sun_path, sizeof(address.sun_path), path) < 0)
        return;
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (path[0] == '@')
        address.sun_path[0] = '\0'; /* the abstract namespace */
    FD_CLEANUP int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, len);
}

void notify_parent(int *fd, int exit_code, const char *sentence) {
    if (*fd < 0) {
        if (sentence[0])
            say(exit_code, "%s", sentence);
        return;
    }
    char report[1024];
    int len = snprintf(report, sizeof(report), "%d %s", exit_code, sentence);
    if (len >= (int)sizeof(report))
        len = sizeof(report) - 1;
    (void)!write(*fd, report, (size_t)len); /* who has gone does not want to know */
    path_close(fd);
}

int notify_await(int fd, unsigned seconds) {
    char report[1024];
    uint64_t end = clock_ms() + seconds * 1000ULL;
    for (;;) {
        uint64_t now = clock_ms();
        struct pollfd wanted = {.fd = fd, .events = POLLIN};
        int count = poll(&wanted, 1, now < end ? (int)(end - now) : 0);
        if (count > 0)
            break;
        if (count == 0)
            return say(WEIGHTFS_EXIT_FATAL,
                "the mount did not come up within %u seconds; -f shows what it does", seconds);
        if (errno != EINTR)
            return say(WEIGHTFS_EXIT_FATAL, "waiting for the mount: %s", err_sentence(-errno));
    }
    ssize_t len = read(fd, report, sizeof(report) - 1);
    if (len <= 0)
        return say(WEIGHTFS_EXIT_FATAL, "the daemon ended before the mount answered; -f shows why");
    report[len] = '\0';
    char *sentence;
    int exit_code = (int)strtol(report, &sentence, 10);
    sentence += strspn(sentence, " ");
    return *sentence ? say(exit_code, "%s", sentence) : exit_code;
}
