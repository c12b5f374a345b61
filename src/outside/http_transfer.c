/* SPDX-License-Identifier: Apache-2.0 */
#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "outside/http_inside.h"

#define URL_SHOWN 240 /* bytes of a URL in a reason */

/* ---- how it ends */

static void end(struct transfer *transfer, int result) {
    transfer->ended = true;
    transfer->result = result;
    list_remove(&transfer->link);
    list_append(&transfer->loop->ending, &transfer->link);
}

void transfer_fail(struct transfer *transfer, int error, const char *words) {
    char shown[URL_SHOWN];
    if (transfer->ended)
        return;
    if (words) {
        http_url_for_people(transfer->url ? transfer->url : transfer->request->url, shown, sizeof shown);
        (void)err_because(&transfer->request->reason, error, "%s: %s", shown, words);
    }
    end(transfer, error);
}

static void leave_curl(struct transfer *transfer) {
    if (!transfer->in_curl)
        return;
    transfer_unhold(transfer);
    (void)curl_multi_remove_handle(transfer->loop->multi,
        transfer->handle->easy); /* ours, and not inside a callback */
    transfer->in_curl = false;
}

void transfer_report(struct transfer *transfer) {
    struct http_request *request = transfer->request;
    int result = transfer->result;
    leave_curl(transfer);
    list_remove(&transfer->link);
    if (transfer->handle)
        handle_put(transfer->loop, transfer->handle);
    for (struct curl_slist *line = transfer->headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data));
    curl_slist_free_all(transfer->headers);
    trace(http, "%s %s: %d, %" PRIu64 " bytes", err_name(result),
        transfer->hops ? "after redirects" : "at once", request->status, request->body_bytes);
    free(transfer->url);
    free(transfer->next_url);
    free(transfer);
    request->transfer = NULL;
    request->on_done(request, result);
}

/* ---- how it begins */

bool transfer_may_begin(const struct transfer *transfer) {
    unsigned same = 0, most = transfer->loop->connections_per_host;
    if (most == 0)
        return true;
    if (most > 1 && transfer->request->rank == HTTP_RANKS - 1)
        most--; /* else a reader would wait for a range of a pull to end */
    list_each (link, &transfer->loop->active)
        if (http_same_origin(list_entry(link, struct transfer, link)->url, transfer->url) && ++same >= most)
            return false;
    return true;
}

static void trace_hop(const struct transfer *transfer) {
    char shown[URL_SHOWN], range[64] = "";
    const struct http_request *request = transfer->request;
    http_url_for_people(transfer->url, shown, sizeof shown);
    if (request->has_range)
        (void)snprintf(range, sizeof range, " %" PRIu64 "-%" PRIu64, request->first,
            request->last); /* fits */
    trace_write(TRACE_http, "%s %s%s%s", request->post ? "POST" : "GET", shown, range,
        request->authorization && transfer->with_secret ? " with token" : "");
}

void transfer_begin(struct transfer *transfer) {
    struct http_loop *loop = transfer->loop;
    transfer->status = 0;
    transfer->judged = transfer->refused_address = false;
    transfer->head_bytes = transfer->dropped_bytes = 0;
    transfer->begun_ms = loop->now_ms;
    transfer->moved_ms = 0;
    buf_clear(&transfer->request->fields);
    if (!transfer->handle)
        transfer->handle = handle_get(loop);
    handle_prepare(transfer->handle, transfer);
    if (trace_on(http))
        trace_hop(transfer);
    if (curl_multi_add_handle(loop->multi, transfer->handle->easy) != CURLM_OK) {
        transfer_fail(transfer, -ENOMEM, "libcurl does not take the request");
        return;
    }
    transfer->in_curl = true;
    list_remove(&transfer->link);
    list_append(&loop->active, &transfer->link);
}

static int target_error(enum http_target target, const char **ret_words) {
    static const struct {
        int error;
        const char *words;
    } rows[] = {
        [HTTP_TARGET_OK] = {0,             NULL                                       },
        [HTTP_TARGET_MALFORMED] = {-ERR_REDIRECT, "not a URL"                                },
        [HTTP_TARGET_SCHEME] = {-ERR_REDIRECT, "only http and https are spoken"           },
        [HTTP_TARGET_DOWNGRADE] = {-ERR_REDIRECT, "it leads from https to http"              },
        [HTTP_TARGET_PLAIN] = {-ERR_INSECURE, "plain http to a host that is not loopback"},
    };
    *ret_words = rows[target].words;
    return rows[target].error;
}

