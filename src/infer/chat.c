/* SPDX-License-Identifier: Apache-2.0 */
/* Turns of conversations: what is sent with a question, and what is kept of its answer. */

#include "infer/chat.h"

#include <errno.h>
#include <string.h>

#include "base/bus.h"
#include "base/clock.h"
#include "infer/chat_inside.h"
#include "infer/params.h"

/* ---- what is known of it beside the catalogue */

static struct chat *find_locked(struct infer *infer, int64_t id) {
    lock_assert(&infer->lock);
    list_each (link, &infer->chats)
        if (list_entry(link, struct chat, link)->id == id)
            return list_entry(link, struct chat, link);
    return NULL;
}

static void drop_locked(struct infer *infer, struct chat *chat) {
    list_remove(&chat->link);
    infer->chat_count--;
    free(chat);
}

struct chat *chat_of(struct infer *infer, int64_t id) {
    struct chat *chat = find_locked(infer, id);
    if (chat) {
        list_remove(&chat->link);
    } else {
        if (infer->chat_count == CHATS_MOST)
            drop_locked(infer, list_entry(infer->chats.next, struct chat, link));
        chat = mem_new(sizeof *chat);
        chat->id = id;
        infer->chat_count++;
    }
    list_append(&infer->chats, &chat->link);
    return chat;
}

void chat_forget(struct infer *infer, int64_t id) {
    LOCK_SCOPE(&infer->lock);
    struct chat *chat = find_locked(infer, id);
    if (chat)
        drop_locked(infer, chat);
}

void chats_free(struct infer *infer) {
    LOCK_SCOPE(&infer->lock);
    while (!list_empty(&infer->chats))
        drop_locked(infer, list_entry(infer->chats.next, struct chat, link));
}

void chat_note(struct infer *infer, int64_t id, int error, const char *sentence) {
    lock_take(&infer->lock);
    struct chat *chat = error ? chat_of(infer, id) : find_locked(infer, id);
    if (chat) {
        chat->error = error;
        (void)err_because(&chat->reason, error, "%s", sentence ? sentence : err_sentence(error));
    }
    lock_drop(&infer->lock);
    bus_publish(&(struct news){.kind = NEWS_CHAT, .id = id});
}

/* ---- what is in force */

void chat_text(struct infer *infer, const struct catalog_chat *chat, const char *name, struct buf *to) {
    struct buf own BUF_CLEANUP = BUF_INIT, models BUF_CLEANUP = BUF_INIT;
    struct reason never;
    int result = catalog_chat_text(manage_catalog(infer->settings.manage), chat->id, name, &own);
    bool merges = strcmp(name, "params") == 0;
    if (merges || result < 0)
        infer_text(infer, chat->model_id, name, &models);
    if (!merges)
        (void)buf_text_add(to, buf_text(result < 0 ? &models : &own));          /* no limit */
    else if (params_read(buf_text(&own), buf_text(&models), &own, &never) == 0) /* both were judged */
        (void)buf_text_add(to, buf_text(&own));
}

/* ---- what is sent */

bool chat_is_free(const struct seat *seat, const struct question *question) {
    list_each (link, &seat->asked)
        if (list_entry(link, struct question, link)->asking.chat_id == question->asking.chat_id)
            return !question->asking.chat_id;
    return true;
}

static int add_turn(void *context, const struct catalog_turn *turn) {
    talk_add(context, TEMPLATE_USER, turn->asked);
    talk_add(context, TEMPLATE_ANSWER, turn->answer);
    return 0;
}

/* Lines that a shell writes end in a newline, which nobody means to say. Once, however often it is sent. */
static void trim(struct question *question) {
    if (question->len && question->text[question->len - 1] == '\n')
        question->text[question->len - 1] = '\0';
}

