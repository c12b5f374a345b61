/* SPDX-License-Identifier: Apache-2.0 */
/* answers of the network loop: good ones, bad ones, and where redirects lead a token */
#include "http-fixture.h"

/* ---- answers */

static void an_answer_is_collected(void) {
    struct question question;
    prepare(&question, &server, "/echo");
    question.request.accept = "application/json";
    CHECK_OK(ask(&question));
    CHECK_NUMBER(question.request.status, 200);
    const char *head = buf_text(&question.request.body);
    CHECK(strstr(head, "GET /echo HTTP/1.1\r\n") == head);
    CHECK(strstr(head, "\r\nAccept-Encoding: identity\r\n") != NULL);
    CHECK(strstr(head, "\r\nAccept: application/json\r\n") != NULL);
    CHECK(strstr(head, "\r\nUser-Agent: weightfs-test\r\n") != NULL);
    CHECK(!strstr(head, "Authorization") && !strstr(head, "Range") && !strstr(head, "Cookie"));
    CHECK_TEXT(question.request.last_url, question.url);
    CHECK_NUMBER(question.request.body_bytes, question.request.body.len);
    done(&question);
}

static void bytes_come_in_order(void) {
    struct question question;
    prepare(&question, &server, "/bytes/10000000");
    question.request.on_body = on_body;
    CHECK_OK(ask(&question));
    CHECK(question.bytes == 10000000 && question.bytes_wrong == 0 && question.heads == 1);
    done(&question);

    prepare(&question, &server, "/bytes/10000000");
    question.request.on_body = on_body;
    question.request.has_range = true;
    question.request.first = 12345;
    question.request.last = 2345678;
    CHECK_OK(ask(&question));
    CHECK_NUMBER(question.request.status, 206);
    CHECK(question.bytes == 2345678 - 12345 + 1 && question.bytes_wrong == 0);
    done(&question);
}

static void any_status_is_an_answer(void) {
    struct question question;
    prepare(&question, &server, "/status/503");
    CHECK_OK(ask(&question));
    CHECK_NUMBER(question.request.status, 503);
    CHECK_TEXT(buf_text(&question.request.body), "no");
    struct http_head head = {.status = 503, .is_last = true, .fields = &question.request.fields};
    unsigned seconds = 0;
    CHECK(http_head_retry_after(&head, &seconds) && seconds == 7);
    done(&question);
}

static void interim_heads_and_trailers_are_passed_over(void) {
    struct question question;
    char value[8];
    prepare(&question, &server, "/interim");
    CHECK_OK(ask(&question));
    struct http_head head = {.fields = &question.request.fields};
    CHECK(question.heads == 1 && question.request.status == 200);
    CHECK(http_head_get(&head, "X-Late", value, sizeof value) &&
          !http_head_get(&head, "X-Early", value, sizeof value));
    done(&question);
    prepare(&question, &server, "/chunked");
    CHECK_OK(ask(&question));
    CHECK_TEXT(buf_text(&question.request.body), "12345");
    CHECK(!http_head_get(&head, "X-Trailer", value, sizeof value));
    done(&question);
    prepare(&question, &server, "/closed");
    CHECK_OK(ask(&question));
    CHECK_TEXT(buf_text(&question.request.body), "12345");
    done(&question);
}

/* ---- bad manners: path, error; the mount must tell them apart */

