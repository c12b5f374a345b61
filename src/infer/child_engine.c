/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/child_engine.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "outside/http.h"

#define POLL_PART    32   /* it is asked again after this part of the time that it has taken so far … */
#define POLL_MS      10   /* … but not sooner … */
#define POLL_MOST_MS 250  /* … nor later */
#define ASK_MS       5000 /* it says so at once, or it hangs */
#define PATIENCE_MS  2000 /* between the signals that end it */

struct engine_instance {
    struct engine_events events;
    struct service *service;
    struct http_loop *loop;
    char name[64];
    const struct child_words *reader;
    struct engine_endpoint endpoint;
    char *health;

    struct lock lock; /* QUEUE: the next six */
    bool ended;       /* the child */
    int code;         /* that it ended with */
    bool polling;     /* a question, its delay or its task is the loop's */
    bool is_ready, asked_to_end;
    void *words; /* reader->size bytes */

    struct http_task begin; /* loop thread, all of these */
    struct http_delay delay;
    struct http_request request;
    uint64_t started_ms;
};

static void on_line(void *context, const char *line) {
    struct engine_instance *child = context;
    lock_take(&child->lock);
    child->reader->note(child->words, line);
    bool starting = !child->is_ready;
    lock_drop(&child->lock);
    trace(engine, "%s: %s", child->name, line);
    if (starting)
        child->events.moved(child->events.context);
}

/* ---- its end: told when the child has ended and the loop has nothing of ours any more */

static void tell_end(struct engine_instance *child) {
    struct reason reason = {""};
    int error = 0;
    lock_take(&child->lock);
    if (!child->asked_to_end)
        error = child->reader->judge(child->words, child->name, child->code, &reason);
    lock_drop(&child->lock);
    child->events.ended(child->events.context, error, reason.text);
}

static void on_end(void *context, int code) {
    struct engine_instance *child = context;
    lock_take(&child->lock);
    child->ended = true;
    child->code = code;
    bool last = !child->polling;
    lock_drop(&child->lock);
    if (last)
        tell_end(child);
}

/* The loop is done with us; true: so is the child. */
static bool leave_loop(struct engine_instance *child) {
    LOCK_SCOPE(&child->lock);
    child->polling = false;
    return child->ended;
}

/* ---- does it answer? (loop thread) */

static void ask(struct engine_instance *child);

static bool is_over(struct engine_instance *child) {
    LOCK_SCOPE(&child->lock);
    return child->ended;
}

static void ask_again(struct http_delay *delay) {
    ask(list_entry(delay, struct engine_instance, delay));
}

/* So that it is found to be ready soon, in terms of how long that took. */
static uint64_t pause_ms(const struct engine_instance *child) {
    uint64_t part = (clock_ms() - child->started_ms) / POLL_PART;
    return part < POLL_MS ? POLL_MS : part > POLL_MOST_MS ? POLL_MOST_MS : part;
}

static void on_answer(struct http_request *request, int result) {
    struct engine_instance *child = request->context;
    buf_done(&request->body);
    buf_done(&request->fields);
    free(request->last_url);
    bool ready = result == 0 && request->status == 200;
    if (!ready && !is_over(child) && result != -ERR_CANCELLED) {
        http_delay_set(child->loop, &child->delay, pause_ms(child));
        return;
    }
    if (ready) {
        lock_take(&child->lock);
        child->is_ready = true;
        memset(child->words, 0, child->reader->size); /* what was an error did not keep it from starting */
        lock_drop(&child->lock);
        child->events.ready(child->events.context, &child->endpoint);
    }
    if (leave_loop(child))
        tell_end(child);
}

static void ask(struct engine_instance *child) {
    if (is_over(child)) {
        (void)leave_loop(child);
        tell_end(child);
        return;
    }
    child->request = (struct http_request){.url = child->health,
        .unix_socket = *child->endpoint.unix_socket ? child->endpoint.unix_socket : NULL,
        .deadline_ms = ASK_MS,
        .context = child,
        .on_done = on_answer};
    http_start(child->loop, &child->request);
}

static void begin(struct http_task *task) {
    ask(list_entry(task, struct engine_instance, begin));
}

/* ---- its life */

int child_engine_start(const struct engine_start *start, const struct child_start *settings,
    struct engine_instance **ret_instance, struct reason *reason) {
    struct engine_instance *child = mem_new(sizeof *child);
    struct service_description description = settings->description;
    lock_init(&child->lock, LOCK_QUEUE);
    child->events = start->events;
    child->loop = start->loop;
    (void)snprintf(child->name, sizeof child->name, "%s", settings->name);
    child->reader = settings->words;
    child->endpoint = settings->endpoint;
    child->health = mem_text(settings->health);
    child->words = mem_new(settings->words->size);
    child->begin.run = begin;
    child->delay.run = ask_again;
    child->started_ms = clock_ms();
    child->polling = true;
    description.on_line = on_line;
    description.on_end = on_end;
    description.context = child;
    int error = service_start(&description, &child->service, reason);
    if (error < 0) {
        child_engine_free(child);
        return error;
    }
    http_post(child->loop, &child->begin);
    *ret_instance = child;
    return 0;
}

void child_engine_stop(struct engine_instance *child) {
    lock_take(&child->lock);
    child->asked_to_end = true;
    lock_drop(&child->lock);
    service_stop(child->service, PATIENCE_MS);
}

void child_engine_free(struct engine_instance *child) {
    if (child->service)
        service_free(child->service);
    lock_done(&child->lock);
    free(child->words);
    free(child->health);
    free(child);
}

int child_engine_process(struct engine_instance *child) {
    return (int)service_pid(child->service);
}

const char *child_engine_name(const struct engine_instance *child) {
    return child->name;
}
