/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/ollama.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/lock.h"
#include "infer/failure.h"
#include "model/declared.h"
#include "outside/http.h"
#include "outside/json.h"

#define SLOTS        4    /* questions at once, where nobody says: Ollama queues by itself */
#define KEEP_MORE_S  60   /* beyond our own keep_alive */
#define ASK_MS       5000 /* what needs no loading is quick */
#define GONE_MS      5000 /* how long it may take to be gone from memory … */
#define GONE_POLL_MS 100  /* … and how often that is looked at */
#define BODY_LIMIT   (4u << 20)

/* The steps of its life: each asks one question, and says what its answer means. */
enum step { STEP_LOAD, STEP_LOAD_EMBEDDING, STEP_LOOK, STEP_READY, STEP_UNLOAD, STEP_GONE, STEP_COUNT };

struct engine_instance {
    struct engine_events events;
    struct http_loop *loop;
    struct engine_endpoint endpoint;
    char base[ENGINE_URL_SIZE];

    struct lock lock;        /* QUEUE: the next two */
    bool asked_to_end, over; /* over: `ended` has been told, or is about to be */

    struct http_task begin, end; /* loop thread, from here on */
    struct http_delay delay;
    struct http_request request;
    struct buf body;
    char url[ENGINE_URL_SIZE + 32];
    int64_t keep_s;
    enum step step;
    bool is_asking, is_ending; /* a request is under way; the task `end` has run */
    uint64_t gone_until_ms;
};

static void take_step(struct engine_instance *ollama, enum step step);

/* ---- what is sent */

static void add_request(struct engine_instance *ollama, const char *text_member, int64_t keep_s) {
    (void)buf_text_add(&ollama->body, "{\"model\":"); /* no limit: nothing here can fail */
    (void)buf_json_string(&ollama->body, ollama->endpoint.model);
    (void)buf_format(&ollama->body, ",\"%s\":\"\",\"stream\":false,\"keep_alive\":%" PRId64 "}", text_member,
        keep_s);
}

static void body_load(struct engine_instance *ollama) {
    add_request(ollama, "prompt", ollama->keep_s);
}

static void body_load_embedding(struct engine_instance *ollama) {
    add_request(ollama, "input", ollama->keep_s);
}

static void body_unload(struct engine_instance *ollama) {
    add_request(ollama, "prompt", 0);
}

/* ---- its end */

/* Whoever asked it to end meanwhile is told by the task that he posted. */
static void fail(struct engine_instance *ollama, int error, const char *sentence) {
    lock_take(&ollama->lock);
    bool is_ours = !ollama->asked_to_end;
    ollama->over |= is_ours;
    lock_drop(&ollama->lock);
    if (is_ours)
        ollama->events.ended(ollama->events.context, error, sentence);
}

static void has_gone(struct engine_instance *ollama) {
    lock_take(&ollama->lock);
    ollama->over = true;
    lock_drop(&ollama->lock);
    ollama->events.ended(ollama->events.context, 0, "");
}

/* ---- what the answers mean */

/* Ollama writes an error as a line of its own, even when the status was a good one. */
static int find_error(const struct buf *body, struct reason *reason) {
    const char *at = buf_text(body), *end = at + body->len;
    while (at < end) {
        JSON_CLEANUP struct json *line = NULL;
        size_t len = strcspn(at, "\n");
        if (json_parse(at, len, &line, NULL) == 0 && json_get(line, "error"))
            return failure_of_event(line, reason);
        at += len + 1;
    }
    return 0;
}

static int judge(const struct engine_instance *ollama, const struct http_request *request, int result,
    struct reason *reason) {
    if (result == -ERR_UNREACHABLE)
        return err_because(reason, result, "no Ollama answers at %s: %s", ollama->base,
            err_text(&request->reason, result));
    if (result < 0)
        return err_because(reason, result, "%s", err_text(&request->reason, result));
    if (request->status >= 300)
        return failure_of_status(request->status, buf_text(&request->body), request->body.len, reason);
    return find_error(&request->body, reason);
}

