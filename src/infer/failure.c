/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/failure.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define WORDS_SIZE 400 /* of the server's own words */
/* What llama-server says with status 500 of a text that is too long to embed. */
#define TOO_LARGE                                                                     \
    "input (%" SCNd64 " tokens) is too large to process. increase the physical batch" \
    " size (current batch size: %" SCNd64

/* What it says beats the status; the first row that fits counts. */
static const struct {
    const char *type; /* NULL: any */
    int status;       /* 0: any */
    int error;
} rows[] = {
    {"exceed_context_size_error", 0, -E2BIG}, /* llama-server's type … */
    {"context_length_exceeded", 0, -E2BIG},   /* … OpenAI's code */
    {"insufficient_quota", 0, -EDQUOT},
    {NULL, 400, -EINVAL},
    {NULL, 401, -EACCES},
    {NULL, 403, -EACCES},
    {NULL, 404, -ENOENT},
    {NULL, 408, -ETIMEDOUT},
    {NULL, 413, -EFBIG},
    {NULL, 422, -EINVAL},
    {NULL, 429, -ERR_RATE_LIMITED},
    {NULL, 501, -EOPNOTSUPP},
    {NULL, 503, -EAGAIN},
    {NULL, 504, -ETIMEDOUT},
    {NULL, 0, -EIO},
};

static int find_error(int status, const char *type) {
    size_t i = 0;
    while ((rows[i].type && (!type || strcmp(rows[i].type, type) != 0)) ||
           (rows[i].status && rows[i].status != status))
        i++; /* the last row fits all */
    return rows[i].error;
}

static bool is_known(const char *code) {
    for (size_t i = 0; code && rows[i].type; i++)
        if (strcmp(rows[i].type, code) == 0)
            return true;
    return false;
}

/* `error` is the member of that name: an object, a string, or nothing. */
static int judge(int status, const struct json *error, const char *fallback, struct reason *reason) {
    char words[WORDS_SIZE];
    const char *message = json_type_of(error) == JSON_STRING ? json_text(error, NULL)
                                                             : json_text(json_get(error, "message"), NULL);
    const char *code = json_text(json_get(error, "code"), NULL);
    const char *type = json_text(json_get(error, "type"), NULL);
    int64_t number, asked, context;
    if (!status && json_number(json_get(error, "code"), &number) && number >= 300 && number < 600)
        status = (int)number;
    int result = find_error(status, is_known(code) ? code : type);
    utf8_cut(words, sizeof words, message ? message : fallback);
    utf8_tame(words);
    if (result == -E2BIG && json_number(json_get(error, "n_prompt_tokens"), &asked) &&
        json_number(json_get(error, "n_ctx"), &context))
        return err_because(reason, result, "the prompt has %lld tokens, the context holds %lld",
            (long long)asked, (long long)context);
    if (sscanf(words, TOO_LARGE, &asked, &context) == 2)
        return err_because(reason, -E2BIG, "the text has %" PRId64 " tokens, the model takes %" PRId64, asked,
            context);
    if (*words && status)
        return err_because(reason, result, "the engine answered %d: %s", status, words);
    if (*words)
        return err_because(reason, result, "the engine failed: %s", words);
    return err_because(reason, result, "the engine answered %d without a word", status);
}

int failure_of_status(int status, const char *text, size_t len, struct reason *reason) {
    struct reason why;
    JSON_CLEANUP struct json *document = NULL;
    if (json_parse(text, len, &document, &why) < 0)
        return judge(status, NULL, text, reason);
    const struct json *error = json_get(document, "error");
    return judge(status, error, error ? "" : text, reason);
}

bool failure_overflow(const char *text, size_t len, int64_t *ret_sent, int64_t *ret_context) {
    struct reason why;
    JSON_CLEANUP struct json *document = NULL;
    int64_t sent, context;
    if (json_parse(text, len, &document, &why) < 0)
        return false;
    const struct json *error = json_get(document, "error");
    if (!json_number(json_get(error, "n_prompt_tokens"), &sent) ||
        !json_number(json_get(error, "n_ctx"), &context) || sent <= 0 || context <= 0)
        return false;
    *ret_sent = sent;
    *ret_context = context;
    return true;
}

int failure_of_event(const struct json *event, struct reason *reason) {
    return judge(0, json_get(event, "error"), "", reason);
}
