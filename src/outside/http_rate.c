/* SPDX-License-Identifier: Apache-2.0 */
/* A rate: a bucket that is filled as time goes by, and out of which each piece of a body is taken. A piece is
 * let through whole, so the bucket may owe. Who waits for it is http_hold.c's. */

#include "base/clock.h"
#include "outside/http_inside.h"

#define BURST_MS 100 /* so much may come at once after a silence */

struct http_rate {
    atomic_uint references;
    _Atomic uint64_t bytes_a_second; /* 0: no limit */
    /* Loop only: thousandths of bytes, so that nothing is lost by rounding. */
    int64_t millibytes;
    uint64_t filled_ms;
    unsigned held[HTTP_RANKS]; /* transfers of each rank that wait */
};

struct http_rate *http_rate_new(void) {
    struct http_rate *rate = mem_new(sizeof *rate);
    atomic_init(&rate->references, 1);
    return rate;
}

struct http_rate *http_rate_ref(struct http_rate *rate) {
    if (rate)
        atomic_fetch_add(&rate->references, 1);
    return rate;
}

void http_rate_unref(struct http_rate *rate) {
    if (rate && atomic_fetch_sub(&rate->references, 1) == 1)
        free(rate);
}

void http_rate_set(struct http_rate *rate, uint64_t bytes_a_second) {
    atomic_store(&rate->bytes_a_second, bytes_a_second < HTTP_RATE_MOST ? bytes_a_second : HTTP_RATE_MOST);
}

bool rate_is_empty(struct http_rate *rate) {
    uint64_t now_ms = clock_ms();
    int64_t speed = (int64_t)atomic_load(&rate->bytes_a_second);
    uint64_t span_ms = now_ms - rate->filled_ms;
    if (!speed) {
        rate->millibytes = 0;
        return false;
    }
    if (span_ms > 3600 * 1000)
        span_ms = 3600 * 1000; /* also the first time: a product of bounded numbers */
    rate->filled_ms = now_ms;
    rate->millibytes += speed * (int64_t)span_ms;
    if (rate->millibytes > speed * BURST_MS)
        rate->millibytes = speed * BURST_MS;
    return rate->millibytes <= 0;
}

bool rate_has_waiting(const struct http_rate *rate, unsigned rank) {
    for (unsigned higher = 0; higher < rank; higher++)
        if (rate->held[higher])
            return true;
    return false;
}

void rate_take(struct http_rate *rate, size_t bytes) {
    rate->millibytes -= (int64_t)bytes * 1000;
}

void rate_count(struct http_rate *rate, unsigned rank, bool waits) {
    rate->held[rank] += waits ? 1 : -1u;
}