static void bad_manners_have_names(void) {
    static const struct {
        const char *path;
        int error;
    } rows[] = {
        {"/short",                           -ERR_SHORT_BODY },
        {"/cut",                             -ERR_SHORT_BODY },
        {"/gzip",                            -ERR_ENCODED    },
        {"/bighead",                         -ERR_ANSWER     },
        {"/nohead",                          -ERR_ANSWER     },
        {"/hangup",                          -ERR_UNREACHABLE},
        {"/circle",                          -ERR_REDIRECT   },
        {"/hops/6",                          -ERR_REDIRECT   },
        {"/bytes/70000",                     -ERR_TOO_LARGE  }, /* told by its length */
        {"/trickle",                         -ERR_TOO_LARGE  },
        {"/to?file:///etc/passwd",           -ERR_REDIRECT   },
        {"/to?ftp://127.0.0.1/",             -ERR_REDIRECT   },
        {"/to?https://user:pass@127.0.0.1/", -ERR_REDIRECT   },
        {"/to?http://192.0.2.1/",            -ERR_INSECURE   },
        {"/to?http://127.0.0.1:1/",          -ERR_UNREACHABLE},
        {"/to?https://127.0.0.1:1/",         -ERR_UNREACHABLE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct question question;
        prepare(&question, &server, rows[i].path);
        if (!CHECK(ask(&question) == rows[i].error))
            fprintf(stderr, "    %s gave %s: %s\n", rows[i].path, err_name(question.result),
                question.request.reason.text);
        CHECK(question.request.reason.text[0]);
        CHECK(!strchr(question.request.reason.text, '?'));
        done(&question);
    }
}

static void what_is_no_url_is_refused(void) {
    static const char *const urls[] = {"", "x", "file:///etc/passwd", "http://user:pass@127.0.0.1/",
        "gopher://127.0.0.1/"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct question question;
        prepare(&question, &server, "/");
        snprintf(question.url, sizeof question.url, "%s", urls[i]);
        CHECK_ERROR(ask(&question), -ERR_BAD_VALUE);
        done(&question);
    }
    struct question question;
    prepare(&question, &server, "/");
    snprintf(question.url, sizeof question.url, "http://192.0.2.1/");
    CHECK_ERROR(ask(&question), -ERR_INSECURE);
    CHECK(question.heads == 0);
    done(&question);
}

static void callbacks_may_refuse(void) {
    struct question question;
    prepare(&question, &server, "/bytes/10");
    question.head_error = -ERR_GATED;
    CHECK_ERROR(ask(&question), -ERR_GATED);
    done(&question);
    prepare(&question, &server, "/bytes/1000000");
    question.request.on_body = on_body;
    question.body_error = -ENOSPC;
    CHECK_ERROR(ask(&question), -ENOSPC);
    CHECK(question.bytes > 0 && question.bytes < 1000000);
    done(&question);
}

/* ---- redirects and secrets */

static void redirects_are_shown_and_followed(void) {
    struct question question;
    prepare(&question, &server, "/hops/5");
    CHECK_OK(ask(&question));
    CHECK(question.heads == 6 && question.redirects_seen == 5);
    CHECK_TEXT(question.hop_field, "here");
    CHECK(strstr(buf_text(&question.request.body), "GET /echo ") != NULL);
    CHECK(strstr(question.request.last_url, "/echo") != NULL);
    done(&question);

    prepare(&question, &server, "/hops/1");
    question.request.redirects = 0; /* then a redirect is an answer */
    CHECK_OK(ask(&question));
    CHECK_NUMBER(question.request.status, 302);
    done(&question);

    prepare(&question, &server, "/nowhere");
    CHECK_OK(ask(&question));
    CHECK(question.request.status == 302 && question.redirects_seen == 0);
    done(&question);

    prepare(&question, &server, "/drown?/echo"); /* 16 MB of text about it are not read */
    CHECK_OK(ask(&question));
    CHECK(question.request.status == 200 && question.request.body_bytes < 10000);
    done(&question);
}

static bool token_arrives(const char *path) {
    struct question question;
    prepare(&question, &server, path);
    question.request.authorization = "Bearer canary";
    question.request.has_range = true;
    question.request.last = 99;
    CHECK_OK(ask(&question));
    const char *head = buf_text(&question.request.body);
    bool found = strstr(head, "canary") != NULL;
    CHECK(found == (strstr(head, "\r\nAuthorization: Bearer canary\r\n") != NULL));
    CHECK(strstr(head, "\r\nRange: bytes=0-99\r\n") != NULL);
    done(&question);
    return found;
}

static void the_token_stays_at_the_first_origin(void) {
    char path[200];
    CHECK(token_arrives("/echo"));
    CHECK(token_arrives("/hops/2"));
    snprintf(path, sizeof path, "/to?http://127.0.0.1:%d/echo", server.port);
    CHECK(token_arrives(path));
    snprintf(path, sizeof path, "/to?http://127.0.0.1:%d/echo", other.port);
    CHECK(!token_arrives(path));
    snprintf(path, sizeof path, "/to?http://localhost:%d/echo", server.port);
    CHECK(!token_arrives(path));
    /* gone is gone, also when it leads back */
    snprintf(path, sizeof path, "/to?http://127.0.0.1:%d/to?http://127.0.0.1:%d/echo", other.port,
        server.port);
    CHECK(!token_arrives(path));
    /* and the next request on the kept connection and handle has none of the last one's */
    struct question question;
    prepare(&question, &server, "/echo");
    CHECK_OK(ask(&question));
    CHECK(!strstr(buf_text(&question.request.body), "Authorization") &&
          !strstr(buf_text(&question.request.body), "Range"));
    done(&question);
}

int main(void) {
    http_fixture_begin();
    an_answer_is_collected();
    bytes_come_in_order();
    any_status_is_an_answer();
    interim_heads_and_trailers_are_passed_over();
    bad_manners_have_names();
    what_is_no_url_is_refused();
    callbacks_may_refuse();
    redirects_are_shown_and_followed();
    the_token_stays_at_the_first_origin();
    return http_fixture_end();
}
