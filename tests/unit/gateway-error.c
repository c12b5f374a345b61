/* SPDX-License-Identifier: Apache-2.0 */
/* errors as OpenAI's clients know them */
#include <errno.h>

#include "check.h"
#include "infer/gateway_inside.h"

static const struct {
    int error, engine_status, status;
    const char *type, *code; /* NULL: null */
} rows[] = {
    {-EINVAL, 0, 400, "invalid_request_error", NULL},
    {-EINVAL, 422, 422, "invalid_request_error", NULL},
    {-EACCES, 401, 401, "permission_error", NULL},
    {-E2BIG, 400, 400, "invalid_request_error", "context_length_exceeded"},
    {-ERR_UNKNOWN_MODEL, 0, 404, "invalid_request_error", "model_not_found"},
    {-ERR_RATE_LIMITED, 429, 429, "rate_limit_error", "rate_limit_exceeded"},
    {-EDQUOT, 429, 429, "insufficient_quota", "insufficient_quota"},
    {-EAGAIN, 0, 503, "server_error", "overloaded"},
    {-ERR_CANCELLED, 200, 503, "server_error", "cancelled"}, /* an engine that had begun well */
    {-ERR_STALLED, 200, 504, "timeout_error", "timeout"},
    {-EIO, 0, 500, "server_error", NULL},
    {-EIO, 999, 500, "server_error", NULL}, /* a status that makes no sense */
    {-ERR_MISMATCH, 0, 500, "server_error", NULL},
};

static void have_a_status_and_a_shape(void) {
    static const char message[] = "it \"said\":\n\\ \xc3\xbc";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reply reply = {.body = BUF_INIT};
        JSON_CLEANUP struct json *document = NULL;
        reply_error(&reply, rows[i].error, rows[i].engine_status, message);
        CHECK_NUMBER(reply.status, rows[i].status);
        CHECK_OK(json_parse(buf_text(&reply.body), reply.body.len, &document, NULL));
        const struct json *error = json_get(document, "error");
        CHECK_TEXT(json_text(json_get(error, "message"), NULL), message);
        CHECK_TEXT(json_text(json_get(error, "type"), NULL), rows[i].type);
        CHECK_TEXT(json_text(json_get(error, "code"), NULL), rows[i].code);
        CHECK(json_type_of(json_get(error, "code")) == (rows[i].code ? JSON_STRING : JSON_NULL));
        CHECK(json_type_of(json_get(error, "param")) == JSON_NULL);
        buf_done(&reply.body);
    }
}

/* Client libraries try 5xx and 429 again: what stays wrong must be none of them. */
static void what_stays_wrong_is_not_tried_again(void) {
    static const int errors[] = {-EINVAL, -E2BIG, -EOPNOTSUPP, -EFBIG, -EACCES, -ERR_GATED,
        -ERR_UNKNOWN_MODEL};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        CHECK(error_status(errors[i]) >= 400 && error_status(errors[i]) < 429);
    CHECK(status_is_later(429) && status_is_later(503));
    CHECK(!status_is_later(500) && !status_is_later(404));
}

int main(void) {
    have_a_status_and_a_shape();
    what_stays_wrong_is_not_tried_again();
    return check_result();
}