/* Its url is set: begins the hop, or lets it wait for its turn. */
static void begin_or_wait(struct transfer *transfer) {
    struct http_loop *loop = transfer->loop;
    /* A proxy resolves names, so only what is written out can be judged. */
    if (transfer->hops > 0 && loop->proxied && !transfer->first_inside &&
        http_is_inside_host(transfer->url)) {
        transfer_fail(transfer, -ERR_REDIRECT, "a redirect to an address of the inside");
        return;
    }
    list_remove(&transfer->link);
    list_append(&loop->waiting, &transfer->link);
    if (transfer_may_begin(transfer))
        transfer_begin(transfer);
}

void transfer_adopt(struct http_loop *loop, struct http_request *request, int refusal) {
    const char *words = NULL;
    struct transfer *transfer = mem_new(sizeof *transfer);
    transfer->loop = loop;
    transfer->request = request;
    transfer->start_ms = loop->now_ms;
    transfer->with_secret = true;
    request->transfer = transfer;
    list_append(&loop->waiting, &transfer->link);
    if (refusal == 0)
        refusal = target_error(http_judge_target(NULL, request->url, loop->allow_http), &words);
    if (refusal < 0) { /* what would be a bad redirect is a bad request here */
        transfer_fail(transfer, refusal == -ERR_REDIRECT ? -ERR_BAD_VALUE : refusal, words);
        return;
    }
    transfer->url = mem_text(request->url);
    begin_or_wait(transfer);
}

/* ---- addresses */

void transfer_connecting(struct transfer *transfer) {
    transfer->moved_ms = transfer->loop->now_ms;
}

bool transfer_address_allowed(struct transfer *transfer, bool is_inside) {
    if (transfer->hops == 0 || transfer->first_inside || !is_inside)
        return true;
    transfer->refused_address = true;
    return false;
}

/* ---- heads */

static bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* The last answer's head: what can be refused before its body comes. */
static void judge_last(struct transfer *transfer, const struct http_head *head) {
    struct http_request *request = transfer->request;
    char value[64];
    if (head->status / 100 == 2 && http_head_get(head, "Content-Encoding", value, sizeof value) &&
        strcasecmp(value, "identity") != 0 && *value) {
        transfer_fail(transfer, -ERR_ENCODED, "compressed, though identity was asked for");
        return;
    }
    if (!request->on_body && http_head_get(head, "Content-Length", value, sizeof value) &&
        strtoull(value, NULL, 10) > request->body.limit)
        transfer_fail(transfer, -ERR_TOO_LARGE, "larger than such an answer may be");
}

static void judge(struct transfer *transfer) {
    struct http_request *request = transfer->request;
    struct http_head head = {.status = transfer->status,
        .url = transfer->url,
        .first_url = request->url,
        .is_last = true,
        .fields = &request->fields};
    const char *words;
    char location[16 << 10];
    transfer->judged = true;
    request->status = transfer->status;
    free(request->last_url);
    request->last_url = mem_text(transfer->url);
    trace(http, "%d", transfer->status);
    if (request->redirects > 0 && is_redirect(head.status) &&
        http_head_get(&head, "Location", location, sizeof location)) {
        transfer->next_url = http_resolve(transfer->url, location);
        head.is_last = false;
        head.location = transfer->next_url ? transfer->next_url : location;
    }
    int result = request->on_head ? request->on_head(request, &head) : 0;
    if (result < 0) {
        transfer_fail(transfer, result, NULL);
    } else if (head.is_last) {
        judge_last(transfer, &head);
    } else if (!transfer->next_url) {
        transfer_fail(transfer, -ERR_REDIRECT, "it redirects to what is not a URL");
    } else if (transfer->hops >= request->redirects) {
        transfer_fail(transfer, -ERR_REDIRECT, "too many redirects");
    } else {
        result =
            target_error(http_judge_target(transfer->url, transfer->next_url, transfer->loop->allow_http),
                &words);
        if (result < 0)
            transfer_fail(transfer, result, words);
    }
}

