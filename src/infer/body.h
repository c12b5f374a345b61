/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_BODY_H
#define WEIGHTFS_INFER_BODY_H

/*
 * What is sent to an engine, as OpenAI's chat completions want it. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "infer/template.h"

/* A streamed chat: `system` and `params` may be "", the last turn is the question. The texts are UTF-8
 * (body_check). */
void body_chat(const char *model, const char *system, const struct template_turn *turns, size_t count,
    const char *params, struct buf *to);
/* Turns of a talk as one text to go on with, streamed, in a family's words (NULL: as they are). */
void body_completion(const char *model, const struct template_family *family, const char *system,
    const struct template_turn *turns, size_t count, const char *params, struct buf *to);
/* A text to be embedded. */
void body_embed(const char *model, const char *text, struct buf *to);
/* Raw JSON from a user, with its member `model` made ours; *ret_stream: "stream" is true. -EINVAL with line
 * and column for what is no JSON object. */
int body_raw(const char *model, const char *text, size_t len, struct buf *to, bool *ret_stream,
    struct reason *reason);
/* Is it UTF-8 without a NUL? -EINVAL with the offset of the first byte that is not. */
int body_check(const char *text, size_t len, struct reason *reason);

#endif
