/* SPDX-License-Identifier: Apache-2.0 */
#include "range_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct connection {
    struct range_server *server;
    int fd;
};

static void pause_ms(long ms) {
    (void)nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static int send_all(int fd, const void *data, size_t len) {
    const char *at = data;
    while (len) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return -1;
        at += sent;
        len -= (size_t)sent;
    }
    return 0;
}

/* Reads one request's head; 0 at the end of the connection. */
static int read_head(int fd, char *head, size_t size) {
    size_t len = 0;
    while (len + 1 < size) {
        ssize_t got = recv(fd, head + len, size - 1 - len, 0);
        if (got <= 0)
            return 0;
        len += (size_t)got;
        head[len] = 0;
        if (strstr(head, "\r\n\r\n"))
            return 1;
    }
    return 0;
}

static int send_body(struct range_server *server, int fd, size_t first, size_t end) {
    size_t sent = 0, cut = atomic_load(&server->cut_after), flip = atomic_load(&server->flip_at);
    while (first < end) {
        if (atomic_load(&server->hold)) {
            atomic_fetch_add(&server->held, 1);
            while (atomic_load(&server->hold) && !atomic_load(&server->stopping))
                pause_ms(2);
            atomic_fetch_sub(&server->held, 1);
        }
        unsigned char piece[16384];
        size_t len = end - first < sizeof piece ? end - first : sizeof piece;
        if (sent + len > cut)
            len = cut - sent;
        if (!len)
            return -1;
        memcpy(piece, server->data + first, len);
        if (flip >= first && flip < first + len)
            piece[flip - first] ^= 1;
        if (send_all(fd, piece, len))
            return -1;
        atomic_fetch_add(&server->bytes, len);
        first += len;
        sent += len;
    }
    return 0;
}

static int answer(struct range_server *server, int fd, const char *head) {
    char text[256];
    atomic_fetch_add(&server->requests, 1);
    int status = atomic_load(&server->status);
    if (status) {
        int len = snprintf(text, sizeof text, "HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n", status);
        return send_all(fd, text, (size_t)len);
    }
    size_t first = 0, end = server->size;
    const char *range = strcasestr(head, "\r\nRange: bytes=");
    int partial = range && !atomic_load(&server->ignore_ranges);
    if (partial) {
        unsigned long long from, to;
        if (sscanf(range, "\r\nRange: bytes=%llu-%llu", &from, &to) != 2 &&
            sscanf(range, "\r\nrange: bytes=%llu-%llu", &from, &to) != 2)
            return -1;
        first = (size_t)from;
        end = to + 1 < server->size ? (size_t)to + 1 : server->size;
    }
    int len =
        partial
            ? snprintf(text, sizeof text,
                  "HTTP/1.1 206 Partial\r\nContent-Range: bytes %zu-%zu/%zu\r\nContent-Length: %zu\r\n\r\n",
                  first + (size_t)atomic_load(&server->wrong_range), end - 1, server->size, end - first)
            : snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", server->size);
    if (send_all(fd, text, (size_t)len))
        return -1;
    return send_body(server, fd, first, end);
}

static void *serve(void *context) {
    struct connection connection = *(struct connection *)context;
    free(context);
    char head[8192];
    int on = 1;
    (void)setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while (read_head(connection.fd, head, sizeof head) && !answer(connection.server, connection.fd, head))
        ;
    (void)close(connection.fd);
    atomic_fetch_sub(&connection.server->connections, 1);
    return NULL;
}

static void *listen_on(void *context) {
    struct range_server *server = context;
    while (!atomic_load(&server->stopping)) {
        struct pollfd poll_fd = {.fd = server->fd, .events = POLLIN};
        if (poll(&poll_fd, 1, 20) <= 0)
            continue;
        int fd = accept(server->fd, NULL, NULL);
        if (fd < 0)
            continue;
        struct connection *connection = malloc(sizeof *connection);
        *connection = (struct connection){server, fd};
        struct timeval timeout = {.tv_sec = 20};
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        pthread_t thread;
        atomic_fetch_add(&server->connections, 1);
        if (pthread_create(&thread, NULL, serve, connection))
            abort();
        (void)pthread_detach(thread);
    }
    return NULL;
}

int range_server_start(struct range_server *server, const unsigned char *data, size_t size) {
    memset(server, 0, sizeof *server);
    server->data = data;
    server->size = size;
    server->flip_at = server->cut_after = SIZE_MAX;
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    if (server->fd < 0 || bind(server->fd, (struct sockaddr *)&address, len) || listen(server->fd, 64) ||
        getsockname(server->fd, (struct sockaddr *)&address, &len))
        return -errno;
    server->port = ntohs(address.sin_port);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, listen_on, server);
    server->thread = (unsigned long)thread;
    return -error;
}

void range_server_stop(struct range_server *server) {
    atomic_store(&server->stopping, 1);
    (void)pthread_join((pthread_t)server->thread, NULL);
    (void)close(server->fd);
    /* Clients have closed their connections before: the threads see it at once. */
    while (atomic_load(&server->connections))
        pause_ms(2);
}
