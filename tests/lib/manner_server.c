/* SPDX-License-Identifier: Apache-2.0 */
#include "manner_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
    struct manner_server *server;
    int fd;
    char head[16384]; /* of the request */
    char *path;       /* in `line` */
    char line[2048];
    bool keep; /* another request may follow */
};

static void must(bool held, const char *what) {
    if (!held) {
        perror(what);
        abort();
    }
}

/* False when the client has gone. */
static bool say(struct client *client, const void *data, size_t len) {
    const char *at = data;
    while (len) {
        ssize_t sent = send(client->fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return client->keep = false;
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool say_text(struct client *client, const char *text) {
    return say(client, text, strlen(text));
}

/* Waits until the client goes away or the server stops; sends `byte` now and then, when it is not 0. */
static void wait_for_end(struct client *client, char byte) {
    while (!atomic_load(&client->server->stopping)) {
        struct pollfd poll_fd = {.fd = client->fd, .events = POLLRDHUP};
        if (poll(&poll_fd, 1, 20) != 0 || (byte && !say(client, &byte, 1)))
            break;
    }
    client->keep = false;
}

static void answer(struct client *client, const char *head, const char *body) {
    char text[4096];
    snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", head, strlen(body), body);
    say_text(client, text);
}

/* ---- manners: `rest` is what follows the row's name in the path */

static void bytes(struct client *client, const char *rest) {
    char chunk[251 * 256], head[200];
    unsigned long long size = strtoull(rest, NULL, 10), first = 0, last = size - 1;
    for (size_t i = 0; i < sizeof chunk; i++)
        chunk[i] = (char)(i % 251);
    const char *range = strstr(client->head, "Range: bytes=");
    bool is_part = range && sscanf(range, "Range: bytes=%llu-%llu", &first, &last) == 2;
    if (is_part)
        snprintf(head, sizeof head,
            "HTTP/1.1 206 Part\r\nContent-Range: bytes %llu-%llu/%llu\r\nContent-Length: %llu\r\n\r\n", first,
            last, size, last - first + 1);
    else
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n", size);
    say_text(client, head);
    while (first <= last && client->keep) {
        size_t at = first % 251, len = sizeof chunk - at;
        len = len < last - first + 1 ? len : (size_t)(last - first + 1);
        say(client, chunk + at, len);
        first += len;
    }
}

static void echo(struct client *client, const char *rest) {
    (void)rest;
    answer(client, "200 OK", client->head);
}

static void redirect(struct client *client, const char *target, size_t body_len) {
    char text[4096];
    snprintf(text, sizeof text,
        "HTTP/1.1 302 Found\r\nLocation: %s\r\nX-Repo-Commit: here\r\nContent-Length: %zu\r\n\r\n", target,
        body_len);
    say_text(client, text);
    memset(text, '.', sizeof text);
    for (size_t left = body_len; left && client->keep; left -= left < sizeof text ? left : sizeof text)
        say(client, text, left < sizeof text ? left : sizeof text);
}

static void to(struct client *client, const char *rest) {
    redirect(client, rest, 20);
}

static void drown(struct client *client, const char *rest) {
    redirect(client, rest, 16 << 20);
}

static void hops(struct client *client, const char *rest) {
    char target[64];
    long left = strtol(rest, NULL, 10);
    snprintf(target, sizeof target, "/hops/%ld", left - 1);
    redirect(client, left > 1 ? target : "/echo", 0);
}

static void circle(struct client *client, const char *rest) {
    (void)rest;
    redirect(client, "/circle", 5);
}

static void nowhere(struct client *client, const char *rest) {
    (void)rest;
    answer(client, "302 Found", "where to?");
}

static void status(struct client *client, const char *rest) {
    char head[200];
    snprintf(head, sizeof head, "%.3s Said\r\nX-Error-Code: Code\r\nRetry-After: 7", rest);
    answer(client, head, "no");
}

static void gzip(struct client *client, const char *rest) {
    (void)rest;
    answer(client, "200 OK\r\nContent-Encoding: gzip", "\x1f\x8b");
}

static void interim(struct client *client, const char *rest) {
    (void)rest;
    say_text(client, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\n");
    answer(client, "200 OK\r\nX-Late: 1", "late");
}

static void half(struct client *client, const char *rest) {
    (void)rest;
    say_text(client, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
    client->keep = false;
}

static void closed(struct client *client, const char *rest) {
    (void)rest;
    say_text(client, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n12345");
    client->keep = false;
}

static void chunked(struct client *client, const char *rest) {
    (void)rest;
    say_text(client, "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                     "chunked\r\n\r\n3\r\n123\r\n2\r\n45\r\n0\r\nX-Trailer: HTTP/1.1 500\r\n\r\n");
}

static void cut(struct client *client, const char *rest) {
    (void)rest;
    say_text(client, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n123\r\n");
    client->keep = false;
}

static void bighead(struct client *client, const char *rest) {
    (void)rest;
    say_text(client, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 1024 && client->keep; i++)
        say_text(client,
            "X-Field: "
            "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567\r\n");
    say_text(client, "Content-Length: 0\r\n\r\n");
}

static void nohead(struct client *client, const char *rest) {
    (void)rest;
    say_text(client, "this is no HTTP\r\n\r\n");
    client->keep = false;
}

static void hangup(struct client *client, const char *rest) {
    (void)rest;
    client->keep = false;
}

static void silent(struct client *client, const char *rest) {
    (void)rest;
    wait_for_end(client, 0);
}

static void stall(struct client *client, const char *rest) {
    (void)rest;
    say_text(client, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n0123456789");
    wait_for_end(client, 0);
}

static void trickle(struct client *client, const char *rest) {
    (void)rest;
    say_text(client, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    wait_for_end(client, '.');
}

static const struct manner {
    const char *path; /* what the path begins with */
    void (*run)(struct client *, const char *rest);
} manners[] = {
    {"/bytes/",  bytes  },
    {"/echo",    echo   },
    {"/to?",     to     },
    {"/drown?",  drown  },
    {"/hops/",   hops   },
    {"/circle",  circle },
    {"/nowhere", nowhere},
    {"/status/", status },
    {"/gzip",    gzip   },
    {"/interim", interim},
    {"/short",   half   },
    {"/closed",  closed },
    {"/chunked", chunked},
    {"/cut",     cut    },
    {"/bighead", bighead},
    {"/nohead",  nohead },
    {"/hangup",  hangup },
    {"/silent",  silent },
    {"/stall",   stall  },
    {"/trickle", trickle},
};

/* ---- connections */

/* One request's head; false when the client has gone. */
static bool read_head(struct client *client) {
    size_t len = 0;
    for (;;) {
        struct pollfd poll_fd = {.fd = client->fd, .events = POLLIN};
        int ready = poll(&poll_fd, 1, 20);
        if (ready == 0 && !atomic_load(&client->server->stopping))
            continue;
        ssize_t got = ready > 0 ? recv(client->fd, client->head + len, sizeof client->head - 1 - len, 0) : -1;
        if (got <= 0)
            return false;
        len += (size_t)got;
        client->head[len] = '\0';
        if (strstr(client->head, "\r\n\r\n"))
            return true;
    }
}

static void serve_one(struct client *client) {
    struct manner_server *server = client->server;
    snprintf(client->line, sizeof client->line, "%.*s", (int)strcspn(client->head, "\r"), client->head);
    client->path = strchr(client->line, ' ');
    must(client->path != NULL, "a request without a path");
    client->path++;
    client->path[strcspn(client->path, " ")] = '\0';
    atomic_fetch_add(&server->requests, 1);
    atomic_fetch_add(&server->open, 1);
    for (size_t i = 0; i < sizeof manners / sizeof manners[0]; i++) {
        size_t len = strlen(manners[i].path);
        if (!strncmp(client->path, manners[i].path, len)) {
            manners[i].run(client, client->path + len);
            break;
        }
    }
    atomic_fetch_sub(&server->open, 1);
}

static void *serve(void *context) {
    struct client *client = context;
    while (client->keep && read_head(client))
        serve_one(client);
    close(client->fd);
    atomic_fetch_sub(&client->server->alive, 1);
    free(client);
    return NULL;
}

static void *listen_on(void *context) {
    struct manner_server *server = context;
    while (!atomic_load(&server->stopping)) {
        struct pollfd poll_fd = {.fd = server->fd, .events = POLLIN};
        if (poll(&poll_fd, 1, 20) <= 0)
            continue;
        struct client *client = calloc(1, sizeof *client);
        must(client != NULL, "calloc");
        *client = (struct client){.server = server, .fd = accept(server->fd, NULL, NULL), .keep = true};
        must(client->fd >= 0, "accept");
        atomic_fetch_add(&server->connections, 1);
        atomic_fetch_add(&server->alive, 1);
        pthread_t thread;
        must(pthread_create(&thread, NULL, serve, client) == 0 && pthread_detach(thread) == 0,
            "pthread_create");
    }
    return NULL;
}

void manner_server_start(struct manner_server *server, const char *address) {
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof name;
    memset(server, 0, sizeof *server);
    must(inet_pton(AF_INET, address, &name.sin_addr) == 1, address);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(server->fd >= 0, "socket");
    must(bind(server->fd, (struct sockaddr *)&name, sizeof name) == 0, "bind");
    must(listen(server->fd, 128) == 0 && getsockname(server->fd, (struct sockaddr *)&name, &size) == 0,
        "listen");
    server->port = ntohs(name.sin_port);
    must(pthread_create(&server->thread, NULL, listen_on, server) == 0, "pthread_create");
}

void manner_server_stop(struct manner_server *server) {
    atomic_store(&server->stopping, true);
    pthread_join(server->thread, NULL);
    while (atomic_load(&server->alive)) /* each looks at `stopping` every 20 ms */
        poll(NULL, 0, 5);
    close(server->fd);
}
