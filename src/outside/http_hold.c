/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transfers that wait for a rate: nothing is read of them, so that the server's window closes, until what
 * their buckets owe is paid. They go on in order of rank, so that nobody waits for one of a later rank at the
 * same bucket; within a rank each has its turn.
 */

#include <curl/curl.h>

#include "outside/http_inside.h"

static bool must_wait(const struct transfer *transfer) {
    const struct http_request *request = transfer->request;
    for (size_t i = 0; i < HTTP_RATES; i++)
        if (request->rates[i] &&
            (rate_is_empty(request->rates[i]) || rate_has_waiting(request->rates[i], request->rank)))
            return true;
    return false;
}

static void set_held(struct transfer *transfer, bool held) {
    const struct http_request *request = transfer->request;
    if (transfer->held == held)
        return;
    transfer->held = held;
    for (size_t i = 0; i < HTTP_RATES; i++)
        if (request->rates[i])
            rate_count(request->rates[i], request->rank, held);
    transfer->loop->held_count += held ? 1 : -1u;
}

bool transfer_hold(struct transfer *transfer) {
    if (!must_wait(transfer))
        return false;
    set_held(transfer, true);
    return true;
}

void transfer_take(struct transfer *transfer, size_t bytes) {
    for (size_t i = 0; i < HTTP_RATES; i++)
        if (transfer->request->rates[i])
            rate_take(transfer->request->rates[i], bytes);
}

void transfer_unhold(struct transfer *transfer) {
    set_held(transfer, false);
}

/* Looked for anew each time: what one does with its bytes may end others. */
static struct transfer *find_ready(struct http_loop *loop, unsigned rank) {
    list_each (link, &loop->active) {
        struct transfer *transfer = list_entry(link, struct transfer, link);
        if (transfer->held && transfer->request->rank == rank && !must_wait(transfer))
            return transfer;
    }
    return NULL;
}

static void go_on(struct transfer *transfer) {
    struct http_loop *loop = transfer->loop;
    set_held(transfer, false);
    list_remove(&transfer->link); /* the others of its rank before it again */
    list_append(&loop->active, &transfer->link);
    /* Gives what curl has kept to transfer_bytes(), which may hold it anew, or end it. */
    if (curl_easy_pause(transfer->handle->easy, CURLPAUSE_CONT) != CURLE_OK)
        transfer_fail(transfer, -ERR_SHORT_BODY, "it can't be taken up again");
}

void rates_look(struct http_loop *loop) {
    if (!loop->held_count)
        return;
    list_each (link, &loop->active) {
        struct transfer *transfer = list_entry(link, struct transfer, link);
        if (transfer->held)
            transfer->moved_ms = loop->now_ms; /* it is we who don't read */
    }
    for (unsigned rank = 0; rank < HTTP_RANKS; rank++)
        for (struct transfer *ready; (ready = find_ready(loop, rank));)
            go_on(ready);
}
