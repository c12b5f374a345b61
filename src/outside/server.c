/* SPDX-License-Identifier: Apache-2.0 */
/* The server's life, and its thread. */

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "outside/server_inside.h"

#define EVENTS_MOST  64
#define MEMORY_BYTES (32u << 10) /* of one connection, for heads and what is sent */
#define GROWTH_BYTES (8u << 10)
#define KILL_TURNS   64 /* in which the library ends what was shut down */

/* ---- its thread */

static void take_wake(struct server *server) {
    uint64_t count;
    (void)!read(server->wake_fd, &count, sizeof count); /* nonblocking: what it says is known */
    requests_wake(server);
}

static void take_event(struct server *server, const struct epoll_event *event) {
    uint64_t data = event->data.u64, rest = data >> EVENT_BITS;
    switch (data & ((1u << EVENT_BITS) - 1)) {
    case EVENT_WAKE: take_wake(server); break;
    case EVENT_DOOR: door_event(server, rest); break;
    case EVENT_CONNECTION: connection_hang_up((struct connection *)(uintptr_t)(rest << EVENT_BITS)); break;
    default: break; /* the library's: it runs in every turn */
    }
}

/* Patience is over: all that is alive is cut. */
static void kill_all(struct server *server) {
    server->is_killing = true;
    list_each (link, &server->connections)
        connection_hang_up(list_entry(link, struct connection, link));
}

/* How long may this turn wait? Milliseconds, -1: for ever; -2: the thread is to end. */
static int time_left(struct server *server) {
    uint64_t now_ms = clock_ms(), until_ms = connections_close_late(server, now_ms);
    MHD_UNSIGNED_LONG_LONG own_ms;
    lock_take(&server->lock);
    bool stopping = server->stopping;
    uint64_t stop_by_ms = server->stop_by_ms;
    lock_drop(&server->lock);
    if (stopping && !server->is_closing) {
        server->is_closing = true;
        doors_close(server);
    }
    if (stopping && !server->request_count)
        return -2;
    if (stopping && now_ms >= stop_by_ms)
        kill_all(server);
    else if (stopping && (!until_ms || stop_by_ms < until_ms))
        until_ms = stop_by_ms;
    if (MHD_get_timeout(server->daemon, &own_ms) == MHD_YES && (!until_ms || now_ms + own_ms < until_ms))
        until_ms = now_ms + own_ms;
    if (server->is_killing)
        return 0;
    if (!until_ms)
        return -1;
    uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
    return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

static void *run(void *context) {
    struct server *server = context;
    struct epoll_event events[EVENTS_MOST];
    int left_ms;
    for (unsigned killing = 0; killing < KILL_TURNS && (left_ms = time_left(server)) != -2;
         killing += server->is_killing) {
        int count = epoll_wait(server->epoll_fd, events, EVENTS_MOST, left_ms);
        for (int i = 0; i < count; i++)
            take_event(server, &events[i]);
        (void)MHD_run(server->daemon);
    }
    MHD_stop_daemon(server->daemon);
    connections_free(server);
    return NULL;
}

/* ---- its life */

void server_unref(struct server *server) {
    if (atomic_fetch_sub(&server->refs, 1) > 1)
        return;
    if (server->epoll_fd >= 0)
        close(server->epoll_fd);
    if (server->wake_fd >= 0)
        close(server->wake_fd);
    if (server->spare_fd >= 0)
        close(server->spare_fd);
    lock_done(&server->lock);
    free(server);
}

static int watch(struct server *server, int fd, unsigned kind) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = kind};
    return epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static struct MHD_Daemon *start_library(struct server *server) {
    const struct server_settings *settings = &server->settings;
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
        NULL, on_access, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_CONNECTION_LIMIT,
        settings->connections_most, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(settings->unread_ms / 1000),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_BYTES, MHD_OPTION_CONNECTION_MEMORY_INCREMENT,
        (size_t)GROWTH_BYTES, MHD_OPTION_END);
}

static int prepare(struct server *server) {
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    server->wake_fd = server->epoll_fd < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->spare_fd = server->wake_fd < 0 ? -1 : door_spare();
    if (server->spare_fd < 0)
        return -errno;
    server->daemon = start_library(server);
    const union MHD_DaemonInfo *info =
        server->daemon ? MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info)
        return -EIO;
    int error = watch(server, server->wake_fd, EVENT_WAKE);
    return error < 0 ? error : watch(server, info->epoll_fd, EVENT_LIBRARY);
}

int server_start(const struct server_settings *settings, struct server **ret_server) {
    struct server *server = mem_new(sizeof *server);
    atomic_init(&server->refs, 1);
    server->settings = *settings;
    lock_init(&server->lock, LOCK_QUEUE);
    list_init(&server->doors);
    list_init(&server->woken);
    list_init(&server->connections);
    list_init(&server->waiting);
    int error = prepare(server);
    if (error == 0)
        error = thread_start(settings->name, run, server, &server->thread);
    if (error < 0) {
        if (server->daemon)
            MHD_stop_daemon(server->daemon);
        server_unref(server);
        return error;
    }
    *ret_server = server;
    return 0;
}

void server_stop(struct server *server, uint64_t patience_ms) {
    if (!server)
        return;
    lock_take(&server->lock);
    server->stopping = true;
    server->stop_by_ms = clock_ms() + patience_ms;
    lock_drop(&server->lock);
    (void)!write(server->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)pthread_join(server->thread, NULL);
    server_unref(server);
}
