/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_CHAT_INSIDE_H
#define WEIGHTFS_INFER_CHAT_INSIDE_H

/* What question.c and the files of chats share. */

#include "infer/chat.h"
#include "infer/inside.h"
#include "infer/talk.h"

/* What is known of a chat beside the catalogue. Under INFER. Those that nothing is to be told of are let go
 * when they are many. */
struct chat {
    struct list link; /* infer->chats, least recently used first */
    int64_t id;
    int64_t cut;     /* turns up to this one are not sent … */
    uint64_t loaded; /* … to the model as it was loaded then (seat->loaded) */
    int error;       /* chat_report */
    struct reason reason;
};
#define CHATS_MOST 4096

/* Under the lock: its place, made when there is none. */
struct chat *chat_of(struct infer *infer, int64_t id);
void chat_forget(struct infer *infer, int64_t id);
void chats_free(struct infer *infer);
/* What went wrong with it, for `error` and `status`; 0: nothing did. Takes the lock, and tells the news. */
void chat_note(struct infer *infer, int64_t id, int error, const char *sentence);

/* --- Desk --- */

/* Under the lock: may it be asked now? No, while another one of its chat is. */
bool chat_is_free(const struct seat *seat, const struct question *question);
/* talk_take() of one: all that was said, and the question. */
int chat_talk(struct seat *seat, struct question *question, struct talk *talk, struct reason *reason);
/* It was too long: true when it can be asked again with fewer turns. chat_cut.c, as the next two. */
bool chat_cut(struct seat *seat, struct question *question);
/* How many turns are not sent with it: question->cut. */
void cut_begin(struct seat *seat, struct question *question);
/* Its answer, of so many bytes, is whole: what was cut for it stays cut, and more if the context is full. */
void cut_keep(struct seat *seat, struct question *question, size_t answer_bytes);
/* Its answer is whole and has not ended: it is kept, and then the question is `over` once more, `kept`, and
 * its answer has ended. false: nothing is to be waited for, and the answer has ended. */
bool chat_keep(struct seat *seat, struct question *question);

#endif
