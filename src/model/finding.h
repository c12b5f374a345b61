/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_FINDING_H
#define WEIGHTFS_MODEL_FINDING_H

/*
 * What a look at a file found: a short list of sentences, each with a level. Files are hostile, so the list
 * is bounded: the first FINDINGS_MAX are kept (of a graver level room is always made by dropping a lighter
 * one), the rest are counted. A list belongs to one thread. FINDINGS_INIT begins one, findings_done() frees
 * it.
 */

#include <stdbool.h>
#include <stddef.h>

#define FINDINGS_MAX     64
#define FINDING_TEXT_MAX 300 /* bytes; longer sentences are cut between characters */

/* In rising order: the worst is the highest. `danger`: loading the file may do harm. `error`: the file is not
 * what its format says; loaders will refuse it. */
enum finding_level { FINDING_OK, FINDING_NOTE, FINDING_WARNING, FINDING_DANGER, FINDING_ERROR };
#define FINDING_LEVELS 5

struct finding {
    enum finding_level level;
    char *text; /* one line, printable UTF-8, no full stop */
};

struct findings {
    struct finding *items; /* in the order found */
    size_t count;
    size_t dropped;                  /* not kept */
    size_t of_level[FINDING_LEVELS]; /* all, also those not kept */
};

#define FINDINGS_INIT \
    {                 \
        NULL, 0, 0, { \
            0         \
        }             \
    }
#define FINDINGS_CLEANUP __attribute__((cleanup(findings_done)))

void findings_done(struct findings *findings);
void findings_add(struct findings *findings, enum finding_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Hands the items of `from` on, each with `prefix` (may be "") before its text; `from` is empty then. */
void findings_move(struct findings *findings, struct findings *from, const char *prefix);
/* The highest level that was added; FINDING_OK for none. */
enum finding_level findings_worst(const struct findings *findings);
/* "ok", "note", "warning", "danger", "error". */
const char *finding_level_name(enum finding_level level);

#endif