static void loaded(struct engine_instance *ollama, struct http_request *request, int result) {
    struct reason reason = {""};
    int error = judge(ollama, request, result, &reason);
    if (error == -EINVAL && ollama->step == STEP_LOAD) { /* "does not support generate" */
        take_step(ollama, STEP_LOAD_EMBEDDING);
    } else if (error < 0) {
        fail(ollama, error, err_text(&reason, error));
    } else {
        if (ollama->step == STEP_LOAD_EMBEDDING)
            ollama->endpoint.can = ENGINE_EMBED;
        take_step(ollama, STEP_LOOK);
    }
}

/* The entry of our model in what /api/ps answers; NULL. */
static const struct json *find_ours(const struct engine_instance *ollama, const struct json *document) {
    const struct json *models = json_get(document, "models");
    for (size_t i = 0; i < json_count(models); i++) {
        const char *name = json_text(json_get(json_at(models, i), "model"), NULL);
        if (name && strcmp(name, ollama->endpoint.model) == 0)
            return json_at(models, i);
    }
    return NULL;
}

static uint64_t number_of(const struct json *object, const char *member) {
    int64_t number;
    return json_number(json_get(object, member), &number) && number > 0 ? (uint64_t)number : 0;
}

/* How much memory it takes there; it answers, whatever is said of that. */
static void looked(struct engine_instance *ollama, struct http_request *request, int result) {
    JSON_CLEANUP struct json *document = NULL;
    if (result == 0 && request->status == 200 &&
        json_parse(buf_text(&request->body), request->body.len, &document, NULL) == 0) {
        const struct json *ours = find_ours(ollama, document);
        ollama->endpoint.memory_bytes = number_of(ours, "size");
        ollama->endpoint.vram_bytes = number_of(ours, "size_vram");
    }
    ollama->step = STEP_READY;
    ollama->events.ready(ollama->events.context, &ollama->endpoint);
}

static void unloaded(struct engine_instance *ollama, struct http_request *request, int result) {
    ollama->gone_until_ms = clock_ms() + GONE_MS;
    if (result < 0 || request->status >= 300)
        has_gone(ollama); /* there is nobody to tell, or nothing to unload */
    else
        take_step(ollama, STEP_GONE);
}

static void looked_whether_gone(struct engine_instance *ollama, struct http_request *request, int result) {
    JSON_CLEANUP struct json *document = NULL;
    bool known = result == 0 && request->status == 200 &&
                 json_parse(buf_text(&request->body), request->body.len, &document, NULL) == 0;
    if (!known || !find_ours(ollama, document) || clock_ms() >= ollama->gone_until_ms)
        has_gone(ollama);
    else
        http_delay_set(ollama->loop, &ollama->delay, GONE_POLL_MS);
}

/* ---- asking */

static const struct {
    const char *path;
    void (*body)(struct engine_instance *ollama); /* NULL: a GET */
    void (*answered)(struct engine_instance *ollama, struct http_request *request, int result);
    uint64_t deadline_ms; /* 0: the seat's, which tells us to stop */
} steps[STEP_COUNT] = {
    [STEP_LOAD] = {"/api/generate", body_load, loaded, 0},
    [STEP_LOAD_EMBEDDING] = {"/api/embed", body_load_embedding, loaded, 0},
    [STEP_LOOK] = {"/api/ps", NULL, looked, ASK_MS},
    [STEP_UNLOAD] = {"/api/generate", body_unload, unloaded, ASK_MS},
    [STEP_GONE] = {"/api/ps", NULL, looked_whether_gone, ASK_MS},
};

static void on_answer(struct http_request *request, int result) {
    struct engine_instance *ollama = request->context;
    struct buf body BUF_CLEANUP = request->body;
    buf_done(&request->fields);
    free(request->last_url);
    ollama->is_asking = false;
    if (ollama->is_ending && ollama->step < STEP_UNLOAD) {
        take_step(ollama, STEP_UNLOAD); /* it was asked to end while it loaded */
        return;
    }
    steps[ollama->step].answered(ollama, request, result); /* the last: we may be freed in it */
}

