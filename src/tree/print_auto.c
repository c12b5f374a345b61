/* SPDX-License-Identifier: Apache-2.0 */
/* auto/infer/status: what was decided for the question of who opens it. */

#include "infer/auto.h"
#include "tree/inside.h"
#include "tree/place.h"
#include "tree/print.h"
#include "tree/sheet.h"

/* "candidate  hf:acme/tiny 230 loaded +200, 1.0B +30", "left_out  hf:acme/vectors can't answer in words" */
static void add_lines(const struct auto_report *report, struct sheet *sheet) {
    for (size_t i = 0; i < report->line_count; i++) {
        const struct auto_line *line = &report->lines[i];
        struct buf text BUF_CLEANUP = BUF_INIT;
        if (line->is_out)
            (void)buf_format(&text, "%s %s", line->key, line->why); /* no limit: none of these can fail */
        else
            (void)buf_format(&text, "%s %d %s", line->key, line->points, line->why);
        sheet_text(sheet, line->is_out ? "left_out" : "candidate", buf_text(&text));
    }
}

static void add_array(const struct auto_report *report, struct buf *to) {
    (void)buf_text_add(to, "[");
    for (size_t i = 0; i < report->line_count; i++) {
        const struct auto_line *line = &report->lines[i];
        (void)buf_format(to, "%s{\"key\":", i ? "," : "");
        (void)buf_json_string(to, line->key);
        if (line->is_out)
            (void)buf_text_add(to, ",\"points\":null,\"why\":");
        else
            (void)buf_format(to, ",\"points\":%d,\"why\":", line->points);
        (void)buf_json_string(to, line->why);
        (void)buf_text_add(to, "}");
    }
    (void)buf_text_add(to, "]");
}

static int auto_sheet(const struct place *place, uid_t uid, struct buf *to, bool json) {
    struct auto_report *report = mem_new(sizeof *report);
    struct sheet sheet;
    if (place->tree->settings.infer)
        auto_report(place->tree->settings.infer, uid, report);
    sheet_begin(&sheet, to, json);
    sheet_bool(&sheet, "asked", report->asked);
    sheet_text(&sheet, "task", report->task);
    sheet_text(&sheet, "because", report->because);
    sheet_text(&sheet, "picked", report->picked);
    sheet_text(&sheet, "why", report->error || !report->line_count ? NULL : report->lines[0].why);
    sheet_text(&sheet, "error", report->error ? err_name(report->error) : NULL);
    sheet_text(&sheet, "reason", report->error ? err_text(&report->reason, report->error) : NULL);
    sheet_number(&sheet, "models", report->looked_at);
    if (json) {
        sheet_member(&sheet, "candidates");
        add_array(report, to);
    } else {
        add_lines(report, &sheet);
    }
    sheet_end(&sheet);
    free(report);
    return 0;
}

int tell_auto_status(const struct place *place, uid_t uid, struct buf *to) {
    return auto_sheet(place, uid, to, false);
}

int tell_auto_status_json(const struct place *place, uid_t uid, struct buf *to) {
    return auto_sheet(place, uid, to, true);
}
