/* SPDX-License-Identifier: Apache-2.0 */
/* Turns that the model's context does not hold: which are not sent. Desk. */

#include <errno.h>
#include <string.h>

#include "infer/chat_inside.h"
#include "infer/failure.h"

#define ROOM_LEFT 4 /* a quarter of the context is for what comes */

void cut_begin(struct seat *seat, struct question *question) {
    if (question->is_cut) /* it was sent before, and was too long */
        return;
    LOCK_SCOPE(&seat->infer->lock);
    struct chat *chat = chat_of(seat->infer, question->asking.chat_id);
    if (chat->loaded != seat->loaded) /* the model was loaded anew: its context may be another one */
        chat->cut = 0;
    chat->loaded = seat->loaded;
    question->cut = chat->cut;
}

/* ---- how much goes */

struct cutting {
    int64_t to;           /* the last turn that goes */
    int64_t least;        /* it goes, and all before it */
    size_t bytes, enough; /* what went, and how much has to */
};

static int cut_turn(void *context, const struct catalog_turn *turn) {
    struct cutting *cutting = context;
    if (turn->number > cutting->least && cutting->bytes >= cutting->enough)
        return -ECANCELED; /* no more is to be seen */
    cutting->bytes += strlen(turn->asked) + strlen(turn->answer);
    cutting->to = turn->number;
    return 0;
}

/* So many bytes of what was sent that the rest leaves room in the context, by what the engine counted; when
 * it told no numbers, none. */
static size_t bytes_to_cut(const struct question *question) {
    int64_t asked, context;
    const char *words = ask_refusal(question->ask);
    if (!failure_overflow(words, strlen(words), &asked, &context))
        return 0;
    int64_t wanted = context - context / ROOM_LEFT;
    return asked > wanted ? (size_t)((double)question->sent * (double)(asked - wanted) / (double)asked) : 0;
}

bool chat_cut(struct seat *seat, struct question *question) {
    struct infer *infer = seat->infer;
    struct catalog *catalog = manage_catalog(infer->settings.manage);
    struct catalog_chat chat;
    struct answer_info info;
    answer_look(question->answer, &info);
    if (question->result != -E2BIG || info.len || question->cancelled || atomic_load(&infer->shut) ||
        catalog_chat(catalog, question->asking.chat_id, &chat) < 0)
        return false;
    int64_t turns = chat.turns - question->cut;
    struct cutting cutting = {.to = question->cut, .enough = bytes_to_cut(question)};
    cutting.least = question->cut + (cutting.enough ? 1 : (turns + 3) / 4); /* without numbers: a quarter */
    if (turns <= 0 || catalog_each_turn(catalog, chat.id, question->cut, cut_turn, &cutting) == -ERR_DATABASE)
        return false; /* it is the question itself that is too long */
    question->cut = cutting.to;
    question->is_cut = true;
    return true;
}

/* ---- what stays so: only what led to an answer, else one question that is too long would cut all */

void cut_keep(struct seat *seat, struct question *question, size_t answer_bytes) {
    struct infer *infer = seat->infer;
    int64_t id = question->asking.chat_id;
    struct cutting cutting = {.to = question->cut, .enough = (question->sent + answer_bytes) / ROOM_LEFT};
    /* The context was full before the answer was at its end: the next one shall have room. */
    if (ask_is_full(question->ask) && !question->has_limit)
        (void)catalog_each_turn(manage_catalog(infer->settings.manage), id, question->cut, cut_turn,
            &cutting); /* as far as it got */
    LOCK_SCOPE(&infer->lock);
    if (cutting.to != question->cut || question->is_cut)
        chat_of(infer, id)->cut = cutting.to;
}
