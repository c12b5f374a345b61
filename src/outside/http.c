/* SPDX-License-Identifier: Apache-2.0 */
#include <curl/curl.h>

#include "base/clock.h"
#include "base/thread.h"
#include "outside/http_inside.h"

#define KEPT_CONNECTIONS 256L
#define LOOK_MS          100          /* how often deadlines are looked at */
#define RATE_MS          5            /* how often those that wait for a rate are looked at */
#define IDLE_MS          (60u * 1000) /* the longest sleep */

/* ---- from any thread */

static void wake(struct http_loop *loop) {
    if (!pthread_equal(pthread_self(), loop->thread))
        (void)curl_multi_wakeup(loop->multi); /* fails only when a wake-up is pending already */
}

void http_start(struct http_loop *loop, struct http_request *request) {
    request->transfer = NULL;
    request->status = 0;
    request->body = (struct buf)BUF_INIT;
    request->body.limit = request->body_limit ? request->body_limit : HTTP_BODY_LIMIT;
    request->fields = (struct buf)BUF_INIT;
    request->last_url = NULL;
    request->reason.text[0] = '\0';
    request->body_bytes = 0;
    lock_take(&loop->lock);
    list_append(&loop->inbox, &request->link);
    lock_drop(&loop->lock);
    wake(loop);
}

void http_post(struct http_loop *loop, struct http_task *task) {
    lock_take(&loop->lock);
    bool is_new = !list_linked(&task->link);
    if (is_new)
        list_append(&loop->tasks, &task->link);
    lock_drop(&loop->lock);
    if (is_new)
        wake(loop);
}

void http_loop_set_offline(struct http_loop *loop, bool offline) {
    atomic_store(&loop->offline, offline);
    wake(loop);
}

bool http_loop_is_offline(const struct http_loop *loop) {
    return atomic_load(&loop->offline);
}

/* ---- on the loop's thread */

/* What the offline gate is for. A redirect can't lead out: from loopback alone http.h's rules let it go on to
 * what is inside, and a POST follows none. */
static bool leaves_machine(const struct http_loop *loop, const struct http_request *request) {
    return !request->unix_socket && !(loop->loopback_passes && http_is_loopback(request->url));
}

static void adopt_inbox(struct http_loop *loop) {
    for (;;) {
        lock_take(&loop->lock);
        struct list *link = list_shift(&loop->inbox);
        bool stopping = loop->stopping;
        lock_drop(&loop->lock);
        if (!link)
            return;
        struct http_request *request = list_entry(link, struct http_request, link);
        bool gated = http_loop_is_offline(loop) && leaves_machine(loop, request);
        transfer_adopt(loop, request, stopping ? -ERR_CANCELLED : gated ? -ERR_OFFLINE : 0);
    }
}

void http_cancel(struct http_loop *loop, struct http_request *request) {
    lock_take(&loop->lock);
    bool is_new = !request->transfer && list_linked(&request->link);
    if (is_new)
        list_remove(&request->link);
    lock_drop(&loop->lock);
    if (is_new) /* the loop has not looked at it yet */
        transfer_adopt(loop, request, -ERR_CANCELLED);
    else if (request->transfer)
        transfer_fail(request->transfer, -ERR_CANCELLED, NULL);
}

void http_delay_set(struct http_loop *loop, struct http_delay *delay, uint64_t delay_ms) {
    if (list_linked(&delay->link))
        list_remove(&delay->link);
    if (delay_ms == UINT64_MAX)
        return;
    delay->at_ms = clock_ms() + delay_ms;
    struct list *before = loop->delays.prev;
    while (before != &loop->delays && list_entry(before, struct http_delay, link)->at_ms > delay->at_ms)
        before = before->prev;
    list_append(before->next, &delay->link); /* before the one that follows */
}

/* Only what was there at first: a task that posts itself again runs in the next turn. */
static void run_tasks(struct http_loop *loop) {
    lock_take(&loop->lock);
    size_t count = 0;
    list_each (link, &loop->tasks)
        count++;
    lock_drop(&loop->lock);
    while (count--) {
        lock_take(&loop->lock);
        struct list *link = list_shift(&loop->tasks);
        lock_drop(&loop->lock);
        struct http_task *task = list_entry(link, struct http_task, link);
        task->run(task);
    }
}

static void run_delays(struct http_loop *loop) {
    while (!list_empty(&loop->delays)) {
        struct http_delay *delay = list_entry(loop->delays.next, struct http_delay, link);
        if (delay->at_ms > loop->now_ms)
            return;
        list_remove(&delay->link);
        delay->run(delay);
    }
}

/* Offline, what stays on this machine goes on. */
static void fail_all(const struct http_loop *loop, struct list *transfers, int error) {
    list_each (link, transfers) {
        struct transfer *transfer = list_entry(link, struct transfer, link);
        if (error != -ERR_OFFLINE || leaves_machine(loop, transfer->request))
            transfer_fail(transfer, error, NULL);
    }
}

static void look(struct http_loop *loop) {
    if (loop->now_ms - loop->looked_ms < LOOK_MS)
        return;
    loop->looked_ms = loop->now_ms;
    list_each (link, &loop->active)
        transfer_look(list_entry(link, struct transfer, link));
    list_each (link, &loop->waiting)
        transfer_look(list_entry(link, struct transfer, link));
}

