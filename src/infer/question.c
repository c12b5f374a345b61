/* SPDX-License-Identifier: Apache-2.0 */
/* Questions in their seats: asked as places are free, taken away when they are answered. Desk. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "infer/body.h"
#include "infer/chat_inside.h"
#include "infer/numbers.h"

#define RESTS_MOST 5    /* that a server may want for one question */
#define TRIES_MOST 3    /* engines that a question is asked of, when they can't be reached */
#define WHY_MS     3000 /* so long the end of an engine is awaited that hung up in mid-answer */

/* Its answer has ended. */
static void question_free(struct question *question) {
    if (question->seat)
        numbers_note(question);
    if (question->ask)
        ask_free(question->ask);
    answer_put(question->answer);
    lock_take(&question->infer->lock);
    question->infer->text_bytes -= question->len;
    lock_drop(&question->infer->lock);
    free(question->text);
    free(question);
}

void question_end(struct question *question, int error, const char *sentence) {
    answer_end(question->answer, error, sentence);
    question_free(question);
}

/* On the loop's thread. */
static void on_done(void *context, int result) {
    struct question *question = context;
    struct infer *infer = question->infer;
    lock_take(&infer->lock);
    question->over = true;
    question->over_ms = clock_ms();
    question->result = result;
    lock_drop(&infer->lock);
    infer_look(infer); /* the desk frees it, from now on at any time */
}

/* For an engine without chat: what is said, in the model's family's texts. */
static void make_text(struct seat *seat, struct talk *talk, const struct template_family **ret_family,
    struct buf *body) {
    struct template_choice choice;
    seat_template(seat, &choice);
    if (choice.family)
        talk_trim(talk);
    body_completion(seat->endpoint.model, choice.family, buf_text(&talk->system), talk->turns, talk->count,
        buf_text(&talk->params), body);
    *ret_family = choice.family;
}

static int make_body(struct seat *seat, struct question *question, const struct shape_row *shape,
    const struct template_family **ret_family, struct buf *body, struct reason *reason) {
    struct talk talk TALK_CLEANUP = {.count = 0};
    bool stream;
    if (shape->is_raw)
        return body_raw(seat->endpoint.model, question->text, question->len, body, &stream, reason);
    if (shape->ask == ASK_VECTOR) {
        body_embed(seat->endpoint.model, question->text, body);
        return 0;
    }
    int error = talk_take(seat, question, &talk, reason);
    if (error < 0)
        return error;
    if (shape->ask == ASK_TEXT)
        make_text(seat, &talk, ret_family, body);
    else
        body_chat(seat->endpoint.model, buf_text(&talk.system), talk.turns, talk.count,
            buf_text(&talk.params), body);
    question->sent = talk.bytes;
    return 0;
}

/* Can the endpoint do what is asked? One that does not say finds out by itself. */
static int judge(const struct seat *seat, const struct shape_row *shape, struct reason *reason) {
    static const char *const words[] = {"chat", "complete raw text", "embed texts", "look at images"};
    struct buf can BUF_CLEANUP = BUF_INIT;
    if (!seat->endpoint.can || (seat->endpoint.can & shape->can))
        return 0;
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (seat->endpoint.can & 1u << i)
            (void)buf_format(&can, "%s%s", can.len ? ", " : "", words[i]); /* no limit */
    return err_because(reason, -EOPNOTSUPP, "this model can't %s; it can: %s", shape->what, buf_text(&can));
}

static void begin(struct seat *seat, struct question *question) {
    struct infer *infer = seat->infer;
    const struct shape_row *shape = shape_at(&seat->endpoint, question->asking.shape);
    struct buf body BUF_CLEANUP = BUF_INIT;
    struct ask_settings settings = {.endpoint = &seat->endpoint,
        .path = shape->path,
        .shape = shape->ask,
        .stall_ms = (uint64_t)options_number(infer->settings.options, "answer_timeout_s") * 1000,
        .answer = question->answer,
        .holds_end = question->asking.chat_id != 0,
        .done = on_done,
        .context = question};
    struct reason reason = {""};
    int error = judge(seat, shape, &reason);
    if (!error)
        error = make_body(seat, question, shape, &settings.family, &body, &reason);
    if (error < 0) {
        lock_take(&infer->lock);
        list_remove(&question->link);
        seat->asked_count--;
        lock_drop(&infer->lock);
        question_end(question, error, reason.text);
        return;
    }
    question->loaded = seat->loaded;
    question->engine = seat->engine;
    question->ask = ask_start(infer->room, &settings, &body);
}

