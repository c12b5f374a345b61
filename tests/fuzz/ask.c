/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine answers: its status, and a body in whatever pieces. Whichever the pieces are, the answer is
 * the same, and it ends once, well or with a sentence. The door to HTTP is ours here: nothing is sent.
 *
 * Bytes: the shape; the family that trims it; the status (200 for 0); the length of the pieces; the body. */
#include <stdlib.h>
#include <string.h>

#include "infer/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held) {
    if (!held)
        abort();
}

/* ---- the door */

static struct http_request *under_way;

void http_start(struct http_loop *loop, struct http_request *request) {
    (void)loop;
    under_way = request;
}

void http_cancel(struct http_loop *loop, struct http_request *request) {
    (void)loop, (void)request;
    abort(); /* nobody cancels */
}

void http_post(struct http_loop *loop, struct http_task *task) {
    (void)loop, (void)task;
    abort();
}

/* ---- one question */

struct outcome {
    unsigned ends;
    int result;
    bool is_full, rests;
    struct answer *answer;
};

static void on_done(void *context, int result) {
    struct outcome *outcome = context;
    outcome->ends++;
    outcome->result = result;
}

static const struct template_family *family_of(uint8_t byte) {
    size_t count = 0;
    while (template_table[count].name)
        count++;
    return byte % (count + 1) < count ? &template_table[byte % (count + 1)] : NULL;
}

static void receive(const uint8_t *data, size_t size, size_t piece) {
    struct http_request *request = under_way;
    struct http_head head = {.status = data[2] ? data[2] + 300 : 200,
        .is_last = true,
        .fields = &request->fields};
    request->status = head.status;
    int result = request->on_head(request, &head);
    for (size_t at = 4; at < size && result >= 0; at += piece)
        result = request->on_body(request, data + at, piece < size - at ? piece : size - at);
    request->on_done(request, result < 0 ? result : 0);
}

static void ask(struct ask_room *room, const uint8_t *data, size_t size, size_t piece,
    struct outcome *ret_outcome) {
    static const struct engine_endpoint endpoint = {.url = "http://engine/v1"};
    BUF_CLEANUP struct buf body = BUF_INIT;
    struct answer_info info;
    unsigned seconds;
    *ret_outcome = (struct outcome){.answer = answer_new(1)};
    struct ask_settings settings = {
        .endpoint = &endpoint,
        .path = "/chat/completions",
        .shape = data[0] % ASK_SHAPE_COUNT,
        .family = family_of(data[1]),
        .answer = ret_outcome->answer,
        .done = on_done,
        .context = ret_outcome,
    };
    struct ask *ask = ask_start(room, &settings, &body);
    receive(data, size, piece);
    answer_look(ret_outcome->answer, &info);
    /* The end of one that broke off is said by who asked. */
    bool is_told = ret_outcome->result == -ERR_SHORT_BODY;
    must(ret_outcome->ends == 1 && info.ended == !is_told);
    must(info.error == (is_told ? 0 : ret_outcome->result));
    must(!ret_outcome->result == !*ask_reason(ask));
    ret_outcome->is_full = ask_is_full(ask);
    ret_outcome->rests = ask_rest(ask, &seconds);
    ask_free(ask);
}

static char *text_of(struct answer *answer, size_t *ret_len) {
    struct answer_info info;
    answer_look(answer, &info);
    char *text = malloc(info.len + 1);
    must(text && (!info.len || answer_read(answer, 0, text, info.len) == (ssize_t)info.len));
    *ret_len = info.len;
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct outcome whole, pieces;
    size_t len, again_len;
    if (size < 4)
        return 0;
    struct ask_room *room = ask_room_new(NULL);
    ask(room, data, size, size, &whole);
    ask(room, data, size, data[3] + 1u, &pieces);
    must(whole.result == pieces.result && whole.is_full == pieces.is_full && !whole.rests);
    char *text = text_of(whole.answer, &len), *again = text_of(pieces.answer, &again_len);
    must(len == again_len && !memcmp(text, again, len));
    free(text);
    free(again);
    answer_put(whole.answer);
    answer_put(pieces.answer);
    ask_room_free(room);
    return 0;
}
