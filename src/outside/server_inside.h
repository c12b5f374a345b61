/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_OUTSIDE_SERVER_INSIDE_H
#define WEIGHTFS_OUTSIDE_SERVER_INSIDE_H

/*
 * What the parts of server share: server.c is its life and its thread, server_door.c sockets and connections,
 * server_request.c what the library calls for requests.
 *
 * The library runs with an event loop of ours: its epoll descriptor is one of those in ours, beside the
 * sockets (doors), the eventfd for wakes, and each connection's descriptor, of which nothing but the end is
 * waited for. That is how a client that hangs up is noticed while its request is suspended: the library does
 * not look at it then. In each turn all of our own events come first, then the library's: only there do
 * connections end, so that no event of a turn points to one that is gone.
 */

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/lock.h"
#include "outside/server.h"

/* A bound socket. Under the server's lock. */
struct door {
    struct list link; /* server->doors */
    int fd;
    int64_t tag;
    uint64_t number; /* names it in an event: doors go while events are looked at */
    char *path;
    unsigned connections;
    uint64_t used_ms;
};

/* Server's thread only. */
struct connection {
    struct list link;    /* server->connections */
    struct list waiting; /* server->waiting, while its next request is not whole */
    struct server *server;
    struct MHD_Connection *handle;
    int fd;        /* the library's */
    uint64_t door; /* its number */
    int64_t tag;
    uid_t uid;
    uint64_t since_ms; /* waiting */
    bool hung_up;
    struct request *request; /* NULL: none has begun */
};

enum request_state {
    REQUEST_ARRIVES,
    REQUEST_OPEN, /* whole, and not answered: on_request was called */
    REQUEST_ANSWERED
};

struct request {
    struct server_request public; /* first */
    atomic_uint refs;             /* the library's, and server_hold()'s; one while in `woken` */
    struct server *server;        /* a reference */
    struct list woken;            /* server->woken; under the lock, as the next two */
    bool is_woken, is_gone;
    /* server's thread */
    struct connection *connection;
    enum request_state state;
    bool is_suspended;
    size_t counted; /* in server->body_bytes */
    size_t dropped; /* bytes of a body that is not wanted */
    char *method, *path;
};

struct server {
    atomic_uint refs; /* its owner, and each request */
    struct server_settings settings;
    struct MHD_Daemon *daemon;
    pthread_t thread;
    int epoll_fd, wake_fd;
    int spare_fd; /* given up for a moment when there is no other, so that a client can be told so */

    struct lock lock; /* QUEUE: what follows */
    struct list doors, woken;
    uint64_t last_door;
    bool stopping;
    uint64_t stop_by_ms;

    /* server's thread */
    struct list connections, waiting; /* the latter by since_ms */
    unsigned connection_count, request_count;
    size_t body_bytes;
    bool is_closing; /* `stopping` was seen */
    bool is_killing; /* patience is over */
};

void server_unref(struct server *server);

/* --- server_door.c: server's thread, unless it says any --- */
enum { EVENT_LIBRARY, EVENT_WAKE, EVENT_DOOR, EVENT_CONNECTION, EVENT_KINDS };
#define EVENT_BITS \
    2 /* of epoll_data.u64; the others are a door's number, or a connection's aligned address */
int door_spare(void); /* a descriptor, or -1 and errno */
void doors_close(struct server *server);
void door_event(struct server *server, uint64_t number);
/* Those that the library has not taken up: after its end. */
void connections_free(struct server *server);
/* Its client is gone: what is suspended is taken up, to find that out. */
void connection_hang_up(struct connection *connection);
/* Its next request has so long from now on. */
void connection_await(struct connection *connection);
void connection_await_over(struct connection *connection);
/* Closes those whose request took too long; when to look again, 0: none is waited for. */
uint64_t connections_close_late(struct server *server, uint64_t now_ms);
void on_connection(void *context, struct MHD_Connection *handle, void **of_connection,
    enum MHD_ConnectionNotificationCode code);

/* --- server_request.c: server's thread --- */
enum MHD_Result on_access(void *context, struct MHD_Connection *handle, const char *url, const char *method,
    const char *version, const char *data, size_t *ref_size, void **of_request);
void on_completed(void *context, struct MHD_Connection *handle, void **of_request,
    enum MHD_RequestTerminationCode code);
void requests_wake(struct server *server);
void request_resume(struct request *request);

#endif
