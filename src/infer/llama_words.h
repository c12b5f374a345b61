/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_LLAMA_WORDS_H
#define WEIGHTFS_INFER_LLAMA_WORDS_H

/*
 * What llama-server says when it fails, as our errors and sentences: from the lines of its log and how it
 * ended. A table knows the characteristic words; what it does not know keeps its own. Not thread-safe: its
 * owner's lock.
 */

#include <stdbool.h>

#include "base/err.h"

#define LLAMA_WORDS_SIZE 300 /* of one line, with the NUL */

struct llama_words {
    int row; /* of the table: the first line that had characteristic words; 0: none had */
    char known[LLAMA_WORDS_SIZE]; /* that line */
    char first[LLAMA_WORDS_SIZE]; /* the first line that is an error */
    char last[LLAMA_WORDS_SIZE];  /* the last line */
};

/* A line of its log, in its order. */
void llama_words_note(struct llama_words *words, const char *line);
/* How it failed: `code` is its exit code, or 128 and a signal's number. A negative error and its sentence. */
int llama_words_judge(const struct llama_words *words, int code, struct reason *reason);

/* The part of a line of its log that a person wants: without the time and the level. *ret_is_error: the line
 * has the level of an error, or says `error` without one. (Pure.) */
const char *llama_line(const char *line, bool *ret_is_error);

#endif
