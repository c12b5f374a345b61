/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_GATEWAY_INSIDE_H
#define WEIGHTFS_INFER_GATEWAY_INSIDE_H

/*
 * What the parts of gateway share: gateway.c is its life and its sockets, gateway_exchange.c one request's
 * way, gateway_answer.c what is sent, gateway_route.c which model is meant, gateway_models.c what there is,
 * gateway_error.c what an error looks like.
 *
 * An exchange is a request and its answer. It is on one thread at a time: the server's (on_request), then the
 * pool's (it is parsed, routed and asked), then the server's again, which it wakes. What may cross that is
 * atomic: `is_gone`, for a client that hangs up while the pool is at work, and `number`, for whoever sees it
 * last to cancel the question. Each of server, pool and waits has a reference.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "base/lock.h"
#include "base/pool.h"
#include "infer/gateway.h"
#include "outside/json.h"
#include "outside/server.h"

#define ALL_MODELS 0 /* the tag of the socket for all; a model's is its catalogue id */

struct gateway {
    struct infer *infer;
    struct lock lock; /* GATEWAY: all that follows */
    pthread_cond_t calm;
    bool is_shut;
    struct server *server; /* NULL: no socket was bound yet */
    struct pool *pool;
    unsigned alive; /* exchanges */
    unsigned bound_count;
    struct {
        int64_t model_id;
        uint64_t read_ms; /* its link, last */
    } bound[SOCKETS_MOST];
};

/* What a request is answered when it is no engine's answer. */
struct reply {
    int status;        /* 0: none */
    const char *allow; /* methods, with 405 */
    struct buf body;   /* JSON */
};

enum exchange_kind { EXCHANGE_ASK, EXCHANGE_MODELS, EXCHANGE_MODEL, EXCHANGE_HEALTH /* no exchange */ };

struct exchange {
    atomic_uint refs;
    struct gateway *gateway;
    struct server_request *request; /* held */
    enum exchange_kind kind;
    enum infer_shape shape; /* EXCHANGE_ASK */
    char *model_name;       /* EXCHANGE_MODEL: as in the path */
    int64_t tag;
    uid_t uid;
    char *text; /* the request's body */
    size_t len;
    struct work work;
    struct wait discovery, wait; /* for the model's, and for more of the answer; a reference each, parked */
    atomic_bool is_parked;       /* the latter */
    atomic_bool is_gone;
    _Atomic uint64_t number; /* of the question; 0: not begun */
    bool was_discovered;
    int discovery_result;

    struct reply reply;
    struct answer *answer; /* NULL: `reply` is all */
    bool is_stream;
    atomic_bool is_ready; /* reply or answer may be looked at */

    /* server's thread, of a stream */
    uint64_t offset;
    char last[4];    /* bytes that were sent */
    struct buf tail; /* what is sent behind the answer */
    size_t tail_at;
};

/* --- gateway_exchange.c --- */
extern const struct server_calls gateway_calls; /* the context is the gateway */
/* Is there anything behind `offset` of its answer? If not, it is woken when there is. */
bool exchange_has_more(struct exchange *exchange, uint64_t offset);
/* --- gateway_answer.c: the server's thread --- */
void send_reply(struct server_request *request, const struct reply *reply);
void exchange_wake(void *context, struct server_request *request);
ssize_t exchange_read(void *context, struct server_request *request, void *to, size_t size);
/* --- gateway_error.c: pure --- */
/* `status`: the engine's own, which counts when it is one of an error; 0. */
void reply_error(struct reply *reply, int error, int status, const char *message);
/* For what is ours to say. */
void reply_refuse(struct reply *reply, int status, const char *code, const char *message);
/* {"error":{…}} of an answer that failed. */
void error_print(int error, const char *message, struct buf *to);
int error_status(int error);
bool status_is_later(int status); /* the client may try again in a moment */
/* --- gateway_route.c: the pool --- */
/* Which model is meant by `name` (NULL: none was given) at the socket for all: 0, PARKED, or an error with
 * its sentence: -ERR_UNKNOWN_MODEL. With `wait` NULL nothing is asked of a source. */
int route(struct gateway *gateway, const char *name, int64_t *ret_model_id, struct wait *wait,
    struct reason *reason);
/* --- gateway_models.c: the pool --- */
/* Of one model (the socket's), or of all (ALL_MODELS). */
void models_print(struct gateway *gateway, int64_t model_id, struct buf *to);
/* As the list has it; -ERR_STALE. */
int model_print(struct gateway *gateway, int64_t model_id, struct buf *to);

#endif
