/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_CHAT_H
#define WEIGHTFS_INFER_CHAT_H

/*
 * Conversations. The catalogue keeps them (model/catalog_chat.h); here is what happens to them: people make,
 * change and end them, and a question of one is sent with all that was said before, and kept with its
 * answer when that ended well. One question of a chat is answered at a time, the others wait in order.
 *
 * What the model's context does not hold is left out from the oldest turn on: when the engine says that it
 * is too long, so much goes that a quarter of the context is free again, and that stays so until the model
 * is loaded anew. The history itself loses nothing.
 *
 * Threads: any; none waits. Changes are PARKED until they are committed.
 */

#include "base/wait.h"
#include "infer/infer.h"
#include "model/catalog_chat.h"

/* A name: UTF-8, no slash, no control character, no dot at its beginning. 0, -EINVAL or -ENAMETOOLONG. */
int chat_check_name(const char *name);

/* PARKED until finish(0 or an error): -EEXIST, -EDQUOT (chats_most), -ENOENT (no such model); or at once
 * -EINVAL, -ENAMETOOLONG, -ERR_CANCELLED (it all ends). */
int chat_make(struct infer *infer, int64_t model_id, uid_t uid, const char *name, struct wait *wait);
/* -EEXIST, -ENOENT. */
int chat_rename(struct infer *infer, int64_t id, const char *name, struct wait *wait);
/* With all that was said; what is being answered is ended (-ERR_CANCELLED). */
int chat_remove(struct infer *infer, int64_t id, struct wait *wait);
/* The chat's own system prompt: "none" is none at all, "default" is the model's again. -EINVAL: no UTF-8,
 * with the sentence in chat_report(). */
int chat_set_system(struct infer *infer, int64_t id, const char *text, size_t len, struct wait *wait);
/* Lines of parameters (params.h), which count before the model's. `replaces`: those that the chat had are
 * gone; else these change some. A line `none` is the same as `replaces`. -ERR_BAD_VALUE, with the sentence
 * in chat_report(), and nothing has changed. */
int chat_set_params(struct infer *infer, int64_t id, const char *text, size_t len, bool replaces,
    struct wait *wait);
/* Ends what was asked in it: how many questions. */
unsigned chat_cancel(struct infer *infer, int64_t id);

/* "system" or "params" as they are in force: the chat's before the model's; added to `to`. */
void chat_text(struct infer *infer, const struct catalog_chat *chat, const char *name, struct buf *to);

struct chat_report {
    unsigned waiting, answering;
    int64_t cut; /* turns that are not sent any more, the oldest; 0: all are */
    int error;   /* of the last change, or of keeping the last turn; 0 */
    struct reason reason;
};
void chat_report(struct infer *infer, const struct catalog_chat *chat, struct chat_report *ret_report);

#endif
