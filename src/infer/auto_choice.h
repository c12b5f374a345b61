/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_AUTO_CHOICE_H
#define WEIGHTFS_INFER_AUTO_CHOICE_H

/*
 * Which model answers what was asked of auto/: first what kind of task it is, then which of the models that
 * are known fits it best, with a line on each that says why or why not. Pure and deterministic: the same
 * candidates in any order give the same choice. No locks.
 *
 * Points: what people said counts most (the link `default`, then `preferred_models` in its order), then what
 * the task wants, then what is in memory already, then size. A model that would have to be fetched is taken
 * only when nothing that is here fits, and only as far as `auto_fetch` goes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "infer/infer.h"
#include "manage/known.h"
#include "manage/state.h"
#include "model/card.h"
#include "model/name.h"

#define AUTO_WHY_SIZE 160

enum auto_task { AUTO_CHAT, AUTO_CODE, AUTO_VISION, AUTO_EMBED, AUTO_TASK_COUNT };
const char *auto_task_name(enum auto_task task); /* "chat" "code" "vision" "embedding" */

/* What is asked? `why` says by what it was told: "the word `python`". auto_task.c */
enum auto_task auto_task_of(enum infer_shape shape, const char *text, size_t len,
    char ret_why[static AUTO_WHY_SIZE]);

/* A model, as far as it is known. Plain data. */
struct auto_candidate {
    int64_t model_id;
    char key[NAME_KEY_SIZE];       /* "hf:acme/tiny" */
    char category[CATEGORY_SIZE];  /* model_category(): "llm", "other" */
    char card_category[CARD_TEXT]; /* of its own files, in the Hub's words: "text-generation"; "" unknown */
    char architecture[CARD_TEXT];  /* "" unknown */
    enum model_state state;
    enum seat_state seat;
    unsigned queue;     /* questions that wait or are answered there */
    bool is_default;    /* the root's link leads to it */
    bool is_locked;     /* gated, and we may not */
    unsigned can;       /* AUTO_CAN_ bits, as the operator declared it; 0: not said */
    bool has_engine;    /* one here loads its files, or asks for it elsewhere */
    bool has_projector; /* an mmproj file: it looks at pictures */
    bool failed;        /* it could not be loaded last */
    uint64_t missing_bytes, need_bytes, parameters, context_tokens; /* 0: none, or not known */
};

/* auto_kind.c: what it can do. *ret_sure: something said so; else it is taken for one that talks, as most
 * are. */
enum { AUTO_CAN_CHAT = 1, AUTO_CAN_SEE = 2, AUTO_CAN_EMBED = 4, AUTO_CAN_OTHER = 8 };
unsigned auto_can(const struct auto_candidate *model, bool *ret_sure);
bool auto_is_coder(const struct auto_candidate *model); /* made for code, as its name says */

struct auto_limits {
    enum auto_task task;
    size_t prompt_bytes;
    uint64_t memory_bytes;  /* that a model which is not loaded may take; UINT64_MAX: not known */
    bool lazy;              /* anything may be fetched at all */
    uint64_t fetch_bytes;   /* as much of a model may be fetched for an answer */
    const char *preferred;  /* keys, sources and categories, commas or blanks between them; "" */
    const char *suggestion; /* the key of a model to pull for the task; "" none is known */
};

enum auto_standing { AUTO_OUT, AUTO_LATER, AUTO_FITS }; /* LATER: it would have to be fetched first */
struct auto_verdict {
    enum auto_standing standing;
    int points;              /* unless it is out */
    char why[AUTO_WHY_SIZE]; /* "default +1000, loaded +200, 7.6B +39", or why not */
};

/* Fills `ret_verdicts` (as many as candidates) in any case. 0 and *ret_index; -EOPNOTSUPP: none can do the
 * task; -ENOENT: none is here that can; -ENOMEM: none that fits into memory: each with a sentence on what to
 * pull or change. */
int auto_choose(const struct auto_limits *limits, const struct auto_candidate *candidates, size_t count,
    struct auto_verdict *ret_verdicts, size_t *ret_index, struct reason *reason);
/* Is the first the better one? For sorting lines. */
bool auto_is_better(const struct auto_candidate *a, const struct auto_verdict *of_a,
    const struct auto_candidate *b, const struct auto_verdict *of_b);

#endif
