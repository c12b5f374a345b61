/* SPDX-License-Identifier: Apache-2.0 */
/* Who asked what: questions from their first byte to their seat, and the last answer of each user. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "infer/body.h"
#include "infer/inside.h"
#include "model/name.h"
#include "outside/json.h"

/* ---- boxes: under the lock */

static bool is_box_of(const struct box *box, const struct infer_asking *which) {
    return box->asking.model_id == which->model_id && box->asking.chat_id == which->chat_id &&
           box->asking.uid == which->uid && box->asking.shape == which->shape &&
           box->asking.is_private == which->is_private;
}

static struct box *find_box(struct infer *infer, const struct infer_asking *which) {
    list_each (link, &infer->boxes)
        if (is_box_of(list_entry(link, struct box, link), which))
            return list_entry(link, struct box, link);
    return NULL;
}

/* Its answer becomes the box's; what was there before is the caller's to put. */
static struct answer *set_answer(struct infer *infer, const struct infer_asking *which,
    struct answer *answer) {
    struct answer *former = NULL;
    struct box *box = find_box(infer, which);
    if (box) {
        list_remove(&box->link);
        former = box->answer;
    } else if (infer->box_count == BOXES_MOST) {
        box = list_entry(list_shift(&infer->boxes), struct box, link);
        former = box->answer;
    } else {
        box = mem_new(sizeof *box);
        infer->box_count++;
    }
    *box = (struct box){.asking = *which, .answer = answer_ref(answer)};
    list_append(&infer->boxes, &box->link);
    return former;
}

struct answer *infer_reply(struct infer *infer, const struct infer_asking *which) {
    LOCK_SCOPE(&infer->lock);
    struct box *box = find_box(infer, which);
    return box ? answer_ref(box->answer) : NULL;
}

struct answer *infer_newest(struct infer *infer, int64_t model_id, int64_t chat_id, uid_t uid) {
    struct infer_asking which = {.model_id = model_id, .chat_id = chat_id, .uid = uid};
    struct answer *newest = NULL;
    LOCK_SCOPE(&infer->lock);
    list_each (link, &infer->boxes) { /* the last that fits: they are in the order of their asking */
        struct box *box = list_entry(link, struct box, link);
        which.shape = box->asking.shape;
        which.is_private = box->asking.is_private;
        if (is_box_of(box, &which))
            newest = box->answer;
    }
    return newest ? answer_ref(newest) : NULL;
}

void infer_tell(struct infer *infer, const struct infer_asking *asking, int error, const char *sentence) {
    struct infer_asking private = *asking;
    struct answer *outcome = answer_new(0);
    private.is_private = true;
    answer_end(outcome, error, sentence);
    lock_take(&infer->lock);
    struct answer *former = set_answer(infer, &private, outcome);
    lock_drop(&infer->lock);
    answer_put(outcome);
    answer_put(former);
}

/* ---- questions whose document is being written */

int infer_begin(struct infer *infer, const struct infer_asking *asking, uint64_t *ret_number,
    struct answer **ret_answer) {
    struct answer *former = NULL;
    if (atomic_load(&infer->shut))
        return -ERR_CANCELLED;
    struct question *question = mem_new(sizeof *question);
    question->infer = infer;
    question->asking = *asking;
    question->queued_ms = clock_ms();
    lock_take(&infer->lock);
    question->number = ++infer->last_number;
    question->answer = answer_new(question->number);
    list_append(&infer->pending, &question->link);
    if (!asking->is_private)
        former = set_answer(infer, asking, question->answer);
    if (ret_answer)
        *ret_answer = answer_ref(question->answer);
    *ret_number = question->number;
    lock_drop(&infer->lock);
    answer_put(former);
    infer_look(infer); /* from now on there is a deadline */
    return 0;
}

void infer_touch(struct infer *infer, uint64_t number) {
    LOCK_SCOPE(&infer->lock);
    list_each (link, &infer->pending)
        if (list_entry(link, struct question, link)->number == number)
            list_entry(link, struct question, link)->queued_ms = clock_ms();
}

/* One whose writer went silent, off the list. */
static struct question *take_silent(struct infer *infer) {
    LOCK_SCOPE(&infer->lock);
    uint64_t now_ms = clock_ms(); /* under the lock: nobody was touched after it */
    list_each (link, &infer->pending)
        if (now_ms - list_entry(link, struct question, link)->queued_ms >= INFER_PATIENCE_MS) {
            list_remove(link);
            return list_entry(link, struct question, link);
        }
    return NULL;
}

