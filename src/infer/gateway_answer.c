/* SPDX-License-Identifier: Apache-2.0 */
/* What clients are sent. On the server's thread. */

#include <stdlib.h>
#include <string.h>

#include "infer/gateway_inside.h"

void send_reply(struct server_request *request, const struct reply *reply) {
    struct server_field fields[4] = {{"Content-Type", "application/json"}};
    size_t count = 1;
    if (reply->allow)
        fields[count++] = (struct server_field){"Allow", reply->allow};
    if (status_is_later(reply->status))
        fields[count++] = (struct server_field){"Retry-After", "2"};
    server_reply(request, reply->status, fields, buf_text(&reply->body), reply->body.len);
}

/* What an answer begins with says what it is, whatever was asked for: JSON, or events. */
static bool is_json(struct answer *answer) {
    char first;
    return answer_read(answer, 0, &first, 1) == 1 && (first == '{' || first == '[');
}

static void send_answer(struct exchange *exchange, struct server_request *request) {
    static const struct server_field json[] = {{"Content-Type", "application/json"}, {NULL, NULL}};
    static const struct server_field events[] = {{"Content-Type", "text/event-stream"},
        {"Cache-Control", "no-cache"}, {NULL, NULL}};
    const struct server_field *fields = is_json(exchange->answer) ? json : events;
    struct answer_info info;
    answer_look(exchange->answer, &info);
    if (info.error && (!exchange->is_stream || !info.len)) {
        reply_error(&exchange->reply, info.error, info.status, err_text(&info.reason, info.error));
        send_reply(request, &exchange->reply);
    } else if (exchange->is_stream) {
        server_stream(request, 200, fields);
    } else {
        char *text = mem_array(info.len + 1, 1);
        ssize_t len = answer_read(exchange->answer, 0, text, info.len);
        server_reply(request, 200, fields, text, len > 0 ? (size_t)len : 0);
        free(text);
    }
}

void exchange_wake(void *context, struct server_request *request) {
    (void)context;
    struct exchange *exchange = request->own;
    if (!exchange || !atomic_load(&exchange->is_ready))
        return;
    if (exchange->answer)
        send_answer(exchange, request);
    else
        send_reply(request, &exchange->reply);
}

static bool is_between_events(const struct exchange *exchange) {
    const char *last = exchange->last;
    return !exchange->offset || (last[3] == '\n' && last[2] == '\n') || memcmp(last, "\r\n\r\n", 4) == 0;
}

static void remember(struct exchange *exchange, const char *text, size_t len) {
    for (size_t i = len > 4 ? len - 4 : 0; i < len; i++) {
        memmove(exchange->last, exchange->last + 1, 3);
        exchange->last[3] = text[i];
    }
}

/* The answer failed in the middle: a last event says why. Where none can be said, the client sees that it was
 * cut. */
static ssize_t end_badly(struct exchange *exchange, int error) {
    struct answer_info info;
    if (is_json(exchange->answer) || !is_between_events(exchange))
        return error;
    answer_look(exchange->answer, &info);
    (void)buf_text_add(&exchange->tail, "data: ");
    error_print(error, err_text(&info.reason, error), &exchange->tail);
    (void)buf_text_add(&exchange->tail, "\n\n");
    return 0;
}

static ssize_t send_tail(struct exchange *exchange, char *to, size_t size) {
    size_t left = exchange->tail.len - exchange->tail_at;
    size_t len = left < size ? left : size;
    memcpy(to, exchange->tail.data + exchange->tail_at, len);
    exchange->tail_at += len;
    return len ? (ssize_t)len : SERVER_END;
}

ssize_t exchange_read(void *context, struct server_request *request, void *to, size_t size) {
    (void)context;
    struct exchange *exchange = request->own;
    struct answer_info info;
    while (!exchange->tail.len) {
        ssize_t count = answer_read(exchange->answer, exchange->offset, to, size);
        if (count > 0) {
            remember(exchange, to, (size_t)count);
            exchange->offset += (uint64_t)count;
            return count;
        }
        if (count < 0 && (count = end_badly(exchange, (int)count)) < 0)
            return count;
        if (exchange->tail.len)
            break;
        if (atomic_load(&exchange->is_parked) || !exchange_has_more(exchange, exchange->offset))
            return 0;
        answer_look(exchange->answer, &info);
        if (info.ended && !info.error && info.len == exchange->offset)
            return SERVER_END;
    }
    return send_tail(exchange, to, size);
}
