/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoint's texts. */

#include <inttypes.h>
#include <stdio.h>

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

/* "25:3 50:1 more:2": how many took up to so many milliseconds. JSON: an object of the same. */
static void times(struct sheet *sheet, const char *key, const struct infer_times *times) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    char name[24] = "more";
    for (unsigned i = 0; i <= INFER_TIME_BOUNDS; i++) {
        if (!times->cells[i])
            continue;
        if (i < INFER_TIME_BOUNDS)
            (void)snprintf(name, sizeof name, "%" PRIu64, infer_time_bounds_ms[i]);
        else
            (void)snprintf(name, sizeof name, "more");
        (void)buf_format(&text, sheet->json ? "%s\"%s\": %" PRIu64 : "%s%s:%" PRIu64, /* no limit */
            !text.len     ? ""
            : sheet->json ? ", "
                          : " ",
            name, times->cells[i]);
    }
    if (sheet->json) {
        sheet_member(sheet, key);
        (void)buf_format(sheet->to, "{%s}", buf_text(&text));
    } else {
        sheet_text(sheet, key, buf_text(&text));
    }
}

/* Of the last answer, from its first text on; of one that came all at once, from the question on. */
static uint64_t tokens_per_second(const struct infer_report *report) {
    uint64_t ms = report->last_total_ms - report->last_first_ms;
    if (ms && report->last_tokens > 1)
        return (report->last_tokens - 1) * 1000 / ms;
    return report->last_total_ms ? report->last_tokens * 1000 / report->last_total_ms : 0;
}

static void bytes_if_known(struct sheet *sheet, const char *key, uint64_t bytes) {
    if (bytes)
        sheet_bytes(sheet, key, bytes);
}

static int infer_sheet(const struct place *place, uid_t uid, struct buf *to, bool json) {
    struct infer_report report = {.state = SEAT_COLD};
    struct sheet sheet;
    char key[NAME_KEY_SIZE];
    name_format(place->model.source, place->model.name, key);
    struct infer *infer = place->tree->settings.infer;
    if (infer)
        infer_report(infer, place->model.id, &report);
    unsigned position = report.waiting ? infer_position(infer, place->model.id, uid) : 0;
    sheet_begin(&sheet, to, json);
    sheet_text(&sheet, "model", key);
    sheet_text(&sheet, "state", seat_state_name(report.state));
    sheet_text(&sheet, "engine", *report.engine ? report.engine : NULL);
    if (*report.template) {
        sheet_text(&sheet, "template", report.template);
        sheet_text(&sheet, "template_by", report.template_why);
        sheet_bool(&sheet, "template_guessed", report.template_guessed);
    }
    sheet_number(&sheet, "waiting", report.waiting);
    if (position)
        sheet_number(&sheet, "position", position);
    sheet_number(&sheet, "answering", report.answering);
    if (report.rest_ms)
        sheet_number(&sheet, "rest_s", (report.rest_ms + 999) / 1000);
    if (report.server_memory_bytes)
        sheet_number(&sheet, "server_memory_bytes", report.server_memory_bytes);
    if (report.server_vram_bytes)
        sheet_number(&sheet, "server_vram_bytes", report.server_vram_bytes);
    sheet_text(&sheet, "waits_for", *report.waits_for ? report.waits_for : NULL);
    bytes_if_known(&sheet, "memory_needed", report.memory_needed);
    bytes_if_known(&sheet, "memory_used", report.memory_used);
    bytes_if_known(&sheet, "memory_budget", report.memory_budget);
    bytes_if_known(&sheet, "vram_needed", report.vram_needed);
    bytes_if_known(&sheet, "vram_budget", report.vram_budget);
    if (report.is_outdated)
        sheet_text(&sheet, "settings", "changed since it was loaded: it is loaded anew once it has answered");
    sheet_number(&sheet, "asked", report.asked);
    sheet_number(&sheet, "answered", report.answered);
    sheet_number(&sheet, "failed", report.failed);
    sheet_number(&sheet, "prompt_tokens", report.prompt_tokens);
    sheet_number(&sheet, "answer_tokens", report.answer_tokens);
    sheet_number(&sheet, "last_first_ms", report.last_first_ms);
    sheet_number(&sheet, "last_total_ms", report.last_total_ms);
    sheet_number(&sheet, "tokens_per_second", tokens_per_second(&report));
    times(&sheet, "first_ms", &report.first_times);
    times(&sheet, "total_ms", &report.total_times);
    sheet_text(&sheet, "error", report.error ? err_name(report.error) : NULL);
    sheet_text(&sheet, "reason", report.error ? err_text(&report.reason, report.error) : NULL);
    sheet_end(&sheet);
    return 0;
}

int tell_infer_status(const struct place *place, uid_t uid, struct buf *to) {
    return infer_sheet(place, uid, to, false);
}

int tell_infer_status_json(const struct place *place, uid_t uid, struct buf *to) {
    return infer_sheet(place, uid, to, true);
}

/* ---- openai.sock: of a model, or (in the root) of all */

int print_socket(const struct place *place, struct buf *to) {
    if (place->tree->settings.infer)
        infer_socket(place->tree->settings.infer, (int64_t)place->object, to);
    else
        (void)buf_text_add(to, "there-is-no-endpoint");
    return 0;
}

int prepare_socket(const struct place *place) {
    struct infer *infer = place->tree->settings.infer;
    return infer ? infer_socket_bind(infer, (int64_t)place->object) : 0;
}
