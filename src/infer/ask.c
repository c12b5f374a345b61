/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/ask.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/lock.h"
#include "infer/failure.h"
#include "outside/json.h"
#include "outside/sse.h"

#define ERROR_TEXT_LIMIT (64u << 10) /* of an answer that is an error */
#define RAW_LIMIT        (1u << 20)  /* … of one that goes through, and is looked into for its usage */
#define WHOLE_LIMIT      (16u << 20) /* of one that is read when it is all here */

struct ask_room {
    struct http_loop *loop;
    struct http_task task; /* looks for those that were cancelled; one for all, so that it may be dropped */
    struct lock lock;      /* QUEUE: live */
    struct list live;
};

struct ask {
    struct list link; /* room->live */
    struct ask_room *room;
    struct http_request request; /* the loop's, until its on_done */
    struct engine_endpoint endpoint;
    char url[ENGINE_URL_SIZE + 32];
    enum ask_shape shape;
    struct buf body, refusal;
    struct buf whole; /* ASK_VECTOR: the body, to be read when it is all here */
    struct sse sse;
    struct trimmer trimmer; /* ASK_TEXT */
    struct answer *answer;
    bool holds_end;
    atomic_bool cancelled;
    /* on the loop's thread */
    bool is_stream; /* of events, by its head */
    bool heard;     /* a head came */
    bool refused;   /* the status is an error's: the body says why */
    bool rests;     /* for rest_s seconds it wants to hear nothing */
    unsigned rest_s;
    bool said;     /* some text was added: the blank before it is gone */
    bool in_line;  /* the last byte of the text was no newline */
    bool finished; /* the server said why the answer ends */
    bool is_full;  /* … since there is no room for more */
    bool stopped;  /* the answer has ended, the server goes on: we hang up */
    int error;     /* of an event, or ours */
    struct reason reason;
    void (*done)(void *context, int result);
    void *context;
};

/* ---- the stream */

/* Vocabularies with a mark for word starts make every answer begin with a blank. */
static int add_text(struct ask *ask, const char *text, size_t len) {
    size_t skip = !ask->said && len && *text == ' ';
    ask->said |= len > 0;
    if (len <= skip)
        return 0;
    ask->in_line = text[len - 1] != '\n';
    return answer_add(ask->answer, text + skip, len - skip);
}

static int add_trimmed(void *context, const char *text, size_t len) {
    struct ask *ask = context;
    ask->in_line = text[len - 1] != '\n';
    return answer_add(ask->answer, text, len);
}

/* The first choice's words, by shape. */
static int add_words(struct ask *ask, const struct json *choice) {
    size_t len = 0;
    if (ask->shape == ASK_CHAT) {
        const char *text = json_text(json_get(json_get(choice, "delta"), "content"), &len);
        return text ? add_text(ask, text, len) : 0;
    }
    const char *text = json_text(json_get(choice, "text"), &len);
    int result = text ? trimmer_feed(&ask->trimmer, text, len, add_trimmed, ask) : 0;
    ask->stopped = result == 1;
    return ask->stopped ? -ERR_CANCELLED : result;
}

static void take_usage(struct ask *ask, const struct json *usage) {
    int64_t prompt = 0, answer = 0;
    if (!json_number(json_get(usage, "prompt_tokens"), &prompt) || prompt < 0)
        return;
    if (!json_number(json_get(usage, "completion_tokens"), &answer) || answer < 0)
        answer = 0; /* of vectors */
    answer_set_usage(ask->answer,
        &(struct answer_usage){.prompt_tokens = (uint64_t)prompt, .answer_tokens = (uint64_t)answer});
}

static int on_event(void *context, const char *data, size_t len) {
    struct ask *ask = context;
    JSON_CLEANUP struct json *event = NULL;
    if (strcmp(data, "[DONE]") == 0) {
        ask->finished = true;
        return 0;
    }
    int error = json_parse(data, len, &event, &ask->reason);
    if (error < 0)
        return ask->error = error;
    if (json_get(event, "error"))
        return ask->error = failure_of_event(event, &ask->reason);
    answer_moved(ask->answer);
    take_usage(ask, json_get(event, "usage"));
    const struct json *choice = json_at(json_get(event, "choices"), 0);
    const char *why = json_text(json_get(choice, "finish_reason"), NULL);
    ask->finished |= why != NULL;
    ask->is_full |= why && strcmp(why, "length") == 0;
    return add_words(ask, choice);
}

static int on_head(struct http_request *request, const struct http_head *head) {
    struct ask *ask = request->context;
    char type[64];
    ask->heard = true;
    ask->is_stream = http_head_get(head, "content-type", type, sizeof type) &&
                     strncasecmp(type, "text/event-stream", strlen("text/event-stream")) == 0;
    ask->refused = head->status >= 300;
    ask->rests = (head->status == 429 || head->status == 503) && http_head_retry_after(head, &ask->rest_s);
    if (!ask->rests)
        answer_set_status(ask->answer, head->status);
    answer_moved(ask->answer);
    return 0;
}

