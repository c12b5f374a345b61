/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_PARAMS_H
#define WEIGHTFS_INFER_PARAMS_H

/*
 * Parameters of sampling, as the file `params` has them: one `name value` a line, `#` begins a comment. Names
 * are OpenAI's and llama-server's; each is a row with a range, and goes into the request's JSON under its own
 * name. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum param_type { PARAM_REAL, PARAM_WHOLE, PARAM_TEXT };

struct param_row {
    const char *name;
    enum param_type type;
    double least, most;
    const char *help;
};
/* NULL after the last. */
const struct param_row *param_row(size_t index);

/* Judges a whole text and writes it to `ret_text` as it is kept: one line a name, in the table's order, the
 * last line of a name counts, but each `stop` adds one. `merge`: what is there already ("" or the
 * result of a former call): its names stay unless `text` has them; a name without a value goes.
 * -ERR_BAD_VALUE with the line and the range, or the nearest known name; then nothing is written. */
int params_read(const char *text, const char *merge, struct buf *ret_text, struct reason *reason);
/* Adds `,"name":value` for each line of a text that params_read() made. */
void params_print(const char *text, struct buf *to);

#endif
