/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_OPTION_PARSE_H
#define WEIGHTFS_BASE_OPTION_PARSE_H

/*
 * What the types of options are: option.c's own. Pure.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/option.h"

/* Checks `text` against the row. *ret_number is what BOOL, NUMBER and BYTES mean, *ret_text how the value
 * is kept and shown (`text` or a static one; NULL for an empty TEXT: unset). -ERR_BAD_VALUE. */
int option_parse(const struct option_row *row, const char *text, int64_t *ret_number, const char **ret_text);
/* "a number from 1 to 64", "on, off or daily": for messages. */
void option_wanted(const struct option_row *row, char *to, size_t size);

/* A TEXT has at most so many bytes, NUL included. */
#define OPTION_TEXT_SIZE 4096

#endif
