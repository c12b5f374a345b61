/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_SETTING_VALUE_H
#define WEIGHTFS_MANAGE_SETTING_VALUE_H

/* Values of settings between JSON and the text that options take. Pure. */

#include "base/buf.h"
#include "base/option.h"
#include "outside/json.h"

#define SETTING_NUMBER_SIZE 40

/* A string, number or bool as text, numbers made in `number`; NULL for what no option can be. */
const char *setting_value_text(const struct json *value, char number[static SETTING_NUMBER_SIZE]);
/* Do two texts mean the same to the row ("1" and "on", "1G" and "1000000000")? "" is unset. */
bool setting_value_same(const struct option_row *row, const char *a, const char *b);
/* `text` (as options_show() gives it) as JSON: true, 30, 0.35, "text"; null for "". */
void setting_value_json(const struct option_row *row, const char *text, struct buf *to);

#endif
