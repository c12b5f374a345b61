/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TESTS_UNIT_HTTP_FIXTURE_H
#define WEIGHTFS_TESTS_UNIT_HTTP_FIXTURE_H

/* What the tests of the network loop share: a loop, two servers, and questions that are waited for. */

#include <semaphore.h>
#include <time.h>

#include "outside/http.h"
#include "../lib/manner_server.h"
#include "check.h"

#define PATIENCE_S 20 /* a request that has not ended by then never will */

static struct manner_server server, other;
static struct http_loop *loop;

/* A request that is waited for, with what it was told. */
struct question {
    struct http_request request; /* first: a request is its question */
    char url[2048];
    sem_t done;
    int result;
    unsigned heads, redirects_seen, bytes_wrong;
    uint64_t bytes;
    int head_error, body_error;
    char hop_field[64];
    void (*during)(struct question *); /* called on the first bytes */
    struct question *victim;
    bool cancelled_itself;
};

static inline int on_head(struct http_request *request, const struct http_head *head) {
    struct question *question = (struct question *)request;
    question->heads++;
    question->redirects_seen += !head->is_last;
    CHECK(head->is_last == (head->location == NULL));
    CHECK_TEXT(head->first_url, question->url);
    if (!head->is_last)
        (void)http_head_get(head, "X-Repo-Commit", question->hop_field, sizeof question->hop_field);
    return head->is_last ? question->head_error : 0;
}

static inline int on_body(struct http_request *request, const void *data, size_t len) {
    struct question *question = (struct question *)request;
    const unsigned char *bytes = data;
    CHECK(!question->cancelled_itself);
    for (size_t i = 0; i < len; i++)
        question->bytes_wrong += bytes[i] != (request->first + question->bytes + i) % 251;
    question->bytes += len;
    if (question->during) {
        void (*during)(struct question *) = question->during;
        question->during = NULL;
        during(question);
    }
    return question->body_error;
}

static inline void on_done(struct http_request *request, int result) {
    struct question *question = (struct question *)request;
    question->result = result;
    sem_post(&question->done);
}

static inline void prepare(struct question *question, const struct manner_server *at, const char *path) {
    memset(question, 0, sizeof *question);
    snprintf(question->url, sizeof question->url, "http://127.0.0.1:%d%s", at->port, path);
    sem_init(&question->done, 0, 0);
    question->request = (struct http_request){.url = question->url,
        .redirects = 5,
        .body_limit = 1 << 16,
        .deadline_ms = PATIENCE_S * 1000,
        .on_head = on_head,
        .on_done = on_done};
}

static inline bool waited(struct question *question) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    return sem_timedwait(&question->done, &until) == 0;
}

static inline int ask(struct question *question) {
    http_start(loop, &question->request);
    if (!CHECK(waited(question)))
        abort(); /* its memory is still the loop's */
    return question->result;
}

static inline void done(struct question *question) {
    buf_done(&question->request.body);
    buf_done(&question->request.fields);
    free(question->request.last_url);
    sem_destroy(&question->done);
}

/* A loop and two servers; http_fixture_end() gives main()'s result. */
static inline void http_fixture_begin(void) {
    const struct http_settings settings = {.user_agent = "weightfs-test"};
    manner_server_start(&server, "127.0.0.1");
    manner_server_start(&other, "127.0.0.1");
    CHECK_OK(http_loop_start(&settings, "http", &loop));
}

static inline int http_fixture_end(void) {
    http_loop_stop(loop);
    manner_server_stop(&server);
    manner_server_stop(&other);
    return check_result();
}

#endif
