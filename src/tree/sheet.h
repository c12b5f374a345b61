/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_SHEET_H
#define WEIGHTFS_TREE_SHEET_H

/*
 * One list of keys and values printed in two ways: `key value` lines for people and shells, or a JSON
 * object. Keys are literals. A value that is not known is null in JSON and left out of the lines.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct sheet {
    struct buf *to;
    bool json;
    bool any;
};

void sheet_begin(struct sheet *sheet, struct buf *to, bool json);
void sheet_end(struct sheet *sheet);
void sheet_number(struct sheet *sheet, const char *key, uint64_t value);
void sheet_bytes(struct sheet *sheet, const char *key, uint64_t value);   /* lines: also in words */
void sheet_bool(struct sheet *sheet, const char *key, bool value);        /* lines: yes, no */
void sheet_text(struct sheet *sheet, const char *key, const char *value); /* NULL and "": not known */
void sheet_time(struct sheet *sheet, const char *key, int64_t wall_ms);   /* 0: not known */
/* JSON only: begins a member whose value the caller adds to `to`. */
void sheet_member(struct sheet *sheet, const char *key);

#endif
