/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_OUTSIDE_HTTP_INSIDE_H
#define WEIGHTFS_OUTSIDE_HTTP_INSIDE_H

/*
 * What the parts of http share, and nobody else includes: http.c is the loop (queues, delays, deadlines),
 * http_transfer.c one request's way through its redirects, http_handle.c what is said to libcurl; http_hold.c
 * and http_rate.c hold back what is too fast; http_head.c and http_url.c are pure.
 *
 * A transfer's life: adopted from the inbox → one hop after the other inside curl → on loop->ending with its
 * result → on_done. Whoever decides that a transfer ends calls transfer_fail() (or transfer_hop_done() does),
 * which puts it on `ending`; it is taken apart by the loop between two calls of curl, never from within a
 * callback of curl's. So http_cancel() is safe wherever callbacks run.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "base/lock.h"
#include "outside/http.h"

#define HTTP_HEAD_LIMIT          (64u << 10) /* bytes of one head */
#define HTTP_REDIRECT_BODY_LIMIT (64u << 10) /* more of a redirect's text is not waited for */
#define HTTP_BODY_LIMIT          (1u << 20)  /* of a collected body, when the request names none */
#define HTTP_CONNECT_MS          5000

struct http_loop {
    void *multi; /* CURLM */
    pthread_t thread;
    char *user_agent, *proxy, *ca_file;
    unsigned connections_per_host;
    bool allow_http, loopback_passes;
    bool proxied;       /* some proxy is configured: addresses are then resolved by it */
    uint64_t now_ms;    /* of this turn of the loop */
    uint64_t looked_ms; /* when deadlines were looked at last */

    struct list active;  /* transfers inside curl */
    struct list waiting; /* transfers for whose host there are enough connections */
    struct list ending;  /* transfers with a result, not yet reported */
    struct list delays;  /* by time */
    struct list idle;    /* easy handles kept for the next requests */
    unsigned idle_count;
    unsigned held_count; /* transfers that wait for a rate */

    atomic_bool offline;
    struct lock lock;  /* guards what follows */
    struct list inbox; /* requests from http_start() */
    struct list tasks;
    bool stopping;
};

/* An easy handle, and what it needs for its life. */
struct http_handle {
    struct list link;
    void *easy;      /* CURL */
    char error[256]; /* CURL_ERROR_SIZE */
};

struct transfer {
    struct list link; /* in the loop's active, waiting or ending */
    struct http_loop *loop;
    struct http_request *request;
    struct http_handle *handle;
    void *headers; /* struct curl_slist */
    bool in_curl;
    bool ended; /* on loop->ending: nothing more is told but on_done */
    int result;

    char *url;      /* of this hop */
    char *next_url; /* of the next, once a redirect's head was accepted */
    unsigned hops;
    bool with_secret;     /* has not left the first origin */
    bool first_inside;    /* the first host's address is loopback, private or link-local */
    bool refused_address; /* a connection was refused for its address */

    int status;
    bool held;   /* paused in curl, for a rate */
    bool judged; /* the head is complete and was shown */
    size_t head_bytes, dropped_bytes;

    uint64_t start_ms;
    uint64_t begun_ms; /* this hop was given to curl */
    uint64_t moved_ms; /* the last byte came; 0: not connected yet */
};

/* --- http_transfer.c: loop thread only --- */
void transfer_adopt(struct http_loop *loop, struct http_request *request,
    int refusal /* 0, or why it ends at once */);
/* `words` follow the URL in the reason; NULL: the reason stays. Nothing happens to one that has ended. */
void transfer_fail(struct transfer *transfer, int error, const char *words);
/* curl says that the hop is over; code: CURLcode. */
void transfer_hop_done(struct transfer *transfer, int code);
/* One that was waiting may begin. */
void transfer_begin(struct transfer *transfer);
bool transfer_may_begin(const struct transfer *transfer);
/* Deadlines. */
void transfer_look(struct transfer *transfer);
/* Off `ending`: takes it apart, frees it, calls on_done. */
void transfer_report(struct transfer *transfer);

/* --- http_handle.c: easy handles and what is the same for all requests --- */
struct http_handle *handle_get(struct http_loop *loop);
void handle_put(struct http_loop *loop, struct http_handle *handle);
void handle_free(struct http_handle *handle);
/* Points the callbacks at the transfer and sets what this hop asks. */
void handle_prepare(struct http_handle *handle, struct transfer *transfer);
/* Our error for a CURLcode. */
int handle_error(int code, bool judged);

/* Called back by curl, see http_transfer.c. */
enum taking { TAKEN, LATER, ABORTED };
void transfer_connecting(struct transfer *transfer);
bool transfer_address_allowed(struct transfer *transfer, bool is_inside);
bool transfer_line(struct transfer *transfer, const char *line, size_t len); /* false: abort */
enum taking transfer_bytes(struct transfer *transfer, const void *data, size_t len);

/* --- http_rate.c: loop thread only. Nothing but the bucket --- */
bool rate_is_empty(struct http_rate *rate);
void rate_take(struct http_rate *rate, size_t bytes);
/* One more of `rank` waits for it, or one less; and: does one of an earlier rank? */
void rate_count(struct http_rate *rate, unsigned rank, bool waits);
bool rate_has_waiting(const struct http_rate *rate, unsigned rank);

/* --- http_hold.c --- */
/* Before a piece of the body is taken: true: not now. */
bool transfer_hold(struct transfer *transfer);
void transfer_take(struct transfer *transfer, size_t bytes);
void transfer_unhold(struct transfer *transfer);
/* Goes on with those whose rate has room again. */
void rates_look(struct http_loop *loop);

/* --- http_head.c --- */
/* "HTTP/1.1 200 OK". */
bool http_parse_status(const char *line, size_t len, int *ret_status);

/* --- http_url.c --- */
struct sockaddr;
enum http_target {
    HTTP_TARGET_OK,
    HTTP_TARGET_MALFORMED,
    HTTP_TARGET_SCHEME,
    HTTP_TARGET_DOWNGRADE,
    HTTP_TARGET_PLAIN
};
/* `location` as seen from `base`, absolute and without fragment, to be freed; NULL when it is none. */
char *http_resolve(const char *base, const char *location);
/* May `url` be asked, coming from `from` (NULL: it is the first)? */
enum http_target http_judge_target(const char *from, const char *url, bool allow_http);
/* Loopback, private, link-local, multicast or otherwise not of the public network? */
bool http_is_inside_address(const struct sockaddr *address);
bool http_is_inside_text(const char *address); /* "127.0.0.1", "::1"; false for what is no address */
bool http_is_inside_host(const char *url);     /* localhost, or an inside address written out */

#endif