/* ---- what comes, by shape */

static int take_chat(struct ask *ask, const void *data, size_t len) {
    return sse_feed(&ask->sse, data, len, on_event, ask);
}

/* What goes through as it comes is read beside that for what it says of tokens, and for nothing else: what
 * can't be read is the asker's. llama-server ends each stream with `timings`; `usage` comes to who asked for
 * it. */
static int on_raw_event(void *context, const char *data, size_t len) {
    struct ask *ask = context;
    JSON_CLEANUP struct json *event = NULL;
    struct reason reason;
    int64_t prompt, answer;
    if ((!strstr(data, "\"usage\"") && !strstr(data, "\"timings\"")) ||
        json_parse(data, len, &event, &reason) < 0)
        return 0;
    const struct json *timings = json_get(event, "timings");
    if (json_number(json_get(timings, "prompt_n"), &prompt) && prompt >= 0 &&
        json_number(json_get(timings, "predicted_n"), &answer) && answer >= 0)
        answer_set_usage(ask->answer,
            &(struct answer_usage){.prompt_tokens = (uint64_t)prompt, .answer_tokens = (uint64_t)answer});
    take_usage(ask, json_get(event, "usage"));
    return 0;
}

static int take_raw(struct ask *ask, const void *data, size_t len) {
    if (ask->is_stream)
        (void)sse_feed(&ask->sse, data, len, on_raw_event, ask);
    else if (ask->whole.len + len <= RAW_LIMIT)
        (void)buf_add(&ask->whole, data, len); /* within its limit */
    return answer_add(ask->answer, data, len);
}

static int take_whole(struct ask *ask, const void *data, size_t len) {
    return buf_add(&ask->whole, data, len) < 0 ? -ERR_TOO_LARGE : 0;
}

static int end_chat(struct ask *ask) {
    return ask->finished
               ? 0
               : err_because(&ask->reason, -ERR_SHORT_BODY, "the engine stopped in the middle of the answer");
}

static int end_text(struct ask *ask) {
    int error = trimmer_end(&ask->trimmer, add_trimmed, ask);
    return error < 0 ? error : end_chat(ask);
}

static int end_raw(struct ask *ask) {
    JSON_CLEANUP struct json *document = NULL;
    struct reason reason;
    if (ask->whole.len && json_parse(buf_text(&ask->whole), ask->whole.len, &document, &reason) == 0)
        take_usage(ask, json_get(document, "usage"));
    return 0;
}

/* {"data":[{"embedding":[0.1, …]}], "usage": …}. A number has 9 digits: enough for what floats can tell. */
static int end_vector(struct ask *ask) {
    JSON_CLEANUP struct json *document = NULL;
    struct buf text BUF_CLEANUP = BUF_INIT;
    double number;
    int error = json_parse(buf_text(&ask->whole), ask->whole.len, &document, &ask->reason);
    if (error < 0)
        return error;
    const struct json *vector = json_get(json_at(json_get(document, "data"), 0), "embedding");
    if (!json_count(vector))
        return err_because(&ask->reason, -ERR_ANSWER, "the engine's answer has no vector");
    for (size_t i = 0; i < json_count(vector); i++) {
        if (!json_decimal(json_at(vector, i), &number))
            return err_because(&ask->reason, -ERR_ANSWER, "the engine's vector is not one of numbers");
        (void)buf_format(&text, "%s%.9g", i ? "," : "[", number); /* no limit */
    }
    (void)buf_text_add(&text, "]\n");
    take_usage(ask, json_get(document, "usage"));
    return answer_add(ask->answer, buf_text(&text), text.len);
}

static const struct {
    int (*take)(struct ask *ask, const void *data, size_t len);
    int (*end)(struct ask *ask); /* of a transfer that went well */
} shapes[ASK_SHAPE_COUNT] = {
    [ASK_CHAT] = {take_chat, end_chat},
    [ASK_TEXT] = {take_chat, end_text},
    [ASK_RAW] = {take_raw, end_raw},
    [ASK_VECTOR] = {take_whole, end_vector},
};

static int on_body(struct http_request *request, const void *data, size_t len) {
    struct ask *ask = request->context;
    if (ask->refused) {
        (void)buf_add(&ask->refusal, data, len); /* what is past the limit is not wanted */
        return 0;
    }
    answer_moved(ask->answer);
    return shapes[ask->shape].take(ask, data, len);
}

/* ---- its end */

static int judge(struct ask *ask, int result) {
    if (ask->error < 0) /* it ended the transfer: the transfer's own error says less */
        return ask->error;
    if (ask->stopped)
        return 0;
    if (atomic_load(&ask->cancelled))
        return -ERR_CANCELLED;
    if (result == -ERR_UNREACHABLE && ask->heard) /* it hung up later */
        result = -ERR_SHORT_BODY;
    if (result == -ERR_STALLED)
        return err_because(&ask->reason, result, "the engine sent nothing for answer_timeout_s");
    if (result == -ERR_SHORT_BODY)
        return err_because(&ask->reason, result, "the answer broke off: %s",
            err_text(&ask->request.reason, result));
    if (result < 0)
        return err_because(&ask->reason, result, "%s", err_text(&ask->request.reason, result));
    if (ask->refused)
        return failure_of_status(ask->request.status, buf_text(&ask->refusal), ask->refusal.len,
            &ask->reason);
    return shapes[ask->shape].end(ask);
}

