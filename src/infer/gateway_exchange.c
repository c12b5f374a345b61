/* SPDX-License-Identifier: Apache-2.0 */
/* One request's way through the gateway. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "infer/inside.h"
#include "infer/gateway_inside.h"

static const struct path {
    const char *method, *path; /* a path that ends in a slash has a model's name behind it */
    enum exchange_kind kind;
    enum infer_shape shape;
} paths[] = {
    {"POST", "/chat/completions", EXCHANGE_ASK, INFER_REQUEST},
    {"POST", "/completions", EXCHANGE_ASK, INFER_COMPLETION},
    {"POST", "/embeddings", EXCHANGE_ASK, INFER_EMBEDDING},
    {"GET", "/models", EXCHANGE_MODELS, 0},
    {"GET", "/models/", EXCHANGE_MODEL, 0},
    {"GET", "/health", EXCHANGE_HEALTH, 0},
};

/* ---- memory */

static struct exchange *exchange_ref(struct exchange *exchange) {
    atomic_fetch_add(&exchange->refs, 1);
    return exchange;
}

static void exchange_put(struct exchange *exchange) {
    if (atomic_fetch_sub(&exchange->refs, 1) > 1)
        return;
    struct gateway *gateway = exchange->gateway;
    answer_put(exchange->answer);
    server_release(exchange->request);
    buf_done(&exchange->reply.body);
    buf_done(&exchange->tail);
    free(exchange->text);
    free(exchange->model_name);
    free(exchange);
    lock_take(&gateway->lock);
    if (!--gateway->alive)
        pthread_cond_broadcast(&gateway->calm);
    lock_drop(&gateway->lock);
}

/* ---- the pool's part: it is parsed, routed and asked */

static void be_ready(struct exchange *exchange) {
    atomic_store(&exchange->is_ready, true);
    server_wake(exchange->request);
}

/* There is something to send. On any thread. */
static void on_moved(struct wait *wait, int result) {
    struct exchange *exchange = list_entry(wait, struct exchange, wait);
    (void)result;
    atomic_store(&exchange->is_parked, false);
    be_ready(exchange);
    exchange_put(exchange);
}

/* The model is known now, or it is known why not: it is looked for again. On any thread. */
static void on_discovered(struct wait *wait, int result) {
    struct exchange *exchange = list_entry(wait, struct exchange, discovery);
    exchange->discovery_result = result;
    pool_submit(exchange->gateway->pool, &exchange->work); /* which has the wait's reference now */
}

/* Is there anything behind `offset`? Then nothing waits. */
bool exchange_has_more(struct exchange *exchange, uint64_t offset) {
    exchange_ref(exchange);
    atomic_store(&exchange->is_parked, true);
    if (answer_await(exchange->answer, offset, &exchange->wait) == PARKED)
        return false;
    atomic_store(&exchange->is_parked, false);
    exchange_put(exchange);
    return true;
}

static void ask(struct exchange *exchange, int64_t model_id) {
    struct infer *infer = exchange->gateway->infer;
    const struct infer_asking asking = {.model_id = model_id,
        .uid = exchange->uid,
        .shape = exchange->shape,
        .is_private = true};
    uint64_t number = 0;
    int error = infer_begin(infer, &asking, &number, &exchange->answer);
    if (error < 0) {
        reply_error(&exchange->reply, error, 0, "weightfs ends");
        be_ready(exchange);
        return;
    }
    atomic_store(&exchange->number, number);
    (void)infer_submit(infer, number, exchange->text, exchange->len); /* an error is the answer's end */
    if (atomic_load(&exchange->is_gone)) /* by now: who hung up later finds the question himself */
        (void)infer_cancel(infer, number);
    free(exchange->text);
    exchange->text = NULL;
    if (exchange_has_more(exchange, exchange->is_stream ? 0 : UINT64_MAX))
        be_ready(exchange);
}

static void fail(struct exchange *exchange, int error, const struct reason *reason) {
    reply_error(&exchange->reply, error, 0, err_text(reason, error));
    be_ready(exchange);
}

/* The model is found, which may take a discovery; then: true. */
static bool find_model(struct exchange *exchange, const char *name, int64_t *ret_model_id) {
    struct reason reason = {""};
    *ret_model_id = exchange->tag;
    if (exchange->tag != ALL_MODELS)
        return true;
    bool may_discover = exchange->kind == EXCHANGE_ASK && !exchange->was_discovered;
    exchange->was_discovered = true;
    exchange_ref(exchange);
    int result =
        route(exchange->gateway, name, ret_model_id, may_discover ? &exchange->discovery : NULL, &reason);
    if (result == PARKED && !(atomic_load(&exchange->is_gone) && wait_withdraw(&exchange->discovery)))
        return false; /* it comes again */
    exchange_put(exchange);
    if (result == -ERR_UNKNOWN_MODEL && exchange->discovery_result < 0 &&
        error_status(exchange->discovery_result) != 404)
        result = err_because(&reason, exchange->discovery_result,
            "it is not known whether there is such a model: %s", err_sentence(exchange->discovery_result));
    if (result < 0)
        fail(exchange, result, &reason);
    return result == 0;
}

