/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_UTF8_H
#define WEIGHTFS_BASE_UTF8_H

/*
 * UTF-8, as far as text that came from outside and is shown to people needs it. Pure; any bytes are allowed
 * as input.
 */

#include <stddef.h>

/* How many bytes (1 to 4) the well-formed character at the start of `text` has; 0 when there is none
 * (`len` 0, a malformed, overlong or cut sequence, a surrogate, above U+10FFFF). NUL is a character of one
 * byte. */
size_t utf8_char(const char *text, size_t len);
/* Makes text fit for one line of a terminal, in place: each control character (C0, DEL, C1) and malformed
 * byte becomes '?'. */
void utf8_tame(char *text);
/* Copies what fits into `to` of `size` bytes (at least 1), cut between characters; ends it with a NUL. */
void utf8_cut(char *to, size_t size, const char *text);

#endif
