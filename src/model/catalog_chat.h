/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_CATALOG_CHAT_H
#define WEIGHTFS_MODEL_CATALOG_CHAT_H

/*
 * Conversations with models. A chat is of one model and one user, and has a name among the chats of both;
 * it goes with its model. What was said are *turns*: a question and its answer, written together, so that
 * there is never half a one. Reading on any thread, writing on the desk, as in catalog.h.
 */

#include <sys/types.h>

#include "base/buf.h"
#include "model/catalog.h"

#define CHAT_NAME_SIZE 101 /* 100 bytes and the NUL */

struct catalog_chat {
    int64_t id, model_id;
    uid_t uid;
    char name[CHAT_NAME_SIZE];
    int64_t created_ms; /* wall */
    int64_t turns;      /* whole ones: numbers 1 to so many */
    int64_t bytes;      /* of all that was said, both sides */
};

/* 0, -ENOENT or -ERR_DATABASE. */
int catalog_chat(struct catalog *catalog, int64_t id, struct catalog_chat *ret_chat);
int catalog_find_chat(struct catalog *catalog, int64_t model_id, uid_t uid, const char *name,
    struct catalog_chat *ret_chat);
/* Of one model and user, up to `room` with id > `after_id`, in order of id: the count, or -ERR_DATABASE. */
int catalog_list_chats(struct catalog *catalog, int64_t model_id, uid_t uid, int64_t after_id,
    struct catalog_chat *array, size_t room);
/* When a chat of the model last came, went or was renamed, in wall milliseconds; 0: never. */
int catalog_chats_changed(struct catalog *catalog, int64_t model_id, int64_t *ret_ms);
/* The chat's own text "system" or "params", added to `to`, which may be empty; -ENOENT: it has none of its
 * own (or there is no such chat): the model's counts. */
int catalog_chat_text(struct catalog *catalog, int64_t id, const char *name, struct buf *to);

struct catalog_turn {
    int64_t number;             /* from 1, without gaps */
    const char *asked, *answer; /* valid during the call only */
    int64_t asked_ms, answered_ms;
    int64_t prompt_tokens, answer_tokens; /* as the engine counted; 0: it did not */
};
/* Calls `each` with the turns behind `after`, in order, until it returns an error. It runs under the
 * catalogue's reading lock: quick, memory only. 0, -ERR_DATABASE, or what `each` returned. */
int catalog_each_turn(struct catalog *catalog, int64_t id, int64_t after,
    int (*each)(void *context, const struct catalog_turn *turn), void *context);

/* --- On the desk --- */

/* -EEXIST: the user has one of that name; -EDQUOT: he has `most` already, with all models; -ENOENT: there is
 * no such model. */
int catalog_add_chat(struct catalog *catalog, int64_t model_id, uid_t uid, const char *name, int64_t most,
    int64_t *ret_id);
/* -ENOENT, -EEXIST (another one has that name). */
int catalog_rename_chat(struct catalog *catalog, int64_t id, const char *name);
/* With all that was said in it. -ENOENT. */
int catalog_remove_chat(struct catalog *catalog, int64_t id);
/* `text` NULL: it has none of its own any more. -ENOENT: no such chat. */
int catalog_set_chat_text(struct catalog *catalog, int64_t id, const char *name, const char *text);
/* Adds one behind the last; its `number` is not looked at. -ENOENT: no such chat; -EDQUOT: with it the chat
 * would have more than `most_bytes`. */
int catalog_add_turn(struct catalog *catalog, int64_t id, const struct catalog_turn *turn,
    int64_t most_bytes);

#endif