static void ask_model(struct exchange *exchange) {
    JSON_CLEANUP struct json *document = NULL;
    struct reason reason = {""}, why = {""};
    int64_t model_id;
    int error = json_parse(exchange->text, exchange->len, &document, &why);
    if (error < 0)
        error = err_because(&reason, -EINVAL, "the request is no JSON: %s", why.text);
    else if (json_type_of(document) != JSON_OBJECT)
        error = err_because(&reason, -EINVAL, "the request is no JSON object: {\"messages\": […]} is one");
    const struct json *name = json_get(document, "model");
    if (!error && name && !json_text(name, NULL) && exchange->tag == ALL_MODELS)
        error = err_because(&reason, -EINVAL, "\"model\" is no string");
    exchange->is_stream = json_bool(json_get(document, "stream"), false);
    if (error < 0)
        fail(exchange, error, &reason);
    else if (find_model(exchange, json_text(name, NULL), &model_id))
        ask(exchange, model_id);
}

static void tell_models(struct exchange *exchange) {
    exchange->reply.status = 200;
    models_print(exchange->gateway, exchange->tag, &exchange->reply.body);
    be_ready(exchange);
}

static void tell_model(struct exchange *exchange) {
    struct reason reason = {""};
    int64_t model_id, named = 0;
    if (exchange->tag == ALL_MODELS && !find_model(exchange, exchange->model_name, &model_id))
        return;
    if (exchange->tag != ALL_MODELS) {
        model_id = exchange->tag;
        if (route(exchange->gateway, exchange->model_name, &named, NULL, &reason) < 0 || named != model_id) {
            (void)err_because(&reason, 0, "this socket answers for one model alone; GET /v1/models names it");
            fail(exchange, -ERR_UNKNOWN_MODEL, &reason);
            return;
        }
    }
    int error = model_print(exchange->gateway, model_id, &exchange->reply.body);
    if (error < 0) {
        fail(exchange, error, NULL);
        return;
    }
    exchange->reply.status = 200;
    be_ready(exchange);
}

static void run(struct work *work) {
    struct exchange *exchange = list_entry(work, struct exchange, work);
    static void (*const runs[])(struct exchange *) =
        {[EXCHANGE_ASK] = ask_model, [EXCHANGE_MODELS] = tell_models, [EXCHANGE_MODEL] = tell_model};
    if (!atomic_load(&exchange->is_gone))
        runs[exchange->kind](exchange);
    exchange_put(exchange);
}

/* ---- the server's part: it arrives, and it is gone */

static void on_gone(void *context, struct server_request *request, bool whole) {
    struct gateway *gateway = context;
    struct exchange *exchange = request->own;
    if (!exchange)
        return;
    request->own = NULL;
    atomic_store(&exchange->is_gone, true);
    uint64_t number = atomic_load(&exchange->number);
    if (number && !whole)
        (void)infer_cancel(gateway->infer, number);
    if (wait_withdraw(&exchange->wait))
        exchange_put(exchange);
    if (wait_withdraw(&exchange->discovery))
        exchange_put(exchange);
    exchange_put(exchange);
}

static void refuse(struct server_request *request, int status, const char *code, const char *allow,
    const char *message) {
    struct reply reply = {.allow = allow, .body = BUF_INIT};
    reply_refuse(&reply, status, code, message);
    send_reply(request, &reply);
    buf_done(&reply.body);
}

static void begin(struct gateway *gateway, struct server_request *request, const struct path *path,
    const char *rest) {
    struct exchange *exchange = mem_new(sizeof *exchange);
    atomic_init(&exchange->refs, 2); /* the server's, and the pool's */
    exchange->gateway = gateway;
    exchange->request = request;
    exchange->kind = path->kind;
    exchange->shape = path->shape;
    exchange->model_name = mem_text(rest);
    exchange->tag = request->tag;
    exchange->uid = request->uid;
    exchange->len = request->body.len;
    exchange->text = buf_take(&request->body);
    exchange->work.run = run;
    exchange->wait.finish = on_moved;
    exchange->discovery.finish = on_discovered;
    server_hold(request);
    request->own = exchange;
    lock_take(&gateway->lock);
    gateway->alive++;
    struct pool *pool = gateway->pool;
    lock_drop(&gateway->lock);
    pool_submit(pool, &exchange->work);
}

/* What is behind the path in `asked`: "", or a name where the path ends in a slash; NULL: it is another. */
static const char *rest_of(const char *asked, const char *path) {
    size_t len = strlen(path);
    if (strncmp(asked, path, len) != 0)
        return NULL;
    return (path[len - 1] == '/') == (asked[len] != '\0') ? asked + len : NULL;
}

static void on_request(void *context, struct server_request *request) {
    struct gateway *gateway = context;
    const char *asked = request->path + (strncmp(request->path, "/v1/", 4) == 0 ? 3 : 0), *rest = NULL;
    bool is_head = strcmp(request->method, "HEAD") == 0;
    const struct path *path = paths, *end = paths + sizeof paths / sizeof *paths;
    while (path < end && !(rest = rest_of(asked, path->path)))
        path++;
    if (request->fault == 413)
        refuse(request, 413, "request_too_large", NULL, "a request may have 16 MiB");
    else if (request->fault)
        refuse(request, request->fault, "overloaded", NULL, "there is no room for this request; try again");
    else if (path == end)
        refuse(request, 404, "unknown_url", NULL, "there is no such path; see /v1/models");
    else if (strcmp(is_head ? "GET" : request->method, path->method) != 0)
        refuse(request, 405, "method_not_allowed", path->method[0] == 'G' ? "GET, HEAD" : "POST",
            "this path takes another method");
    else if (path->kind == EXCHANGE_HEALTH)
        server_reply(request, 200, (const struct server_field[]){{"Content-Type", "application/json"}, {0}},
            "{\"status\":\"ok\"}", strlen("{\"status\":\"ok\"}"));
    else
        begin(gateway, request, path, rest);
}

const struct server_calls gateway_calls = {on_request, exchange_wake, exchange_read, on_gone};
