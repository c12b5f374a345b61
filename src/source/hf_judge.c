/* SPDX-License-Identifier: Apache-2.0 */
/* What the Hub's refusals mean. */
#include <string.h>

#include "source/hf_inside.h"

#define ANY_STATUS 0
#define SHOWN      160

enum token { TOKEN_ANY, TOKEN_NONE, TOKEN_SENT };

/* The first row that fits counts. `code`: X-Error-Code, `words`: in X-Error-Message; NULL: whatever. */
static const struct row {
    int status;
    const char *code, *words;
    enum token token;
    int model_error, file_error;
} rows[] = {
    {401,        "GatedRepo",        NULL,       TOKEN_ANY,  -ERR_GATED,            -ERR_GATED           },
    {403,        "GatedRepo",        NULL,       TOKEN_ANY,  -ERR_GATED,            -ERR_GATED           },
    {ANY_STATUS, "RepoNotFound",     NULL,       TOKEN_ANY,  -ERR_UNKNOWN_MODEL,    -ERR_UNKNOWN_MODEL   },
    {404,        "RevisionNotFound", NULL,       TOKEN_ANY,  -ERR_UNKNOWN_REVISION, -ERR_UNKNOWN_REVISION},
    {404,        "EntryNotFound",    NULL,       TOKEN_ANY,  -ERR_UNKNOWN_FILE,     -ERR_UNKNOWN_FILE    },
    {401,        NULL,               NULL,       TOKEN_SENT, -ERR_TOKEN,            -ERR_TOKEN           },
    {401,        NULL,               NULL,       TOKEN_NONE, -ERR_UNKNOWN_MODEL,    -ERR_UNKNOWN_MODEL   },
    {403,        NULL,               "disabled", TOKEN_ANY,  -ERR_DISABLED,         -ERR_DISABLED        },
    {403,        NULL,               NULL,       TOKEN_SENT, -ERR_TOKEN,            -ERR_TOKEN           },
    {403,        NULL,               NULL,       TOKEN_ANY,  -ERR_DISABLED,         -ERR_DISABLED        },
    {404,        NULL,               NULL,       TOKEN_ANY,  -ERR_UNKNOWN_MODEL,    -ERR_UNKNOWN_FILE    },
    {410,        NULL,               NULL,       TOKEN_ANY,  -ERR_UNKNOWN_MODEL,    -ERR_UNKNOWN_FILE    },
    {416,        NULL,               NULL,       TOKEN_ANY,  -ERR_STATUS,           -ERR_CHANGED         },
    {408,        NULL,               NULL,       TOKEN_ANY,  -ERR_SERVER,           -ERR_SERVER          },
    {429,        NULL,               NULL,       TOKEN_ANY,  -ERR_RATE_LIMITED,     -ERR_RATE_LIMITED    },
};

static int find(const struct http_head *head, enum hf_subject subject, bool with_token, const char *code,
    const char *message) {
    if (head->status / 100 == 5)
        return -ERR_SERVER;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        if ((row->status == ANY_STATUS || row->status == head->status) &&
            (!row->code || !strcmp(row->code, code)) && (!row->words || strstr(message, row->words)) &&
            (row->token == TOKEN_ANY || (row->token == TOKEN_SENT) == with_token))
            return subject == HF_MODEL ? row->model_error : row->file_error;
    }
    return -ERR_STATUS;
}

const char *hf_gated_sentence(bool with_token) {
    return with_token ? "the model is gated, and this token's account has no access yet: ask for it on the "
                        "model's page"
                      : err_sentence(-ERR_GATED);
}

/* What it comes to, before the server's own words: those speak of passwords when a name has a typo. NULL:
 * they do. */
static const char *plain_sentence(int error, bool with_token) {
    if (error == -ERR_GATED)
        return hf_gated_sentence(with_token);
    if (error != -ERR_UNKNOWN_MODEL)
        return NULL;
    return with_token ? "the source knows no such model, or it is private and not this token's to see"
                      : err_sentence(error);
}

int hf_judge(const struct http_head *head, enum hf_subject subject, bool with_token, struct reason *reason) {
    char code[64] = "", message[SHOWN] = "", shown[SHOWN];
    unsigned wait_s;
    (void)http_head_get(head, "X-Error-Code", code, sizeof code); /* without it: "" */
    (void)http_head_get(head, "X-Error-Message", message, sizeof message);
    http_url_for_people(head->url, shown, sizeof shown);
    int error = find(head, subject, with_token, code, message);
    const char *plain = plain_sentence(error, with_token);
    if (error == -ERR_RATE_LIMITED && http_head_retry_after(head, &wait_s))
        return err_because(reason, error, "the rate limit at %s is used up, it begins anew in %u s", shown,
            wait_s);
    return err_because(reason, error, "%s%s%s answered %d%s%s%s", plain ? plain : "", plain ? " (" : "",
        shown, head->status, *message ? ": " : "", message, plain ? ")" : "");
}

bool hf_is_token_refusal(const struct http_head *head) {
    char code[64];
    return head->status == 401 && !http_head_get(head, "X-Error-Code", code, sizeof code);
}
