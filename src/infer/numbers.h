/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_NUMBERS_H
#define WEIGHTFS_INFER_NUMBERS_H

/*
 * What the endpoint counts: the figures of each seat, usage by day and user in the catalogue, and the
 * metrics, whose rows are infer_metrics[] (infer.h) with these indices.
 */

#include "base/metric.h"
#include "infer/inside.h"

enum infer_metric {
    INFER_ASKED, /* by model, as those below unless it says otherwise */
    INFER_ANSWERED,
    INFER_FAILED,
    INFER_PROMPT_TOKENS,
    INFER_ANSWER_TOKENS,
    INFER_FIRST_SECONDS,
    INFER_ANSWER_SECONDS,
    INFER_WAITING,
    INFER_ANSWERING,
    INFER_LOADED,
    INFER_RESULTS, /* by error */
    INFER_LOADS,   /* by error */
    INFER_USAGE_LOST,
    INFER_METRICS
};

/* A question that sat in a seat has ended. Without the lock. */
void numbers_note(struct question *question);
/* A seat got ready (0), or could not be. */
void numbers_note_load(int error);

/* --- usage.c: sums on their way into the catalogue --- */
void usage_init(struct infer *infer);
/* After manage's desk has ended: frees what could not be written. */
void usage_done(struct infer *infer);
/* Adds `one` (its day is filled in), and has it written soon. Without the lock. */
void usage_note(struct infer *infer, const struct catalog_usage *one);

#endif