static void on_done(struct http_request *request, int result) {
    struct ask *ask = request->context;
    buf_done(&request->body);
    buf_done(&request->fields);
    free(request->last_url);
    request->last_url = NULL;
    result = judge(ask, result);
    if (result == 0 && ask->in_line)
        (void)answer_add(ask->answer, "\n", 1); /* as all our texts end; at the limit it ends without */
    ask->rests = ask->rests && (result == -ERR_RATE_LIMITED || result == -EAGAIN);
    bool is_told = result == -ERR_UNREACHABLE || result == -ERR_SHORT_BODY; /* by who knows more */
    if (!is_told && !ask->rests && !ask->holds_end)
        answer_end(ask->answer, result, err_text(&ask->reason, result));
    lock_take(&ask->room->lock);
    list_remove(&ask->link);
    lock_drop(&ask->room->lock);
    ask->done(ask->context, result);
}

bool ask_rest(const struct ask *ask, unsigned *ret_seconds) {
    *ret_seconds = ask->rest_s;
    return ask->rests;
}

const char *ask_reason(const struct ask *ask) {
    return ask->reason.text;
}

const char *ask_refusal(const struct ask *ask) {
    return buf_text(&ask->refusal);
}

bool ask_is_full(const struct ask *ask) {
    return ask->is_full;
}

void ask_free(struct ask *ask) {
    explicit_bzero(ask->endpoint.authorization, sizeof ask->endpoint.authorization);
    buf_done(&ask->body);
    buf_done(&ask->whole);
    buf_done(&ask->refusal);
    sse_done(&ask->sse);
    answer_put(ask->answer);
    free(ask);
}

/* ---- cancelling: the loop's thread alone may touch a request */

static struct ask *find_cancelled(struct ask_room *room) {
    LOCK_SCOPE(&room->lock);
    list_each (link, &room->live) {
        struct ask *ask = list_entry(link, struct ask, link);
        if (atomic_load(&ask->cancelled) && !ask->error) {
            ask->error = -ERR_CANCELLED; /* once */
            return ask;
        }
    }
    return NULL;
}

static void look(struct http_task *task) {
    struct ask_room *room = list_entry(task, struct ask_room, task);
    struct ask *ask;
    while ((ask = find_cancelled(room))) /* it can't go away: only this thread takes it off the list */
        http_cancel(room->loop, &ask->request);
}

void ask_cancel(struct ask *ask) {
    atomic_store(&ask->cancelled, true);
    http_post(ask->room->loop, &ask->room->task);
}

/* ---- its start */

struct ask_room *ask_room_new(struct http_loop *loop) {
    struct ask_room *room = mem_new(sizeof *room);
    room->loop = loop;
    room->task.run = look;
    list_init(&room->live);
    lock_init(&room->lock, LOCK_QUEUE);
    return room;
}

void ask_room_free(struct ask_room *room) {
    if (!room)
        return;
    lock_done(&room->lock);
    free(room);
}

struct ask *ask_start(struct ask_room *room, const struct ask_settings *settings, struct buf *body) {
    struct ask *ask = mem_new(sizeof *ask);
    ask->room = room;
    ask->endpoint = *settings->endpoint;
    (void)snprintf(ask->url, sizeof ask->url, "%s%s", ask->endpoint.url, settings->path); /* fits */
    ask->shape = settings->shape;
    ask->body = *body;
    *body = (struct buf)BUF_INIT;
    ask->refusal.limit = ERROR_TEXT_LIMIT;
    ask->whole.limit = WHOLE_LIMIT;
    sse_init(&ask->sse);
    trimmer_init(&ask->trimmer, settings->family);
    ask->answer = answer_ref(settings->answer);
    ask->holds_end = settings->holds_end;
    ask->done = settings->done;
    ask->context = settings->context;
    ask->request = (struct http_request){
        .url = ask->url,
        .unix_socket = *ask->endpoint.unix_socket ? ask->endpoint.unix_socket : NULL,
        .authorization = *ask->endpoint.authorization ? ask->endpoint.authorization : NULL,
        .post = buf_text(&ask->body),
        .post_len = ask->body.len,
        .post_type = "application/json",
        .stall_ms = settings->stall_ms,
        .context = ask,
        .on_head = on_head,
        .on_body = on_body,
        .on_done = on_done,
    };
    lock_take(&room->lock);
    list_append(&room->live, &ask->link);
    lock_drop(&room->lock);
    http_start(room->loop, &ask->request);
    return ask;
}
