/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_ANSWER_H
#define WEIGHTFS_INFER_ANSWER_H

/*
 * What was answered so far to one question. Its text only grows, and it ends once: well, or with an error
 * and a sentence. Any number of readers read at offsets of their own, at the same time and again later,
 * and wait for what is not there yet. Reference counted; all functions may be called from any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/wait.h"

#define ANSWER_LIMIT  (64u << 20)  /* bytes of text of one … */
#define ANSWERS_LIMIT (512u << 20) /* … and of all */

struct answer;

/* One reference, the caller's. `number` names the question (infer_cancel). */
struct answer *answer_new(uint64_t number);
uint64_t answer_number(const struct answer *answer);
struct answer *answer_ref(struct answer *answer);
void answer_put(struct answer *answer); /* NULL is allowed */

/* More text: -ERR_TOO_LARGE, or -ERR_CANCELLED once it has ended. Nothing of it is added then. */
int answer_add(struct answer *answer, const char *text, size_t len);
/* Something moved, though no text came (a model that loads, a prompt that is read): the stall clocks of those
 * who wait start again. */
void answer_moved(struct answer *answer);
/* What is known once: 0 is "not told". */
struct answer_usage {
    uint64_t prompt_tokens, answer_tokens;
};
void answer_set_usage(struct answer *answer, const struct answer_usage *usage);
/* What the server's head said: 200. */
void answer_set_status(struct answer *answer, int status);
/* The end: 0, or an error with its sentence. Only the first end counts. */
void answer_end(struct answer *answer, int error, const char *sentence);

/* 0: there is text behind `offset`, or it has ended. PARKED: `wait` is kept until so. */
int answer_await(struct answer *answer, uint64_t offset, struct wait *wait);
/* Up to `size` bytes from `offset` on; the count. 0 at the end of an answer that went well, or when
 * nothing is there yet; the error of one that failed, once its text is read. */
ssize_t answer_read(struct answer *answer, uint64_t offset, void *data, size_t size);

struct answer_info {
    uint64_t len;
    bool ended;
    int error;
    int status; /* of HTTP, from the server that answers; 0: none has yet */
    struct reason reason;
    uint64_t begun_ms, first_ms, ended_ms; /* clock_ms; 0: not yet */
    struct answer_usage usage;
};
void answer_look(struct answer *answer, struct answer_info *ret_info);

#endif