void questions_drop_silent(struct infer *infer) {
    struct question *question;
    while ((question = take_silent(infer)))
        question_end(question, -ETIMEDOUT, "the prompt was left open, and nothing was written for 30 s");
}

static struct question *take_pending(struct infer *infer, uint64_t number) {
    LOCK_SCOPE(&infer->lock);
    list_each (link, &infer->pending)
        if (list_entry(link, struct question, link)->number == number) {
            list_remove(link);
            return list_entry(link, struct question, link);
        }
    return NULL;
}

static int judge(enum infer_shape shape, const char *text, size_t len, struct reason *reason) {
    struct reason why;
    JSON_CLEANUP struct json *document = NULL;
    int error = body_check(text, len, reason);
    if (error || !shape_rows[shape].is_raw)
        return error;
    if (json_parse(text, len, &document, &why) < 0)
        return err_because(reason, -EINVAL, "the request is no JSON: %s", why.text);
    return json_type_of(document) == JSON_OBJECT
               ? 0
               : err_because(reason, -EINVAL, "the request is no JSON object");
}

/* Into its seat; false: there are too many. */
static bool sit(struct infer *infer, struct question *question) {
    unsigned most = (unsigned)options_number(infer->settings.options, "queue_length");
    LOCK_SCOPE(&infer->lock);
    struct seat *seat = seat_of(infer, question->asking.model_id);
    if (seat->waiting_count >= most || infer->text_bytes + question->len > TEXTS_MOST)
        return false;
    infer->text_bytes += question->len;
    question->seat = seat;
    question->queued_ms = clock_ms();
    list_append(&seat->waiting, &question->link);
    seat->waiting_count++;
    seat->figures.asked++;
    return true;
}

int infer_submit(struct infer *infer, uint64_t number, const char *text, size_t len) {
    struct reason reason = {""};
    struct question *question = take_pending(infer, number);
    if (!question)
        return -ERR_STALE;
    int error = len > PROMPT_LIMIT
                    ? err_because(&reason, -E2BIG, "a prompt may have %u MiB", PROMPT_LIMIT >> 20)
                    : judge(question->asking.shape, text, len, &reason);
    if (error == 0) {
        question->text = mem_array(len + 1, 1);
        memcpy(question->text, text, len);
        question->len = len;
        if (!sit(infer, question)) {
            question->len = 0; /* it does not count */
            error = err_because(&reason, -EAGAIN, "too many questions wait (queue_length); ask again later");
        }
    }
    if (error < 0)
        question_end(question, error, err_text(&reason, error));
    else
        infer_look(infer);
    return error;
}

void infer_drop(struct infer *infer, uint64_t number, int error, const char *sentence) {
    struct question *question = take_pending(infer, number);
    if (question)
        question_end(question, error, sentence);
}

/* ---- cancelling: marks, the desk does it */

/* What is meant; 0 and NULL: any. */
struct meant {
    uint64_t number;
    int64_t model_id;
    const uid_t *uid;
};

static unsigned mark(struct list *questions, const struct meant *meant) {
    unsigned count = 0;
    list_each (link, questions) {
        struct question *question = list_entry(link, struct question, link);
        if ((meant->number && question->number != meant->number) ||
            (meant->uid && question->asking.uid != *meant->uid) || question->cancelled || question->over)
            continue;
        question->cancelled = true;
        count++;
    }
    return count;
}

static unsigned cancel(struct infer *infer, const struct meant *meant) {
    unsigned count = 0;
    lock_take(&infer->lock);
    list_each (link, &infer->seats) {
        struct seat *seat = list_entry(link, struct seat, link);
        if (!meant->model_id || seat->model_id == meant->model_id)
            count += mark(&seat->waiting, meant) + mark(&seat->asked, meant);
    }
    lock_drop(&infer->lock);
    if (count)
        infer_look(infer);
    return count;
}

bool infer_cancel(struct infer *infer, uint64_t number) {
    struct question *question = take_pending(infer, number);
    if (!question)
        return cancel(infer, &(struct meant){.number = number}) > 0;
    question_end(question, -ERR_CANCELLED, NULL);
    return true;
}

unsigned infer_cancel_model(struct infer *infer, int64_t model_id) {
    return cancel(infer, &(struct meant){.model_id = model_id});
}

unsigned infer_cancel_user(void *infer, int64_t model_id, uid_t uid) {
    return cancel(infer, &(struct meant){.model_id = model_id, .uid = &uid});
}
