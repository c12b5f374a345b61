/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/sheet.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

#define KEY_COLUMNS 16

/* Adding to a buffer without a limit does not fail: the results are not looked at here. */

void sheet_begin(struct sheet *sheet, struct buf *to, bool json) {
    *sheet = (struct sheet){.to = to, .json = json};
    if (json)
        (void)buf_text_add(to, "{");
}

void sheet_end(struct sheet *sheet) {
    if (sheet->json)
        (void)buf_text_add(sheet->to, sheet->any ? "\n}\n" : "}\n");
}

void sheet_member(struct sheet *sheet, const char *key) {
    if (sheet->json)
        (void)buf_format(sheet->to, "%s\n  \"%s\": ", sheet->any ? "," : "", key);
    else
        (void)buf_format(sheet->to, "%-*s ", KEY_COLUMNS, key);
    sheet->any = true;
}

static void line_end(struct sheet *sheet) {
    if (!sheet->json)
        (void)buf_text_add(sheet->to, "\n");
}

void sheet_number(struct sheet *sheet, const char *key, uint64_t value) {
    sheet_member(sheet, key);
    (void)buf_format(sheet->to, "%" PRIu64, value);
    line_end(sheet);
}

void sheet_bytes(struct sheet *sheet, const char *key, uint64_t value) {
    char words[HUMAN_SIZE];
    sheet_member(sheet, key);
    (void)buf_format(sheet->to, "%" PRIu64, value);
    if (!sheet->json && value >= 1000)
        (void)buf_format(sheet->to, " (%s)", human_bytes(words, value));
    line_end(sheet);
}

void sheet_bool(struct sheet *sheet, const char *key, bool value) {
    static const char *const words[2][2] = {
        {"no",    "yes" },
        {"false", "true"}
    };
    sheet_member(sheet, key);
    (void)buf_text_add(sheet->to, words[sheet->json][value]);
    line_end(sheet);
}

void sheet_text(struct sheet *sheet, const char *key, const char *value) {
    bool known = value && *value;
    if (!known && !sheet->json)
        return;
    sheet_member(sheet, key);
    if (sheet->json)
        (void)buf_json_string(sheet->to, known ? value : NULL);
    else
        (void)buf_text_add(sheet->to, value);
    line_end(sheet);
}

void sheet_time(struct sheet *sheet, const char *key, int64_t wall_ms) {
    char stamp[CLOCK_STAMP_SIZE];
    sheet_text(sheet, key, wall_ms ? clock_stamp(stamp, wall_ms) : NULL);
}
