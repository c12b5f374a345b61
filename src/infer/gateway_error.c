/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as OpenAI's clients know them: a status, and {"error":{"message","type","param","code"}}. */

#include <errno.h>

#include "infer/gateway_inside.h"

/* Clients try 408, 409, 429 and 5xx again by themselves: what stays wrong is none of them. */
static const struct {
    int error, status;
    const char *type, *code; /* NULL: null */
} rows[] = {
    {-EINVAL, 400, "invalid_request_error", NULL},
    {-E2BIG, 400, "invalid_request_error", "context_length_exceeded"},
    {-EOPNOTSUPP, 400, "invalid_request_error", "not_supported"},
    {-EFBIG, 413, "invalid_request_error", "request_too_large"}, {-EACCES, 403, "permission_error", NULL},
    {-EPERM, 403, "permission_error", NULL}, {-ERR_NOT_ALLOWED, 403, "permission_error", NULL},
    {-ERR_GATED, 403, "permission_error", "gated"}, {-ERR_TOKEN, 403, "permission_error", NULL},
    {-ERR_UNKNOWN_MODEL, 404, "invalid_request_error", "model_not_found"},
    {-ERR_BAD_NAME, 404, "invalid_request_error", "model_not_found"},
    {-ERR_STALE, 404, "invalid_request_error", "model_not_found"},
    {-EDQUOT, 429, "insufficient_quota", "insufficient_quota"},
    {-ERR_RATE_LIMITED, 429, "rate_limit_error", "rate_limit_exceeded"},
    {-ENOENT, 503, "server_error", "no_engine"}, {-ENODATA, 503, "server_error", "model_not_here"},
    {-EAGAIN, 503, "server_error", "overloaded"}, {-EBUSY, 503, "server_error", "overloaded"},
    {-ERR_CANCELLED, 503, "server_error", "cancelled"}, {-ERR_OFFLINE, 503, "server_error", "offline"},
    {-ERR_UNREACHABLE, 502, "server_error", "unreachable"}, {-ETIMEDOUT, 504, "timeout_error", "timeout"},
    {-ERR_DEADLINE, 504, "timeout_error", "timeout"}, {-ERR_STALLED, 504, "timeout_error", "timeout"},
    {0, 500, "server_error", NULL}, /* all others */
};

static size_t find_row(int error) {
    size_t i = 0;
    while (rows[i].error && rows[i].error != error)
        i++;
    return i;
}

static void print(const char *message, const char *type, const char *code, struct buf *to) {
    (void)buf_text_add(to, "{\"error\":{\"message\":"); /* no limit: none of these can fail */
    (void)buf_json_string(to, message);
    (void)buf_format(to, ",\"type\":\"%s\",\"param\":null,\"code\":", type);
    (void)buf_json_string(to, code);
    (void)buf_text_add(to, "}}");
}

void error_print(int error, const char *message, struct buf *to) {
    print(message, rows[find_row(error)].type, rows[find_row(error)].code, to);
}

void reply_error(struct reply *reply, int error, int status, const char *message) {
    reply->status = status >= 400 && status < 600 ? status : error_status(error);
    error_print(error, message, &reply->body);
}

void reply_refuse(struct reply *reply, int status, const char *code, const char *message) {
    reply->status = status;
    print(message, status < 500 ? "invalid_request_error" : "server_error", code, &reply->body);
}

int error_status(int error) {
    return rows[find_row(error)].status;
}

bool status_is_later(int status) {
    return status == 429 || status == 503;
}