int chat_talk(struct seat *seat, struct question *question, struct talk *talk, struct reason *reason) {
    struct infer *infer = seat->infer;
    struct catalog *catalog = manage_catalog(infer->settings.manage);
    int64_t most = options_number(infer->settings.options, "chat_bytes");
    struct catalog_chat chat;
    chat_note(infer, question->asking.chat_id, 0, NULL);
    if (catalog_chat(catalog, question->asking.chat_id, &chat) < 0)
        return err_because(reason, -ERR_STALE, "the conversation was deleted");
    trim(question);
    cut_begin(seat, question);
    if (chat.bytes + (int64_t)strlen(question->text) > most)
        return err_because(reason, -EDQUOT,
            "the conversation is full (chat_bytes): begin another one, `history` can be copied");
    chat_text(infer, &chat, "system", &talk->system);
    chat_text(infer, &chat, "params", &talk->params);
    question->has_limit = strstr(buf_text(&talk->params), "max_tokens ") != NULL;
    int error = catalog_each_turn(catalog, chat.id, question->cut, add_turn, talk);
    if (error < 0)
        return err_because(reason, error, "what was said before can't be read: %s", err_sentence(error));
    talk_add(talk, TEMPLATE_USER, question->text);
    return 0;
}

/* ---- what is kept */

struct keeping {
    struct work work;
    struct question *question;
    struct buf text; /* the answer */
};

static void read_answer(struct answer *answer, struct buf *to) {
    char piece[4096];
    ssize_t len;
    while ((len = answer_read(answer, to->len, piece, sizeof piece)) > 0)
        (void)buf_add(to, piece, (size_t)len); /* an answer has a limit of its own */
    if (to->len && to->data[to->len - 1] == '\n')
        to->data[--to->len] = '\0';
}

/* The answer is the user's whatever became of the turn; what did is told. */
static void end_kept(struct question *question, int result) {
    int64_t id = question->asking.chat_id;
    if (result == -ENOENT)
        chat_forget(question->infer, id);
    else if (result < 0)
        chat_note(question->infer, id, result,
            result == -EDQUOT ? "this turn is not kept: the conversation is full (chat_bytes)"
                              : "this turn is not kept: the catalogue can't be written, is its disk full?");
    else
        chat_note(question->infer, id, 0, NULL);
    answer_end(question->answer, 0, NULL);
}

/* On manage's desk. */
static void keep(struct work *work) {
    struct keeping *keeping = list_entry(work, struct keeping, work);
    struct question *question = keeping->question;
    struct infer *infer = question->infer;
    struct answer_info info;
    answer_look(question->answer, &info);
    int64_t now_ms = clock_wall_ms();
    const struct catalog_turn turn = {.asked = question->text,
        .answer = buf_text(&keeping->text),
        .asked_ms = now_ms - (int64_t)(clock_ms() - question->queued_ms),
        .answered_ms = now_ms,
        .prompt_tokens = (int64_t)info.usage.prompt_tokens,
        .answer_tokens = (int64_t)info.usage.answer_tokens};
    int result = catalog_add_turn(manage_catalog(infer->settings.manage), question->asking.chat_id, &turn,
        options_number(infer->settings.options, "chat_bytes"));
    buf_done(&keeping->text);
    free(keeping);
    end_kept(question, result);
    lock_take(&infer->lock);
    question->over = question->kept = true;
    lock_drop(&infer->lock);
    infer_look(infer); /* the desk frees it, from now on at any time */
}

bool chat_keep(struct seat *seat, struct question *question) {
    struct infer *infer = seat->infer;
    struct keeping *keeping = mem_new(sizeof *keeping);
    keeping->work.run = keep;
    keeping->question = question;
    read_answer(question->answer, &keeping->text);
    cut_keep(seat, question, keeping->text.len);
    lock_take(&infer->lock);
    question->over = false;
    list_append(&seat->asked, &question->link);
    seat->asked_count++;
    lock_drop(&infer->lock);
    if (manage_write(infer->settings.manage, &keeping->work))
        return true;
    lock_take(&infer->lock);
    list_remove(&question->link);
    seat->asked_count--;
    lock_drop(&infer->lock);
    buf_done(&keeping->text);
    free(keeping);
    end_kept(question, -ERR_CANCELLED);
    return false;
}
