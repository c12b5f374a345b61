/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_OUTSIDE_HTTP_H
#define WEIGHTFS_OUTSIDE_HTTP_H

/*
 * HTTP (the door to libcurl): one loop, one thread, every transfer on it. Connections are kept and reused.
 *
 * A request is plain memory of the caller's, untouched by him from http_start() until its on_done() is
 * entered; on_done() may free it. All callbacks run on the loop's thread with no lock held and must not
 * block beyond writing what they got to the page cache.
 *
 * Redirects are followed here, not by libcurl, since metadata is on the hops:
 *   - at most http_request.redirects of them, each head is shown to on_head() first;
 *   - `authorization` and nothing else secret goes to the first URL's scheme+host+port alone, never further;
 *   - never from https to http, never to another scheme than http and https;
 *   - plain http only with loopback hosts unless `allow_http`;
 *   - a redirect to another host whose address is loopback, private or link-local is refused unless the
 *     first URL's host was such an address itself (checked on the address that is really connected to).
 *
 * The offline gate is here: while it is shut every request ends at once with -ERR_OFFLINE, those under way
 * too; but for those through a Unix socket, which send no packet, and, in a loop that says so, those to this
 * machine itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"

struct http_loop;

struct http_settings {
    const char *user_agent;
    /* NULL: http_proxy/https_proxy/no_proxy of the environment, as curl reads them */
    const char *proxy;
    const char *ca_file; /* NULL: the system's */
    bool allow_http;
    bool loopback_passes; /* through the offline gate: requests to loopback hosts */
    /* 0: no limit of the loop's own. Requests of the last rank leave one to the others. */
    unsigned connections_per_host;
};

/* An answer's head: of a redirect or the last one. Valid during on_head(). */
struct http_head {
    int status;
    const char *url;          /* that answered */
    const char *first_url;    /* that was asked at first */
    bool is_last;             /* false: a redirect that will be followed to `location` */
    const char *location;     /* absolute; NULL when is_last */
    const struct buf *fields; /* raw lines, for http_head_get */
};

/* The field's value trimmed, into `to`; false when absent, repeated with different values, or too long.
 * Name without colon, any case. */
bool http_head_get(const struct http_head *head, const char *name, char *to, size_t size);
/* "bytes 0-99/1000": false when malformed. total is UINT64_MAX for "*". (Pure; fuzzed.) */
bool http_parse_content_range(const char *value, uint64_t *ret_first, uint64_t *ret_last,
    uint64_t *ret_total);
/* A Link field's target with rel="next", into `to`; false when there is none. (Pure; fuzzed.) */
bool http_parse_link_next(const char *value, char *to, size_t size);
/* Seconds to wait as Retry-After ("120", or an HTTP date) or RateLimit ("api";r=0;t=55 gives 56) say;
 * false when neither. */
bool http_head_retry_after(const struct http_head *head, unsigned *ret_seconds);

/*
 * A rate that several requests keep together (a token bucket). Any thread may set it, at any time. A
 * request names up to HTTP_RATES, and keeps all of them; where a rate does not suffice for all, those of
 * the lowest `rank` go first, and the others have what is left.
 */
struct http_rate;
#define HTTP_RATES     2
#define HTTP_RANKS     3
#define HTTP_RATE_MOST (UINT64_C(1) << 40) /* bytes a second; more is this */
struct http_rate *http_rate_new(void);     /* without a limit */
struct http_rate *http_rate_ref(struct http_rate *rate);
void http_rate_unref(struct http_rate *rate);
void http_rate_set(struct http_rate *rate, uint64_t bytes_a_second); /* 0: no limit */

struct http_request {
    /* What to ask. Strings are the caller's and must stay until on_done. */
    const char *url;
    const char *authorization; /* value of Authorization, e.g. "Bearer …"; NULL */
    const char *accept;        /* NULL: any */
    const char *unix_socket;   /* path of the socket that answers for the URL's host; NULL: TCP */
    /* A body makes it a POST, which follows no redirect (`redirects` must be 0). NULL: GET. */
    const void *post;
    size_t post_len;
    const char *post_type; /* its Content-Type */
    bool has_range;
    uint64_t first, last;                /* inclusive, as in the protocol */
    unsigned redirects;                  /* how many may be followed */
    uint64_t deadline_ms;                /* for all of it, 0: none */
    uint64_t connect_ms;                 /* 0: 5000 */
    uint64_t stall_ms;                   /* no byte for so long ends it with -ERR_STALLED; 0: none */
    unsigned rank;                       /* 0 is served first … HTTP_RANKS - 1 */
    struct http_rate *rates[HTTP_RATES]; /* NULL: none; the caller's references until on_done */
    size_t body_limit;                   /* for collected bodies: more ends it with -ERR_TOO_LARGE */
    void *context;

    /* What to tell. on_head: each head; <0 ends the request with that error. on_body: bytes of the last
     * answer in order (also of a 4xx/5xx: look at `status`); NULL: collected into `body`. on_done: 0 when
     * an answer came whole, whatever its status; else the error. */
    int (*on_head)(struct http_request *request, const struct http_head *head);
    int (*on_body)(struct http_request *request, const void *data, size_t len);
    void (*on_done)(struct http_request *request, int result);

    /* What came: filled by the loop, valid in on_done. */
    int status;
    struct buf body;      /* the collected body; freed by the caller (buf_done) */
    struct buf fields;    /* the last head's raw lines; freed by the caller */
    char *last_url;       /* the URL that gave the last answer; freed by the caller */
    struct reason reason; /* on failure: curl's words, with the URL cut before its query */
    uint64_t body_bytes;  /* of the last answer, as received */

    /* The loop's own. */
    void *transfer;
    struct list link;
};

int http_loop_start(const struct http_settings *settings, const char *thread_name,
    struct http_loop **ret_loop);
/* Ends every request with -ERR_CANCELLED, then the thread. What is posted from then on is dropped: others
 * may be about to do so. */
void http_loop_end(struct http_loop *loop);
/* The same where it has not been done, and frees. */
void http_loop_stop(struct http_loop *loop);
void http_loop_set_offline(struct http_loop *loop, bool offline);
bool http_loop_is_offline(const struct http_loop *loop);

/* From any thread. The request is under way afterwards; on_done() is always called, never from within this
 * call. */
void http_start(struct http_loop *loop, struct http_request *request);
/* Loop thread only (from any callback but the request's own on_done): on_done comes with -ERR_CANCELLED,
 * possibly from within this call. */
void http_cancel(struct http_loop *loop, struct http_request *request);
/* From any thread: ask the loop thread to call `run` soon. `task` is embedded in the caller's structure;
 * posting one that is posted already does nothing. */
struct http_task {
    struct list link;
    void (*run)(struct http_task *task);
};
void http_post(struct http_loop *loop, struct http_task *task);
/* Loop thread only: call task->run after `delay_ms` (again: moves it; -1 (UINT64_MAX): takes it back). */
struct http_delay {
    struct list link;
    uint64_t at_ms;
    void (*run)(struct http_delay *delay);
};
void http_delay_set(struct http_loop *loop, struct http_delay *delay, uint64_t delay_ms);

/* scheme://host[:port] equal? (Pure.) */
bool http_same_origin(const char *url, const char *other);
/* Is the URL's host a loopback name or address (localhost, 127/8, ::1)? (Pure.) */
bool http_is_loopback(const char *url);
/* Percent-encodes for one path segment (keep_slash: for a whole path) and adds it to `to`. */
int http_encode(struct buf *to, const char *text, bool keep_slash);
/* The URL without its query, for messages. */
void http_url_for_people(const char *url, char *to, size_t size);

#endif
