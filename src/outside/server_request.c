/* SPDX-License-Identifier: Apache-2.0 */
/* Requests: from their first line to the last byte of their answer. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "outside/server_inside.h"

#define STREAM_BYTES (16u << 10) /* asked of on_read at once */
#define DROPPED_FACTOR \
    4 /* so many times body_most is read of a body that is too long, to answer it in peace */

/* ---- memory, and waking */

static struct request *request_of(struct server_request *public) {
    return (struct request *)public;
}

void server_hold(struct server_request *public) {
    atomic_fetch_add(&request_of(public)->refs, 1);
}

void server_release(struct server_request *public) {
    struct request *request = request_of(public);
    if (atomic_fetch_sub(&request->refs, 1) > 1)
        return;
    buf_done(&public->body);
    free(request->method);
    free(request->path);
    server_unref(request->server);
    free(request);
}

void server_wake(struct server_request *public) {
    struct request *request = request_of(public);
    struct server *server = request->server;
    lock_take(&server->lock);
    bool first = list_empty(&server->woken);
    if (!request->is_woken && !request->is_gone) {
        request->is_woken = true;
        server_hold(public);
        list_append(&server->woken, &request->woken);
    }
    first = first && !list_empty(&server->woken);
    lock_drop(&server->lock);
    if (first)
        (void)!write(server->wake_fd, &(uint64_t){1}, sizeof(uint64_t)); /* never full: it is read to 0 */
}

static struct request *take_woken(struct server *server, bool *ret_gone) {
    LOCK_SCOPE(&server->lock);
    struct list *link = list_shift(&server->woken);
    if (!link)
        return NULL;
    struct request *request = list_entry(link, struct request, woken);
    request->is_woken = false;
    *ret_gone = request->is_gone;
    return request;
}

void request_resume(struct request *request) {
    if (!request->is_suspended)
        return;
    request->is_suspended = false;
    MHD_resume_connection(request->connection->handle);
}

void requests_wake(struct server *server) {
    struct request *request;
    bool is_gone;
    while ((request = take_woken(server, &is_gone))) {
        if (!is_gone)
            request_resume(request);
        server_release(&request->public);
    }
}

static void suspend(struct request *request) {
    request->is_suspended = true;
    MHD_suspend_connection(request->connection->handle);
}

/* ---- arriving */

static struct request *request_new(struct connection *connection, const char *method, const char *path) {
    struct server *server = connection->server;
    struct request *request = mem_new(sizeof *request);
    atomic_init(&request->refs, 1);
    atomic_fetch_add(&server->refs, 1);
    request->server = server;
    request->connection = connection;
    request->method = mem_text(method);
    request->path = mem_text(path);
    request->public = (struct server_request){.method = request->method,
        .path = request->path,
        .fault = server->is_closing ? 503 : 0,
        .tag = connection->tag,
        .uid = connection->uid};
    connection->request = request;
    return request;
}

static void drop_body(struct request *request, int fault) {
    request->server->body_bytes -= request->counted;
    request->counted = 0;
    request->public.fault = fault;
    buf_done(&request->public.body);
}

static enum MHD_Result take_body(struct request *request, const char *data, size_t len) {
    struct server *server = request->server;
    const struct server_settings *settings = &server->settings;
    if (!request->public.fault && request->counted + len > settings->body_most)
        drop_body(request, 413);
    else if (!request->public.fault && server->body_bytes + len > settings->bodies_most)
        drop_body(request, 503);
    if (request->public.fault) {
        request->dropped += len;
        return request->dropped <= settings->body_most * DROPPED_FACTOR ? MHD_YES : MHD_NO;
    }
    (void)buf_add(&request->public.body, data, len); /* has no limit of its own */
    request->counted += len;
    server->body_bytes += len;
    return MHD_YES;
}

static void turn(struct request *request) {
    struct server *server = request->server;
    const struct server_calls *calls = server->settings.calls;
    if (request->state == REQUEST_ARRIVES) {
        request->state = REQUEST_OPEN;
        server->request_count++;
        connection_await_over(request->connection);
        calls->on_request(server->settings.context, &request->public);
    } else if (request->state == REQUEST_OPEN) {
        calls->on_wake(server->settings.context, &request->public);
    }
    if (request->state == REQUEST_OPEN)
        suspend(request);
}

/* Its head is here. What is announced to be too long is refused at once when the client waits for that, or
 * when it is too much to be read in vain. */
static void begin(struct connection *connection, struct request *request) {
    const struct server_settings *settings = &connection->server->settings;
    const char *length =
        MHD_lookup_connection_value(connection->handle, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    bool expects =
        MHD_lookup_connection_value(connection->handle, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT) != NULL;
    unsigned long long announced = length ? strtoull(length, NULL, 10) : 0; /* the library has judged it */
    if (announced <= settings->body_most)
        return;
    request->public.fault = 413;
    if (expects || announced > (unsigned long long)settings->body_most * DROPPED_FACTOR)
        turn(request);
}

enum MHD_Result on_access(void *context, struct MHD_Connection *handle, const char *url, const char *method,
    const char *version, const char *data, size_t *ref_size, void **of_request) {
    (void)context, (void)version;
    struct request *request = *of_request;
    if (!request) {
        struct connection *connection =
            MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
        *of_request = request = request_new(connection, method, url);
        begin(connection, request);
        return MHD_YES;
    }
    if (*ref_size) {
        size_t len = *ref_size;
        *ref_size = 0;
        return take_body(request, data, len);
    }
    if (request->connection->hung_up)
        return MHD_NO;
    turn(request);
    return MHD_YES;
}

void on_completed(void *context, struct MHD_Connection *handle, void **of_request,
    enum MHD_RequestTerminationCode code) {
    (void)handle;
    struct server *server = context;
    struct request *request = *of_request;
    if (!request)
        return;
    *of_request = NULL;
    lock_take(&server->lock);
    request->is_gone = true;
    lock_drop(&server->lock);
    request->connection->request = NULL;
    if (request->state != REQUEST_ARRIVES) {
        server->request_count--;
        server->settings.calls->on_gone(server->settings.context, &request->public,
            request->state == REQUEST_ANSWERED && code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    }
    server->body_bytes -= request->counted;
    connection_await(request->connection);
    server_release(&request->public);
}

/* ---- answering */

static void queue(struct request *request, int status, const struct server_field *fields,
    struct MHD_Response *response) {
    if (!response)
        abort(); /* out of memory, as elsewhere */
    for (; fields && fields->name; fields++)
        (void)MHD_add_response_header(response, fields->name, fields->value); /* refuses what is no field */
    (void)MHD_queue_response(request->connection->handle, (unsigned)status, response);
    MHD_destroy_response(response); /* our reference */
    request->state = REQUEST_ANSWERED;
}

void server_reply(struct server_request *public, int status, const struct server_field *fields,
    const void *body, size_t len) {
    /* The cast is for a prototype older than const: it is copied. */
    queue(request_of(public), status, fields,
        MHD_create_response_from_buffer(len, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY));
}

static ssize_t read_stream(void *context, uint64_t offset, char *to, size_t size) {
    (void)offset;
    struct request *request = context;
    const struct server_settings *settings = &request->server->settings;
    if (request->connection->hung_up)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    ssize_t count = settings->calls->on_read(settings->context, &request->public, to, size);
    if (count > 0)
        return count;
    if (count < 0)
        return count == SERVER_END ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
    suspend(request);
    return 0;
}

void server_stream(struct server_request *public, int status, const struct server_field *fields) {
    struct request *request = request_of(public);
    queue(request, status, fields,
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BYTES, read_stream, request, NULL));
}