static void take_step(struct engine_instance *ollama, enum step step) {
    ollama->step = step;
    buf_clear(&ollama->body);
    if (steps[step].body)
        steps[step].body(ollama);
    (void)snprintf(ollama->url, sizeof ollama->url, "%s%s", ollama->base, steps[step].path); /* fits */
    ollama->request = (struct http_request){.url = ollama->url,
        .authorization = *ollama->endpoint.authorization ? ollama->endpoint.authorization : NULL,
        .post = steps[step].body ? buf_text(&ollama->body) : NULL,
        .post_len = ollama->body.len,
        .post_type = "application/json",
        .deadline_ms = steps[step].deadline_ms,
        .body_limit = BODY_LIMIT,
        .context = ollama,
        .on_done = on_answer};
    ollama->is_asking = true;
    http_start(ollama->loop, &ollama->request);
}

static void look_again(struct http_delay *delay) {
    take_step(list_entry(delay, struct engine_instance, delay), STEP_GONE);
}

static void begin(struct http_task *task) {
    struct engine_instance *ollama = list_entry(task, struct engine_instance, begin);
    if (!ollama->is_ending)
        take_step(ollama, STEP_LOAD);
}

static void end(struct http_task *task) {
    struct engine_instance *ollama = list_entry(task, struct engine_instance, end);
    ollama->is_ending = true;
    if (ollama->is_asking)
        http_cancel(ollama->loop, &ollama->request); /* its on_done goes on */
    else
        take_step(ollama, STEP_UNLOAD);
}

/* ---- the engine */

static void let_go(struct engine_instance *ollama) {
    explicit_bzero(ollama->endpoint.authorization, sizeof ollama->endpoint.authorization);
    buf_done(&ollama->body);
    lock_done(&ollama->lock);
    free(ollama);
}

static int start(const struct engine_start *start, struct engine_instance **ret_instance,
    struct reason *reason) {
    const struct declaration *declaration = declared_ollama(start->model.declared);
    int64_t keep_s = engine_number(start, "keep_alive_s");
    if (!declaration)
        return err_because(reason, -ENOENT, "no Ollama is declared any more: give ollama_url");
    struct engine_instance *ollama = mem_new(sizeof *ollama);
    lock_init(&ollama->lock, LOCK_QUEUE);
    ollama->events = start->events;
    ollama->loop = start->loop;
    ollama->keep_s = keep_s < 0 ? -1 : keep_s + KEEP_MORE_S;
    ollama->begin.run = begin;
    ollama->end.run = end;
    ollama->delay.run = look_again;
    int error = declaration_authorization(declaration, ollama->endpoint.authorization, reason);
    if (error < 0) {
        let_go(ollama);
        return error;
    }
    (void)text_copy(ollama->base, sizeof ollama->base, declaration->url); /* fits, as all here */
    (void)snprintf(ollama->endpoint.url, sizeof ollama->endpoint.url, "%s/v1", declaration->url);
    (void)snprintf(ollama->endpoint.model, sizeof ollama->endpoint.model, "%s", start->model.name);
    ollama->endpoint.can = declaration->can;
    ollama->endpoint.slots = declaration->slots ? declaration->slots : SLOTS;
    http_post(ollama->loop, &ollama->begin);
    *ret_instance = ollama;
    return 0;
}

static void stop(struct engine_instance *ollama) {
    lock_take(&ollama->lock);
    bool is_new = !ollama->asked_to_end && !ollama->over;
    ollama->asked_to_end |= is_new;
    lock_drop(&ollama->lock);
    if (is_new)
        http_post(ollama->loop, &ollama->end);
}

static bool can_load(const struct engine_model *model, const struct options *options) {
    (void)options;
    return strcmp(model->source, "ollama") == 0;
}

const struct engine ollama_engine = {
    .name = "ollama",
    .help = "models of a running Ollama",
    .can_load = can_load,
    .start = start,
    .stop = stop,
    .free = let_go,
};