static void run_curl(struct http_loop *loop) {
    int running, left;
    CURLMsg *message;
    (void)curl_multi_perform(loop->multi, &running); /* what fails is told in the messages */
    while ((message = curl_multi_info_read(loop->multi, &left))) {
        void *transfer = NULL;
        int code = message->data.result;
        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) == CURLE_OK)
            transfer_hop_done(transfer, code);
    }
}

static void report_ended(struct http_loop *loop) {
    while (!list_empty(&loop->ending))
        transfer_report(list_entry(loop->ending.next, struct transfer, link));
    list_each (link, &loop->waiting) {
        struct transfer *transfer = list_entry(link, struct transfer, link);
        if (transfer_may_begin(transfer))
            transfer_begin(transfer);
    }
}

static int sleep_ms(struct http_loop *loop) {
    uint64_t most = list_empty(&loop->active) && list_empty(&loop->waiting) ? IDLE_MS : LOOK_MS,
             now = clock_ms();
    if (loop->held_count)
        most = RATE_MS;
    if (!list_empty(&loop->ending))
        return 0;
    lock_take(&loop->lock);
    bool busy = !list_empty(&loop->inbox) || !list_empty(&loop->tasks) || loop->stopping;
    lock_drop(&loop->lock);
    if (busy)
        return 0;
    if (!list_empty(&loop->delays)) {
        uint64_t at_ms = list_entry(loop->delays.next, struct http_delay, link)->at_ms;
        uint64_t left = at_ms > now ? at_ms - now : 0;
        most = left < most ? left : most;
    }
    return (int)most;
}

/* One turn; false when the loop is to end and nothing is left to be told. */
static bool turn(struct http_loop *loop) {
    loop->now_ms = clock_ms();
    lock_take(&loop->lock);
    bool stopping = loop->stopping;
    lock_drop(&loop->lock);
    int end_with = stopping ? -ERR_CANCELLED : http_loop_is_offline(loop) ? -ERR_OFFLINE : 0;
    if (end_with) {
        fail_all(loop, &loop->active, end_with);
        fail_all(loop, &loop->waiting, end_with);
    }
    adopt_inbox(loop);
    run_tasks(loop);
    if (!stopping)
        run_delays(loop);
    run_curl(loop);
    rates_look(loop);
    look(loop);
    report_ended(loop);
    if (!stopping)
        return true;
    lock_take(&loop->lock);
    bool idle = list_empty(&loop->inbox) && list_empty(&loop->tasks);
    lock_drop(&loop->lock);
    return !idle || !list_empty(&loop->active) || !list_empty(&loop->waiting) || !list_empty(&loop->ending);
}

static void *run(void *context) {
    struct http_loop *loop = context;
    while (turn(loop))
        (void)curl_multi_poll(loop->multi, NULL, 0, sleep_ms(loop),
            NULL); /* interrupted or not: the next turn looks */
    return NULL;
}

/* ---- its life */

static void init_curl(void) {
    (void)curl_global_init(CURL_GLOBAL_DEFAULT); /* a failure shows at the first handle */
}

static bool any_proxy(const char *proxy) {
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    if (proxy)
        return *proxy != '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (environment(names[i]))
            return true;
    return false;
}

static void loop_free(struct http_loop *loop) {
    struct list *link;
    while ((link = list_shift(&loop->idle)))
        handle_free(list_entry(link, struct http_handle, link));
    (void)curl_multi_cleanup(loop->multi); /* nothing is in it any more */
    lock_done(&loop->lock);
    free(loop->user_agent);
    free(loop->proxy);
    free(loop->ca_file);
    free(loop);
}

int http_loop_start(const struct http_settings *settings, const char *thread_name,
    struct http_loop **ret_loop) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, init_curl); /* cannot fail with a static once */
    struct http_loop *loop = mem_new(sizeof *loop);
    struct list *lists[] = {&loop->active, &loop->waiting, &loop->ending, &loop->delays, &loop->idle,
        &loop->inbox, &loop->tasks};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        list_init(lists[i]);
    lock_init(&loop->lock, LOCK_QUEUE);
    loop->user_agent = mem_text(settings->user_agent);
    loop->proxy = mem_text(settings->proxy);
    loop->ca_file = mem_text(settings->ca_file);
    loop->allow_http = settings->allow_http;
    loop->loopback_passes = settings->loopback_passes;
    loop->connections_per_host = settings->connections_per_host;
    loop->proxied = any_proxy(settings->proxy);
    loop->multi = curl_multi_init();
    if (!loop->multi) {
        loop_free(loop);
        return -ENOMEM;
    }
    (void)curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS); /* only a size */
    int result = thread_start(thread_name, run, loop, &loop->thread);
    if (result < 0) {
        loop_free(loop);
        return result;
    }
    *ret_loop = loop;
    return 0;
}

void http_loop_end(struct http_loop *loop) {
    lock_take(&loop->lock);
    bool ended = loop->stopping;
    loop->stopping = true;
    lock_drop(&loop->lock);
    if (ended)
        return;
    wake(loop);
    (void)pthread_join(loop->thread, NULL);
}

void http_loop_stop(struct http_loop *loop) {
    http_loop_end(loop);
    loop_free(loop);
}
