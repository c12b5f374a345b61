/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoint's texts. */

#include "infer/infer.h"
#include "tree/inside.h"
#include "tree/place.h"
#include "tree/print.h"
#include "tree/sheet.h"

int print_question(const struct place *place, struct buf *to) {
    return buf_format(to, "%s\n", place->row->help);
}

static int print_text(const struct place *place, const char *name, struct buf *to) {
    if (place->tree->settings.infer)
        infer_text(place->tree->settings.infer, place->model.id, name, to);
    return to->len && to->data[to->len - 1] != '\n' ? buf_text_add(to, "\n") : 0;
}

int print_system(const struct place *place, struct buf *to) {
    return print_text(place, "system", to);
}

int print_params(const struct place *place, struct buf *to) {
    return print_text(place, "params", to);
}

static int infer_sheet(const struct place *place, struct buf *to, bool json) {
    struct infer_report report = {.state = SEAT_COLD};
    struct sheet sheet;
    if (place->tree->settings.infer)
        infer_report(place->tree->settings.infer, place->model.id, &report);
    sheet_begin(&sheet, to, json);
    sheet_text(&sheet, "state", seat_state_name(report.state));
    sheet_text(&sheet, "engine", *report.engine ? report.engine : NULL);
    sheet_number(&sheet, "waiting", report.waiting);
    sheet_number(&sheet, "answering", report.answering);
    sheet_number(&sheet, "asked", report.asked);
    sheet_number(&sheet, "answered", report.answered);
    sheet_number(&sheet, "failed", report.failed);
    sheet_number(&sheet, "prompt_tokens", report.prompt_tokens);
    sheet_number(&sheet, "answer_tokens", report.answer_tokens);
    sheet_number(&sheet, "last_first_ms", report.last_first_ms);
    sheet_number(&sheet, "last_total_ms", report.last_total_ms);
    sheet_text(&sheet, "error", report.error ? err_name(report.error) : NULL);
    sheet_text(&sheet, "reason", report.error ? err_text(&report.reason, report.error) : NULL);
    sheet_end(&sheet);
    return 0;
}

int print_infer_status(const struct place *place, struct buf *to) {
    return infer_sheet(place, to, false);
}

int print_infer_status_json(const struct place *place, struct buf *to) {
    return infer_sheet(place, to, true);
}
