/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plain HTTP server of one folder that is slow on order, and fast otherwise: the origin of tests/bench.
 *
 * fileserver FOLDER RATE LATENCY_MS      RATE is bytes a second of each connection, 0 for no limit
 *
 * It listens on a free port of 127.0.0.1 and prints the port as its first line. Each line on its standard
 * input is answered with `BYTES REQUESTS SENDING_MS` since the line before: bytes of bodies, requests and
 * milliseconds that answers took to be sent, added up; so SENDING_MS by the time that passed is how many
 * connections were used on average. It ends with its standard input. GET of /PATH, with or without one range;
 * a connection is kept. Latency is what passes between a request and the first byte of its answer.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_SIZE = 16 * 1024, PIECE = 4 << 20, PIECES_A_SECOND = 50, STACK_SIZE = 128 * 1024 };

static int folder_fd;
static uint64_t rate;
static uint64_t latency_ns;
static atomic_ullong bytes_sent, requests, sending_ns;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void pause_until(uint64_t until_ns) {
    struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000),
        .tv_nsec = (long)(until_ns % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        continue;
}

static bool send_all(int fd, const char *data, size_t len, int flags) {
    while (len) {
        ssize_t sent = send(fd, data, len, flags | MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        data += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* The connection's pace is the answer's: what it left unused before is no credit. */
static bool send_body(int to, int from, uint64_t start, uint64_t end) {
    uint64_t piece = rate ? rate / PIECES_A_SECOND + 1 : PIECE, due_ns = now_ns();
    off_t at = (off_t)start;
    while ((uint64_t)at < end) {
        uint64_t left = end - (uint64_t)at;
        ssize_t sent = sendfile(to, from, &at, left < piece ? left : piece);
        if (sent <= 0)
            return false;
        atomic_fetch_add(&bytes_sent, (uint64_t)sent);
        if (rate) {
            due_ns += (uint64_t)sent * 1000000000 / rate;
            if (due_ns > now_ns())
                pause_until(due_ns);
        }
    }
    return true;
}

/* "bytes=FIRST-[LAST]"; everything else counts as no range. false: it begins behind the end. */
static bool wanted_range(const char *head, uint64_t size, uint64_t *ret_start, uint64_t *ret_end,
    bool *ret_ranged) {
    const char *line = strcasestr(head, "\r\nRange: bytes=");
    uint64_t start = 0, last = size - 1;
    char *rest = NULL;
    if (line) {
        start = strtoull(line + strlen("\r\nRange: bytes="), &rest, 10);
        if (*rest == '-' && rest[1] >= '0' && rest[1] <= '9')
            last = strtoull(rest + 1, NULL, 10);
    }
    if (start >= size || last < start)
        return false;
    *ret_ranged = line != NULL;
    *ret_start = start;
    *ret_end = last < size - 1 ? last + 1 : size;
    return true;
}

static bool refuse(int fd, const char *status) {
    char head[128];
    int len = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", status);
    return send_all(fd, head, (size_t)len, 0);
}

static bool answer_file(int fd, int file, const char *head) {
    struct stat stat;
    uint64_t start, end;
    bool ranged;
    if (fstat(file, &stat) < 0 || !S_ISREG(stat.st_mode))
        return refuse(fd, "404 Not Found");
    uint64_t size = (uint64_t)stat.st_size;
    if (!wanted_range(head, size, &start, &end, &ranged))
        return refuse(fd, "416 Range Not Satisfiable");
    char range[96] = "", answer[320];
    if (ranged)
        (void)snprintf(range, sizeof range, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n",
            start, end - 1, size); /* fits */
    int len = snprintf(answer, sizeof answer,
        "HTTP/1.1 %s\r\nContent-Type: application/octet-stream\r\nAccept-Ranges: bytes\r\n%sContent-Length: "
        "%" PRIu64 "\r\n\r\n",
        ranged ? "206 Partial Content" : "200 OK", range, end - start);
    return send_all(fd, answer, (size_t)len, MSG_MORE) && send_body(fd, file, start, end);
}

static bool answer(int fd, char *head) {
    char *path = head + strlen("GET /"), *end = strpbrk(path, "? \r");
    if (strncmp(head, "GET /", strlen("GET /")) != 0 || !end)
        return refuse(fd, "405 Method Not Allowed");
    char *headers = strstr(end, "\r\n");
    *end = '\0';
    int file = openat(folder_fd, path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || !headers)
        return refuse(fd, "404 Not Found");
    bool good = answer_file(fd, file, headers);
    close(file);
    return good;
}

static bool serve_request(int fd, char *head) {
    atomic_fetch_add(&requests, 1);
    if (latency_ns)
        pause_until(now_ns() + latency_ns);
    uint64_t start_ns = now_ns();
    bool good = answer(fd, head);
    atomic_fetch_add(&sending_ns, now_ns() - start_ns);
    return good;
}

static void *serve(void *argument) {
    int fd = (int)(intptr_t)argument;
    char head[HEAD_SIZE];
    size_t len = 0;
    for (;;) {
        ssize_t got = recv(fd, head + len, sizeof head - 1 - len, 0);
        if (got <= 0)
            break;
        len += (size_t)got;
        head[len] = '\0';
        char *end = strstr(head, "\r\n\r\n");
        if (!end && len == sizeof head - 1)
            break;
        if (!end)
            continue;
        if (end + 4 != head + len) /* requests have no bodies, and nobody sends the next one unasked */
            break;
        if (!serve_request(fd, head))
            break;
        len = 0;
    }
    close(fd);
    return NULL;
}

static void *accept_all(void *argument) {
    int listener = (int)(intptr_t)argument, on = 1;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (;;) {
        pthread_t thread;
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (pthread_create(&thread, &attributes, serve, (void *)(intptr_t)fd))
            close(fd);
    }
    return NULL;
}

static int listen_somewhere(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 1024) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        err(1, "cannot listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv) {
    if (argc != 4)
        errx(2, "usage: fileserver FOLDER RATE LATENCY_MS");
    folder_fd = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd < 0)
        err(1, "%s", argv[1]);
    rate = strtoull(argv[2], NULL, 10);
    latency_ns = strtoull(argv[3], NULL, 10) * 1000000;
    (void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN},
        NULL); /* sendfile has no flag for it */
    pthread_t thread;
    if (pthread_create(&thread, NULL, accept_all, (void *)(intptr_t)listen_somewhere()))
        errx(1, "cannot start a thread");
    for (int letter; (letter = getchar()) != EOF;) {
        if (letter != '\n')
            continue;
        printf("%llu %llu %llu\n", atomic_exchange(&bytes_sent, 0), atomic_exchange(&requests, 0),
            atomic_exchange(&sending_ns, 0) / 1000000);
        fflush(stdout);
    }
    return 0;
}
