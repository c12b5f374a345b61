/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_FAILURE_H
#define WEIGHTFS_INFER_FAILURE_H

/*
 * What servers say when they refuse or fail, as our errors and sentences. Shapes in the field: OpenAI's
 * {"error":{"message","type","code"}} with a code that is a string, a number or null; Ollama's
 * {"error":"text"}; plain text. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "outside/json.h"

/* Of an answer with a status of 300 or more: the error, with the server's own words in the reason. */
int failure_of_status(int status, const char *text, size_t len, struct reason *reason);
/* Of an event in the middle of a stream that has a member `error`. */
int failure_of_event(const struct json *event, struct reason *reason);

/* The numbers of a refusal for length: how many tokens were sent, and how many the context holds. false: the
 * text does not tell both. */
bool failure_overflow(const char *text, size_t len, int64_t *ret_sent, int64_t *ret_context);

#endif
