/* SPDX-License-Identifier: Apache-2.0 */
/* Rates that requests keep together: how fast, who goes first, and what ends while it is held back. */

#include <stdatomic.h>

#include "base/clock.h"
#include "http-fixture.h"

/* A question whose bytes are counted for another thread to see. */
static _Atomic uint64_t slow_bytes;
static int count_slow(struct http_request *request, const void *data, size_t len) {
    int result = on_body(request, data, len);
    atomic_fetch_add(&slow_bytes, len);
    return result;
}

static void prepare_rated(struct question *question, const char *path, struct http_rate *rate,
    unsigned rank) {
    prepare(question, &server, path);
    question->request.on_body = on_body;
    question->request.rates[1] = rate;
    question->request.rank = rank;
}

static void two_share_a_rate(void) {
    struct question one, two;
    struct http_rate *rate = http_rate_new();
    http_rate_set(rate, 400000);
    prepare_rated(&one, "/bytes/200000", rate, 2);
    prepare_rated(&two, "/bytes/200000", rate, 2);
    uint64_t begin_ms = clock_ms();
    http_start(loop, &one.request);
    http_start(loop, &two.request);
    CHECK(waited(&one) && waited(&two));
    /* All but what came in the first moment, and the last piece, which is let through whole. */
    CHECK(clock_ms() - begin_ms >= 800);
    CHECK_OK(one.result);
    CHECK_OK(two.result);
    CHECK_NUMBER(one.bytes + two.bytes, 400000);
    CHECK_NUMBER(one.bytes_wrong + two.bytes_wrong, 0);
    done(&one);
    done(&two);
    http_rate_unref(rate);
}

static void await_slow_bytes(uint64_t bytes) {
    uint64_t until_ms = clock_ms() + PATIENCE_S * 1000;
    while (atomic_load(&slow_bytes) < bytes && CHECK(clock_ms() < until_ms))
        sched_yield();
}

/* How much the pull had when the reader's first and last byte came. */
static uint64_t at_first, at_last;
static int note_slow(struct http_request *request, const void *data, size_t len) {
    struct question *question = (struct question *)request;
    if (!question->bytes)
        at_first = atomic_load(&slow_bytes);
    at_last = atomic_load(&slow_bytes);
    return on_body(request, data, len);
}

static void the_first_rank_goes_first(void) {
    struct question pull, reader;
    struct http_rate *rate = http_rate_new();
    atomic_store(&slow_bytes, 0);
    http_rate_set(rate, 200000);
    prepare_rated(&pull, "/bytes/9000000", rate, 2);
    pull.request.on_body = count_slow;
    prepare_rated(&reader, "/bytes/100000", rate, 0);
    reader.request.on_body = note_slow;
    http_start(loop, &pull.request);
    await_slow_bytes(50000);
    CHECK_OK(ask(&reader));
    /* Where both had bytes to come, all of the rate was the reader's: but for moments in which its socket was
     * empty. Half of it each would be 100000. */
    CHECK(at_last - at_first <= 50000);
    http_rate_set(rate, 0); /* and without a limit the rest comes at once */
    CHECK(waited(&pull));
    CHECK_OK(pull.result);
    CHECK_NUMBER(pull.bytes, 9000000);
    CHECK_NUMBER(pull.bytes_wrong, 0);
    CHECK_NUMBER(reader.bytes_wrong, 0);
    done(&reader);
    done(&pull);
    http_rate_unref(rate);
}

static struct question *to_cancel;
static void cancel_it(struct http_task *task) {
    (void)task;
    http_cancel(loop, &to_cancel->request);
}

static void what_is_held_can_be_cancelled(void) {
    struct question held;
    struct http_task task = {.run = cancel_it};
    struct http_rate *rate = http_rate_new();
    atomic_store(&slow_bytes, 0);
    http_rate_set(rate, 1); /* after the first piece it owes for hours */
    prepare_rated(&held, "/bytes/9000000", rate, 1);
    held.request.on_body = count_slow;
    held.request.stall_ms = 100; /* to be held back is no stall */
    to_cancel = &held;
    http_start(loop, &held.request);
    await_slow_bytes(1);
    uint64_t begin_ms = clock_ms();
    while (clock_ms() - begin_ms < 400) /* four times the stall's time: it did not end by itself */
        CHECK(sem_trywait(&held.done) != 0);
    http_post(loop, &task);
    CHECK(waited(&held));
    CHECK_ERROR(held.result, -ERR_CANCELLED);
    CHECK(held.bytes < 100000);
    done(&held);
    http_rate_unref(rate);
}

int main(void) {
    http_fixture_begin();
    two_share_a_rate();
    the_first_rank_goes_first();
    what_is_held_can_be_cancelled();
    return http_fixture_end();
}
