/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TESTS_UNIT_SERVER_FIXTURE_H
#define WEIGHTFS_TESTS_UNIT_SERVER_FIXTURE_H

/* What the tests of the HTTP server share: a server whose paths say what it does, and clients that write and
 * read bytes. */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "outside/server.h"
#include "check.h"

#define PATIENCE_S 20 /* what has not come by then never will */
#define BODY_MOST  (64u << 10)
#define BODIES     (160u << 10)
#define OF_USER    40
#define REQUEST_MS 600

static char path[108], second_path[108];
static struct server *server;

/* ---- what the server does: the path says it */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char words[256];               /* under mutex: what a stream has to send */
static bool words_end;                /* … and whether that is all */
static struct server_request *parked; /* set aside, or a stream; held */
static sem_t came, gone;              /* of those that are set aside, or stream */
static atomic_int gone_whole, faults;

static const struct server_field fields[] = {{"Content-Type", "text/plain"}, {"X-Test", "yes"}, {NULL, NULL}};

static inline void park(struct server_request *request) {
    server_hold(request);
    pthread_mutex_lock(&mutex);
    parked = request;
    pthread_mutex_unlock(&mutex);
    sem_post(&came);
}

static inline void on_request(void *context, struct server_request *request) {
    CHECK(context == &server);
    CHECK_NUMBER(request->uid, getuid());
    if (request->fault) {
        atomic_fetch_add(&faults, 1);
        CHECK_NUMBER(request->body.len, 0);
        server_reply(request, request->fault, NULL, "no", 2);
    } else if (!strcmp(request->path, "/later")) {
        request->own = &words;
        park(request);
    } else if (!strncmp(request->path, "/stream", 7)) {
        request->own = &words;
        server_stream(request, 200, fields);
        park(request);
    } else {
        struct buf text BUF_CLEANUP = BUF_INIT;
        CHECK_OK(buf_format(&text, "%s %s %lld:", request->method, request->path, (long long)request->tag));
        CHECK_OK(buf_add(&text, buf_text(&request->body), request->body.len));
        server_reply(request, 200, fields, text.data, text.len);
    }
}

static inline void on_wake(void *context, struct server_request *request) {
    (void)context;
    pthread_mutex_lock(&mutex);
    bool is_ready = words_end;
    pthread_mutex_unlock(&mutex);
    if (is_ready)
        server_reply(request, 202, NULL, words, strlen(words));
}

static inline ssize_t on_read(void *context, struct server_request *request, void *to, size_t size) {
    (void)context;
    if (!strcmp(request->path, "/stream/much")) {
        memset(to, 'x', size);
        return (ssize_t)size;
    }
    pthread_mutex_lock(&mutex);
    size_t len = strlen(words);
    CHECK(len <= size);
    memcpy(to, words, len);
    *words = '\0';
    bool is_over = words_end;
    pthread_mutex_unlock(&mutex);
    if (len || !is_over)
        return (ssize_t)len;
    return !strcmp(request->path, "/stream/cut") ? -EIO : SERVER_END;
}

static inline void on_gone(void *context, struct server_request *request, bool whole) {
    (void)context;
    if (request->own != &words)
        return;
    atomic_fetch_add(&gone_whole, whole);
    sem_post(&gone);
}

static const struct server_calls calls = {on_request, on_wake, on_read, on_gone};

static inline bool await(sem_t *what) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    while (sem_timedwait(what, &until) < 0)
        if (errno != EINTR)
            return false;
    return true;
}

/* What the one that is parked shall say from now on. */
static inline void say(const char *text, bool is_all) {
    pthread_mutex_lock(&mutex);
    snprintf(words, sizeof words, "%s", text);
    words_end = is_all;
    struct server_request *request = parked;
    pthread_mutex_unlock(&mutex);
    if (request)
        server_wake(request);
}

static inline void let_go(void) {
    pthread_mutex_lock(&mutex);
    struct server_request *request = parked;
    parked = NULL;
    *words = '\0';
    words_end = false;
    pthread_mutex_unlock(&mutex);
    if (request)
        server_release(request);
}

static inline void start(uint64_t unread_ms) {
    const struct server_settings settings = {.name = "server",
        .calls = &calls,
        .context = &server,
        .body_most = BODY_MOST,
        .bodies_most = BODIES,
        .connections_most = 64,
        .connections_of_user = OF_USER,
        .full = "{\"full\":true}",
        .request_ms = REQUEST_MS,
        .unread_ms = unread_ms};
    CHECK_OK(server_start(&settings, &server));
    CHECK_OK(server_listen(server, path, 0600, 1007));
}

static inline void prepare(void) {
    snprintf(path, sizeof path, "%s/a.sock", check_folder());
    snprintf(second_path, sizeof second_path, "%s/b.sock", check_folder());
    sem_init(&came, 0, 0);
    sem_init(&gone, 0, 0);
}

/* ---- clients */

static inline int dial(const char *to) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CHECK_OK(text_copy(address.sun_path, sizeof address.sun_path, to));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

static inline bool put(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline bool put(int fd, const char *format, ...) {
    char text[8192];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return send(fd, text, (size_t)len, MSG_NOSIGNAL) == len;
}

static inline bool put_many(int fd, size_t len) {
    static char block[4096];
    memset(block, 'b', sizeof block);
    for (size_t at = 0; at < len; at += sizeof block)
        if (send(fd, block, len - at < sizeof block ? len - at : sizeof block, MSG_NOSIGNAL) < 0)
            return false;
    return true;
}

/* Reads until `until` was read, or (NULL) to the end: all of it, in static memory. */
static const char *get(int fd, const char *until) {
    static char text[16384];
    size_t len = 0;
    *text = '\0';
    while (!until || !strstr(text, until)) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        if (poll(&poll_fd, 1, PATIENCE_S * 1000) != 1 || len == sizeof text - 1)
            return "(nothing more came)";
        ssize_t count = recv(fd, text + len, until ? 1 : sizeof text - 1 - len, 0);
        if (count <= 0)
            break;
        len += (size_t)count;
        text[len] = '\0';
    }
    return text;
}

#define GET(what) "GET " what " HTTP/1.1\r\nHost: x\r\n\r\n"
static inline bool has(const char *text, const char *part) {
    bool found = strstr(text, part) != NULL;
    if (!found)
        fprintf(stderr, "    no '%s' in '%s'\n", part, text);
    return found;
}

#endif
