/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_ASK_H
#define WEIGHTFS_INFER_ASK_H

/*
 * One question, asked over HTTP (OpenAI's interface), and its stream parsed into an answer. What the
 * servers of the field really send is covered: deltas without content, thinking apart from the answer,
 * comments in the stream, errors as an object or a string, before the stream or in the middle of it, an
 * end without [DONE].
 *
 * An ask lives on the loop's thread; it is begun and cancelled from any.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "infer/answer.h"
#include "infer/template.h"
#include "outside/http.h"
#include "weightfs/engine.h"

enum ask_shape {
    ASK_CHAT,   /* chat completions, streamed: the text of the first choice is the answer */
    ASK_TEXT,   /* completions, streamed: the same, cut as `family` wants it */
    ASK_RAW,    /* the answer is the body as it comes: JSON, or events when "stream" is true */
    ASK_VECTOR, /* embeddings, not streamed: the first vector is the answer, as a JSON array */
    ASK_SHAPE_COUNT
};

/* All asks of one loop. */
struct ask_room;
struct ask;

struct ask_settings {
    const struct engine_endpoint *endpoint; /* copied, and its secret wiped at the end */
    const char *path;                       /* behind the endpoint's url: "/chat/completions" */
    enum ask_shape shape;
    const struct template_family *family; /* ASK_TEXT; NULL: nothing is cut */
    uint64_t stall_ms;                    /* nothing came for so long: -ERR_STALLED; 0: none */
    struct answer *answer;                /* a reference of the ask's own is taken */
    bool holds_end; /* the answer's end is not said here: done() has it, and ask_reason() */
    /* It is over, and the answer has ended; but with -ERR_UNREACHABLE, and when ask_rest() is true, nothing
     * was said and nothing ended: it can be asked again, elsewhere or later; and with -ERR_SHORT_BODY (the
     * connection broke in mid-answer) who asked ends it, since he may know why. On the loop's thread, the
     * last that is heard of the ask. */
    void (*done)(void *context, int result);
    void *context;
};

struct ask_room *ask_room_new(struct http_loop *loop);
/* The loop has ended, and all asks are freed. */
void ask_room_free(struct ask_room *room);

/* Begins it: `body` is the JSON to send, taken over (it is empty afterwards). */
struct ask *ask_start(struct ask_room *room, const struct ask_settings *settings, struct buf *body);
/* Closes the connection, at which servers stop; done() comes with -ERR_CANCELLED if it did not come before.
 * Before ask_free() only. */
void ask_cancel(struct ask *ask);
/* From done() on: was it refused for now, and said after how many seconds it may come again (429 or 503 with
 * Retry-After)? */
bool ask_rest(const struct ask *ask, unsigned *ret_seconds);
/* After done() was entered: the sentence of its error; and the body of an answer that was a refusal, "" of
 * any other. They live as long as the ask. */
const char *ask_reason(const struct ask *ask);
const char *ask_refusal(const struct ask *ask);
/* The same: did the answer end because it was long enough, or the context full? */
bool ask_is_full(const struct ask *ask);
/* After done() was entered, from another thread than the loop's or from within done() itself. */
void ask_free(struct ask *ask);

#endif
