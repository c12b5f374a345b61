/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/gateway.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "infer/inside.h"
#include "infer/gateway_inside.h"

#define POOL_THREADS     2
#define CONNECTIONS      512
#define OF_USER          256
#define BODIES_MOST      (256u << 20)
#define UNREAD_MS        600000
#define SHUT_PATIENCE_MS 2000
#define CALM_MS          5000 /* in which the pool and the waits let go of what is gone */
#define TICK_MS          500

/* ---- its life */

struct gateway *gateway_new(struct infer *infer) {
    struct gateway *gateway = mem_new(sizeof *gateway);
    gateway->infer = infer;
    lock_init(&gateway->lock, LOCK_GATEWAY);
    lock_condition_init(&gateway->calm);
    return gateway;
}

/* Under the lock: server and pool are there. */
static int begin(struct gateway *gateway) {
    const struct infer *infer = gateway->infer;
    const struct server_settings settings = {.name = "openai.sock",
        .calls = &gateway_calls,
        .context = gateway,
        .body_most = PROMPT_LIMIT,
        .bodies_most = BODIES_MOST,
        .connections_most = CONNECTIONS,
        .connections_of_user = OF_USER,
        .full = "{\"error\":{\"message\":\"too many connections\",\"type\":\"server_error\",\"param\":null,"
                "\"code\":\"overloaded\"}}",
        .request_ms = (uint64_t)options_number(infer->settings.options, "socket_timeout_s") * 1000,
        .unread_ms = UNREAD_MS};
    if (gateway->is_shut)
        return -ERR_CANCELLED;
    if (gateway->server)
        return 0;
    int error = gateway->pool ? 0 : pool_start("gateway", POOL_THREADS, &gateway->pool);
    return error < 0 ? error : server_start(&settings, &gateway->server);
}

/* What is gone is let go of soon: by the pool, which may be at work for it, or by a discovery that ends. */
static bool await_calm(struct gateway *gateway) {
    uint64_t until_ms = clock_ms() + CALM_MS;
    LOCK_SCOPE(&gateway->lock);
    while (gateway->alive && clock_ms() < until_ms)
        (void)lock_wait(&gateway->lock, &gateway->calm, clock_ms() + TICK_MS);
    return !gateway->alive;
}

void gateway_shut(struct gateway *gateway) {
    lock_take(&gateway->lock);
    bool again = gateway->is_shut; /* the end of a mount shuts everything more than once */
    gateway->is_shut = true;
    struct server *server = gateway->server;
    gateway->server = NULL; /* the second time there is nothing to end */
    lock_drop(&gateway->lock);
    if (again)
        return;
    server_stop(server, SHUT_PATIENCE_MS);
    if (gateway->pool && await_calm(gateway)) {
        pool_stop(gateway->pool);
        gateway->pool = NULL;
    } else if (gateway->pool) {
        log_error("a request by openai.sock does not end; its threads are left alone");
    }
}

void gateway_free(struct gateway *gateway) {
    if (!gateway || gateway->alive)
        return;
    pthread_cond_destroy(&gateway->calm);
    lock_done(&gateway->lock);
    free(gateway);
}

/* ---- sockets */

void gateway_path(const struct gateway *gateway, int64_t model_id, struct buf *to) {
    const char *folder = gateway->infer->folder;
    if (!*folder) /* the link leads nowhere, and says why */
        (void)buf_text_add(to, "runtime_folder-is-too-long-for-a-socket");
    else if (model_id == ALL_MODELS)
        (void)buf_format(to, "%s/openai.sock", folder);
    else
        (void)buf_format(to, "%s/%" PRId64 ".sock", folder, model_id);
}

/* Under the lock: its index, or -1. */
static int find_bound(const struct gateway *gateway, int64_t model_id) {
    for (unsigned i = 0; i < gateway->bound_count; i++)
        if (gateway->bound[i].model_id == model_id)
            return (int)i;
    return -1;
}

/* Under the lock: the place of the one that was used least recently, of those that nobody is connected to. */
static int find_idle(const struct gateway *gateway) {
    uint64_t oldest_ms = UINT64_MAX;
    int found = -1;
    for (unsigned i = 0; i < gateway->bound_count; i++) {
        unsigned connections = 0;
        uint64_t used_ms = 0;
        (void)server_usage(gateway->server, gateway->bound[i].model_id, &connections, &used_ms);
        if (used_ms < gateway->bound[i].read_ms)
            used_ms = gateway->bound[i].read_ms;
        if (connections || used_ms >= oldest_ms)
            continue;
        oldest_ms = used_ms;
        found = (int)i;
    }
    return found;
}

/* Under the lock: a place in `bound`, or -EBUSY. */
static int make_place(struct gateway *gateway) {
    if (gateway->bound_count < SOCKETS_MOST)
        return (int)gateway->bound_count++;
    int place = find_idle(gateway);
    if (place < 0)
        return -EBUSY;
    (void)server_unlisten(gateway->server, gateway->bound[place].model_id);
    return place;
}

/* Under the lock. */
static int listen_at(struct gateway *gateway, int64_t model_id) {
    struct buf path BUF_CLEANUP = BUF_INIT;
    gateway_path(gateway, model_id, &path);
    mode_t mode = gateway->infer->settings.for_all ? 0666 : 0600;
    if (access(buf_text(&path), F_OK) < 0) /* if it was bound, somebody has tidied up */
        (void)server_unlisten(gateway->server, model_id);
    int error = server_listen(gateway->server, buf_text(&path), mode, model_id);
    return error == -EEXIST ? 0 : error;
}

static int bind_model(struct gateway *gateway, int64_t model_id) {
    int place = find_bound(gateway, model_id);
    if (place < 0)
        place = make_place(gateway);
    if (place < 0)
        return place;
    gateway->bound[place].model_id = model_id;
    gateway->bound[place].read_ms = clock_ms();
    int error = listen_at(gateway, model_id);
    if (error < 0)
        gateway->bound[place] = gateway->bound[--gateway->bound_count];
    return error;
}

int gateway_bind(struct gateway *gateway, int64_t model_id) {
    struct reason reason = {""};
    int error = infer_make_folder(gateway->infer, &reason);
    if (error == 0) {
        LOCK_SCOPE(&gateway->lock);
        error = begin(gateway);
        if (error == 0)
            error = model_id == ALL_MODELS ? listen_at(gateway, model_id) : bind_model(gateway, model_id);
    }
    if (error < 0 && error != -EBUSY && error != -ERR_CANCELLED)
        log_warning("openai.sock can't be bound: %s", err_text(&reason, error));
    return error;
}
