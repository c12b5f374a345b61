/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_TEMPLATE_H
#define WEIGHTFS_INFER_TEMPLATE_H

/*
 * Chat templates of families of models, for servers that only go on with a text (no /chat/completions): turns
 * in, the one text out that the family was trained on; and what has to be cut from the answer, since nobody
 * else cuts it there. A family is a row of template_table.c. Its texts are what llama-server's own formatters
 * of the same name print, to the byte (tests/mount/119-template compares them); those that it does not have
 * are marked there. The mark for the beginning of a text (BOS) is not among them: tokenizers add it.
 *
 * All pure, without locks: any thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum template_role { TEMPLATE_USER, TEMPLATE_ANSWER };

struct template_turn {
    enum template_role role;
    const char *text;
};

#define TEMPLATE_STOPS_MOST 4 /* as many as OpenAI takes in a request */
enum { TRIM_ANSWERS = 1, TRIM_ALL = 2 };

struct template_family {
    const char *name; /* "llama3" */
    const char *help; /* whose it is */
    const char *begin;
    const char *system_before, *system_after;
    const char *user_before, *user_after;
    const char *answer_before, *answer_after;
    const char *open;                           /* behind the last user's turn: the model goes on from here */
    bool system_inside;                         /* the system prompt is a part of the first user's turn */
    unsigned trim;                              /* blanks around texts are taken away: TRIM_ bits */
    const char *stops[TEMPLATE_STOPS_MOST + 1]; /* the answer ends before these; NULL-ended */
};

extern const struct template_family template_table[];          /* ended by one without a name */
const struct template_family *template_find(const char *name); /* NULL: there is none */

/* The text to go on with, of a family (NULL: as it is): the system prompt ("" none), the turns, and the
 * opening of the model's answer when the last turn is the user's (else the last answer is left open, to be
 * continued). */
void template_print(const struct template_family *family, const char *system,
    const struct template_turn *turns, size_t count, struct buf *to);

/* --- Which family a model is of: template_choose.c --- */

struct template_hints {        /* NULL or "": not known */
    const char *setting;       /* "auto", "none", or a family's name */
    const char *chat_template; /* of its card */
    const char *tokens;        /* its special tokens, blanks between them */
    const char *architecture;  /* "llama" */
    const char *name;          /* "hf:TinyLlama/TinyLlama-1.1B-Chat-v1.0" */
};

struct template_choice {
    const struct template_family *family; /* NULL: none, what is asked is sent as it is */
    bool is_guess;
    const char *why; /* what it follows from, static: "its chat template" */
};
void template_choose(const struct template_hints *hints, struct template_choice *ret_choice);

/* --- Cutting what is no answer, while it streams: template_trim.c --- */

/*
 * Away go: blanks and a repeated role tag at the beginning; the first of the family's stops with all behind
 * it; and marks of any family's end when nothing but those comes behind them, whole or cut in two by the end
 * of the stream. What may yet become one of these is held back, TRIM_HOLD bytes at most.
 */
#define TRIM_HOLD 256

struct trimmer {
    const struct template_family *family; /* NULL: nothing is cut */
    char held[TRIM_HOLD * 2];
    size_t len;
    bool begun, tag_gone, stopped;
};
/* Takes a piece of the answer, not empty; 0 or an error, which ends the feeding. */
typedef int (*trimmer_emit)(void *context, const char *text, size_t len);

void trimmer_init(struct trimmer *trimmer, const struct template_family *family);
/* 0; 1: a stop came, what follows is not wanted; or emit's error. */
int trimmer_feed(struct trimmer *trimmer, const char *text, size_t len, trimmer_emit emit, void *context);
/* No more comes: 0 or emit's error. */
int trimmer_end(struct trimmer *trimmer, trimmer_emit emit, void *context);

#endif