bool transfer_line(struct transfer *transfer, const char *line, size_t len) {
    struct buf *fields = &transfer->request->fields;
    if (transfer->ended)
        return false;
    transfer->moved_ms = transfer->loop->now_ms;
    if (transfer->judged) /* trailers */
        return true;
    transfer->head_bytes += len;
    if (transfer->head_bytes > HTTP_HEAD_LIMIT) {
        transfer_fail(transfer, -ERR_ANSWER, "its head is larger than 64 KiB");
    } else if (len >= 5 && !strncasecmp(line, "HTTP/", 5)) {
        buf_clear(fields);
        if (!http_parse_status(line, len, &transfer->status))
            transfer_fail(transfer, -ERR_ANSWER, "its status line is malformed");
    } else if (*line != '\r' && *line != '\n') {
        (void)buf_add(fields, line, len); /* no limit: can't fail */
    } else if (transfer->status >= 200) { /* before it stood a 100 or the like: the real head follows */
        judge(transfer);
    }
    return !transfer->ended;
}

enum taking transfer_bytes(struct transfer *transfer, const void *data, size_t len) {
    struct http_request *request = transfer->request;
    if (transfer->ended)
        return ABORTED;
    transfer->moved_ms = transfer->loop->now_ms;
    if (transfer->next_url) {
        transfer->dropped_bytes += len;
        return transfer->dropped_bytes <= HTTP_REDIRECT_BODY_LIMIT ? TAKEN : ABORTED;
    }
    if (transfer_hold(transfer))
        return LATER;
    transfer_take(transfer, len);
    request->body_bytes += len;
    if (request->on_body) {
        int result = request->on_body(request, data, len);
        if (result < 0)
            transfer_fail(transfer, result, NULL);
    } else if (buf_add(&request->body, data, len) < 0) {
        transfer_fail(transfer, -ERR_TOO_LARGE, "larger than such an answer may be");
    }
    return transfer->ended ? ABORTED : TAKEN;
}

/* ---- between hops */

static void next_hop(struct transfer *transfer) {
    if (!http_same_origin(transfer->request->url, transfer->next_url))
        transfer->with_secret = false; /* for good: also when a later hop leads back */
    free(transfer->url);
    transfer->url = transfer->next_url;
    transfer->next_url = NULL;
    transfer->hops++;
    begin_or_wait(transfer);
}

static void hop_failed(struct transfer *transfer, int code) {
    const char *words = transfer->handle->error[0] ? transfer->handle->error : curl_easy_strerror(code);
    if (transfer->refused_address)
        transfer_fail(transfer, -ERR_REDIRECT, "a redirect to an address of the inside");
    else
        transfer_fail(transfer, handle_error(code, transfer->judged), words);
}

void transfer_hop_done(struct transfer *transfer, int code) {
    if (transfer->ended)
        return;
    leave_curl(transfer);
    if (transfer->next_url) /* whatever became of the redirect's text */
        next_hop(transfer);
    else if (code != CURLE_OK)
        hop_failed(transfer, code);
    else if (!transfer->judged)
        transfer_fail(transfer, -ERR_ANSWER, "an answer without a head");
    else
        end(transfer, 0);
}

void transfer_look(struct transfer *transfer) {
    const struct http_request *request = transfer->request;
    uint64_t now = transfer->loop->now_ms;
    uint64_t connect_ms = request->connect_ms ? request->connect_ms : HTTP_CONNECT_MS;
    if (request->deadline_ms && now - transfer->start_ms >= request->deadline_ms)
        transfer_fail(transfer, -ERR_DEADLINE, "it took longer than its deadline");
    else if (!transfer->in_curl)
        return;
    else if (transfer->moved_ms && request->stall_ms && now - transfer->moved_ms >= request->stall_ms)
        transfer_fail(transfer, -ERR_STALLED, "it stopped sending");
    else if (!transfer->moved_ms &&
             now - transfer->begun_ms >= connect_ms + 500) /* curl gives up first, but for bugs */
        transfer_fail(transfer, -ERR_UNREACHABLE, "no connection in time");
}
