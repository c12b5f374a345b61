/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_OUTSIDE_SERVER_H
#define WEIGHTFS_OUTSIDE_SERVER_H

/*
 * An HTTP/1.1 server on Unix sockets (the door to libmicrohttpd). One thread serves all sockets, connections
 * and requests, and none of them ever keeps it: a request that can't be answered yet is set aside, and a
 * stream that has nothing to send sleeps, until somebody wakes it.
 *
 * The life of a request, all of it on the server's thread with no lock held:
 *
 *   on_request   it is whole. server_reply() or server_stream() answers it now; without either it is set
 *                aside.
 *   on_wake      server_wake() was called (by any thread) for one that is set aside: the same choice again
 *   on_read      of a stream: the next bytes. 0 puts it to sleep until server_wake()
 *   on_gone      once, the last that is heard of it, whatever happened: it was answered, its client hung up
 *                (noticed at once, also while it is set aside or sleeps), or the server ends
 *
 * Callbacks must be quick; what takes time is done elsewhere, and wakes the request. Everything that comes
 * from a client is hostile and bounded: the body, all bodies together, the head (32 KiB, 431), connections of
 * all and of each user, the time until a request is whole, the time in which an answer is not taken. What is
 * no HTTP is answered 400 by the library itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct server;

struct server_request {
    const char *method; /* "POST" */
    const char *path;   /* percent-decoded, without the query: "/v1/models" */
    struct buf body;    /* may be taken away (buf_take) */
    /* 0; 413: the body is longer than body_most; 503: there is no room for it, or the server ends. The body
     * is empty then, and on_request has to answer with this status, at once. */
    int fault;
    int64_t tag; /* of the socket through which it came */
    uid_t uid;   /* of the client, as the kernel tells it (SO_PEERCRED) */
    void *own;   /* the callbacks' */
};

struct server_calls {
    void (*on_request)(void *context, struct server_request *request);
    void (*on_wake)(void *context, struct server_request *request);
    /* Up to `size` bytes into `to`: the count; 0: none yet; SERVER_END; or an error, which closes the
     * connection so that the client sees an answer that was cut off. */
    ssize_t (*on_read)(void *context, struct server_request *request, void *to, size_t size);
    /* `whole`: all of the answer was given out. */
    void (*on_gone)(void *context, struct server_request *request, bool whole);
};
#define SERVER_END (-0x7fffffff) /* no error has this number */

struct server_settings {
    const char *name; /* of the thread; static, < 16 characters */
    const struct server_calls *calls;
    void *context;
    size_t body_most;   /* bytes of one body … */
    size_t bodies_most; /* … and of those of all requests that are alive */
    /* More are told `full` (a JSON text, static) with 503, and closed. */
    unsigned connections_most, connections_of_user;
    const char *full;
    /* A request must be whole so long after its connection's opening or the end of the last answer, else the
     * connection is closed: this bounds what is idle as well as who sends byte by byte. */
    uint64_t request_ms;
    uint64_t unread_ms; /* no byte of an answer was taken for so long: hung up; whole seconds */
};

/* `settings` is copied, calls is not. */
int server_start(const struct server_settings *settings, struct server **ret_server);
/* Unlinks the sockets and accepts nothing any more; requests that are alive have `patience_ms` to end, new
 * ones on kept connections are told 503. When it returns, on_gone was called for each, and the thread is
 * gone. NULL is allowed. */
void server_stop(struct server *server, uint64_t patience_ms);

/* --- Sockets: any thread --- */

/* Binds `path` (at most 107 bytes; what is there is unlinked) with these permission bits and listens.
 * -errno. `tag` names it; a second one of the same tag is -EEXIST. */
int server_listen(struct server *server, const char *path, mode_t mode, int64_t tag);
/* Unlinks and closes it; connections that came through it go on. false: there is none of that tag. */
bool server_unlisten(struct server *server, int64_t tag);
/* How many connections that came through it are open, and when the last of them came or ended (clock_ms; at
 * first: when it was bound). false: there is none of that tag. */
bool server_usage(struct server *server, int64_t tag, unsigned *ret_connections, uint64_t *ret_used_ms);

/* --- Answering: within on_request and on_wake only, once --- */

struct server_field {
    const char *name, *value;
};
/* `fields`: of the head, ended by one without a name. All is copied; a HEAD request gets no body. */
void server_reply(struct server_request *request, int status, const struct server_field *fields,
    const void *body, size_t len);
/* The body is what on_read gives, sent as it comes. */
void server_stream(struct server_request *request, int status, const struct server_field *fields);

/* --- Waking: any thread that holds a reference --- */

/* Leads to on_wake or on_read, unless it is gone. Several may lead to one; one may come though nothing is new
 * any more. */
void server_wake(struct server_request *request);
/* While it is held the request's memory and the server's stay; after on_gone nothing but these three may be
 * called with it. */
void server_hold(struct server_request *request);
void server_release(struct server_request *request);

#endif