/* The next one that may be asked: at once among those that are, so that whoever cancels it finds it. */
static struct question *take_next(struct seat *seat, unsigned most) {
    LOCK_SCOPE(&seat->infer->lock);
    if (seat->asked_count >= most)
        return NULL;
    list_each (link, &seat->waiting) {
        struct question *question = list_entry(link, struct question, link);
        if (!chat_is_free(seat, question))
            continue;
        list_remove(link);
        seat->waiting_count--;
        list_append(&seat->asked, link);
        seat->asked_count++;
        return question;
    }
    return NULL;
}

void questions_ask(struct seat *seat) {
    struct question *question;
    if (clock_ms() < seat->rest_until_ms)
        return;
    while ((question = take_next(seat, seat->endpoint.slots)))
        begin(seat, question);
}

static bool is_given_up(const struct seat *seat, const struct question *question) {
    return question->cancelled || atomic_load(&seat->infer->shut);
}

/* Under the lock: has the engine that was asked ended? `end_reason` is its own then. */
static bool engine_is_over(const struct seat *seat, const struct question *question) {
    bool is_up = seat->state == SEAT_READY || seat->state == SEAT_ENDING;
    return seat->has_ended || !is_up || seat->loaded != question->loaded;
}

/* Under the lock: an engine of ours that hung up in mid-answer has ended, most likely: then it says why. */
static bool will_say_why(const struct seat *seat, const struct question *question) {
    return question->result == -ERR_SHORT_BODY && question->engine->process && !is_given_up(seat, question) &&
           !engine_is_over(seat, question) && clock_ms() < question->over_ms + WHY_MS;
}

static struct question *take_over(struct seat *seat) {
    LOCK_SCOPE(&seat->infer->lock);
    list_each (link, &seat->asked) {
        struct question *question = list_entry(link, struct question, link);
        if (!question->over || will_say_why(seat, question))
            continue;
        list_remove(link);
        seat->asked_count--;
        return question;
    }
    return NULL;
}

/* Those that waited for longer than they may. */
static void drop_late(struct seat *seat) {
    uint64_t most_ms = (uint64_t)options_number(seat->infer->settings.options, "queue_timeout_s") * 1000;
    LIST_HEAD(late);
    struct list *next;
    lock_take(&seat->infer->lock);
    uint64_t now_ms = clock_ms(); /* under the lock: nobody came after it */
    list_each (link, &seat->waiting)
        if (now_ms - list_entry(link, struct question, link)->queued_ms >= most_ms) {
            list_remove(link);
            list_append(&late, link);
            seat->waiting_count--;
        }
    lock_drop(&seat->infer->lock);
    while ((next = list_shift(&late)))
        question_end(list_entry(next, struct question, link), -ETIMEDOUT,
            "its turn did not come within queue_timeout_s; infer/status tells what the model does");
}

static void cancel_marked(struct seat *seat) {
    LIST_HEAD(gone);
    struct list *next;
    lock_take(&seat->infer->lock);
    list_each (link, &seat->waiting)
        if (list_entry(link, struct question, link)->cancelled) {
            list_remove(link);
            list_append(&gone, link);
            seat->waiting_count--;
        }
    lock_drop(&seat->infer->lock);
    while ((next = list_shift(&gone)))
        question_end(list_entry(next, struct question, link), -ERR_CANCELLED, NULL);
    list_each (link, &seat->asked) /* the desk alone changes it */
        if (list_entry(link, struct question, link)->cancelled)
            ask_cancel(list_entry(link, struct question, link)->ask);
}

/* It is the next one once more. */
static void wait_again(struct seat *seat, struct question *question) {
    ask_free(question->ask);
    question->ask = NULL;
    question->over = false;
    LOCK_SCOPE(&seat->infer->lock);
    list_append(seat->waiting.next, &question->link); /* before the first */
    seat->waiting_count++;
}

/* The engine is gone, or hears nobody: it is asked again when there is another one. */
static bool ask_again(struct seat *seat, struct question *question) {
    struct reason reason = {""};
    if (question->result != -ERR_UNREACHABLE)
        return false;
    if (++question->tries >= TRIES_MOST || is_given_up(seat, question)) {
        (void)err_because(&reason, -EIO, "the engine can't be reached: %s", ask_reason(question->ask));
        answer_end(question->answer, -EIO, reason.text);
        return false;
    }
    wait_again(seat, question);
    seat->is_lost = true;
    return true;
}

/* The server has too much to do, and said when it may be asked again: nobody asks it before. */
static bool ask_later(struct seat *seat, struct question *question) {
    uint64_t most_ms = (uint64_t)options_number(seat->infer->settings.options, "queue_timeout_s") * 1000;
    struct reason reason = {""};
    unsigned rest_s;
    if (!ask_rest(question->ask, &rest_s))
        return false;
    uint64_t until_ms = clock_ms() + UINT64_C(1000) * rest_s;
    bool is_too_late = until_ms >= question->queued_ms + most_ms;
    if (++question->rests > RESTS_MOST || is_too_late || is_given_up(seat, question)) {
        (void)err_because(&reason, question->result, "%s; it may be asked again in %u s%s",
            ask_reason(question->ask), rest_s, is_too_late ? ", which is later than queue_timeout_s" : "");
        answer_set_status(question->answer, question->result == -EAGAIN ? 503 : 429);
        answer_end(question->answer, question->result, reason.text);
        return false;
    }
    wait_again(seat, question);
    LOCK_SCOPE(&seat->infer->lock);
    seat->rest_until_ms = until_ms > seat->rest_until_ms ? until_ms : seat->rest_until_ms;
    return true;
}

/* The answer broke off: it ends, by the engine's own words where it has ended. */
static void end_cut(struct seat *seat, struct question *question) {
    struct reason reason = {""};
    if (question->result != -ERR_SHORT_BODY)
        return;
    lock_take(&seat->infer->lock);
    bool is_over = question->engine->process && engine_is_over(seat, question);
    if (is_over && seat->end_error < 0)
        (void)err_because(&reason, -EIO, "the engine ended in the middle of the answer: %.300s",
            err_text(&seat->end_reason, seat->end_error));
    else if (is_over)
        (void)err_because(&reason, -EIO, "the model was unloaded in the middle of the answer");
    else
        (void)err_because(&reason, -EIO, "%s", ask_reason(question->ask));
    lock_drop(&seat->infer->lock);
    answer_end(question->answer, question->result, reason.text);
}

/* A turn of a chat is kept before its answer ends, and asked again with less when it was too long. false: it
 * is over. */
static bool goes_on(struct seat *seat, struct question *question) {
    if (!question->asking.chat_id || question->kept)
        return false;
    if (question->result == 0)
        return chat_keep(seat, question);
    const char *words = ask_reason(question->ask);
    bool again = chat_cut(seat, question);
    if (again)
        wait_again(seat, question);
    else
        answer_end(question->answer, question->result, *words ? words : NULL);
    return again;
}

void questions_clear(struct seat *seat) {
    struct question *question;
    cancel_marked(seat);
    drop_late(seat);
    while ((question = take_over(seat))) {
        seat->used_ms = clock_ms();
        if (ask_again(seat, question) || ask_later(seat, question))
            continue;
        end_cut(seat, question);
        if (goes_on(seat, question))
            continue;
        if (question->result == -EACCES && !question->engine->needs_files)
            seat->is_lost = true; /* the key is read anew for the next one */
        question_free(question);  /* its answer has ended */
    }
}

void questions_fail(struct seat *seat, int error, const char *sentence) {
    for (;;) {
        lock_take(&seat->infer->lock);
        struct list *link = list_shift(&seat->waiting);
        seat->waiting_count -= link != NULL;
        lock_drop(&seat->infer->lock);
        if (!link)
            return;
        question_end(list_entry(link, struct question, link), error, sentence);
    }
}
