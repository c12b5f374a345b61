/* SPDX-License-Identifier: Apache-2.0 */

/* status and status.json of the root. */

#include <unistd.h>

#include "manage/known.h"
#include "tree/inside.h"
#include "tree/place.h"
#include "tree/print.h"
#include "tree/sheet.h"

static void add_required(struct sheet *sheet, const struct required_report *report) {
    struct buf list BUF_CLEANUP = BUF_INIT;
    sheet_number(sheet, "required", report->required);
    sheet_number(sheet, "recommended", report->recommended);
    for (size_t i = 0; i < report->missing_count; i++) {
        (void)buf_text_add(&list, !i ? "" : sheet->json ? "," : " "); /* no limit: none of these can fail */
        (void)(sheet->json ? buf_json_string(&list, report->missing[i])
                           : buf_text_add(&list, report->missing[i]));
    }
    if (!sheet->json) {
        sheet_text(sheet, "missing_required", buf_text(&list));
        return;
    }
    sheet_member(sheet, "missing_required");
    (void)buf_format(sheet->to, "[%s]", buf_text(&list));
}

static int root_sheet(const struct place *place, struct buf *to, bool json) {
    struct tree *tree = place->tree;
    struct root_report report;
    int result = root_report(tree->settings.manage, &report);
    if (result < 0)
        return result;
    struct required_report required REQUIRED_REPORT_CLEANUP = {0};
    required_report(tree->settings.manage, &required);
    uint64_t parked = 0;
    bool passthrough = false;
    if (tree->settings.face_figures)
        tree->settings.face_figures(tree->settings.context, &parked, &passthrough);

    struct sheet sheet;
    sheet_begin(&sheet, to, json);
    sheet_number(&sheet, "pid", (uint64_t)getpid());
    sheet_text(&sheet, "version", tree->version);
    sheet_text(&sheet, "mountpoint", tree->mountpoint);
    sheet_time(&sheet, "started", tree->start_ms);
    sheet_number(&sheet, "models", report.models);
    sheet_number(&sheet, "ready", report.ready);
    sheet_number(&sheet, "downloading", report.downloading);
    sheet_number(&sheet, "failed", report.failed);
    add_required(&sheet, &required);
    sheet_number(&sheet, "jobs", report.jobs_open);
    if (report.held_by >= 0)
        sheet_number(&sheet, "paused_by_uid", (uint64_t)report.held_by);
    sheet_bytes(&sheet, "bytes_cached", report.store.bytes_here);
    sheet_bytes(&sheet, "cache_max_bytes", report.store.budget_bytes);
    sheet_bytes(&sheet, "disk_free_bytes", report.store.disk_free_bytes);
    sheet_bytes(&sheet, "fetched_bytes", report.store.fetched_bytes);
    sheet_bytes(&sheet, "evicted_bytes", report.store.evicted_bytes);
    sheet_bytes(&sheet, "speed", report.store.speed);
    sheet_number(&sheet, "fetches", report.store.fetches);
    sheet_bool(&sheet, "offline", report.offline);
    sheet_bool(&sheet, "passthrough", passthrough);
    sheet_number(&sheet, "parked", parked);
    sheet_text(&sheet, "error", report.error ? err_name(report.error) : NULL);
    sheet_text(&sheet, "reason", report.error ? err_text(&report.reason, report.error) : NULL);
    sheet_end(&sheet);
    return 0;
}

int print_status(const struct place *place, struct buf *to) {
    return root_sheet(place, to, false);
}

int print_status_json(const struct place *place, struct buf *to) {
    return root_sheet(place, to, true);
}

int print_catalogue(const struct place *place, struct buf *to) {
    known_print_json(place->tree->settings.manage, to);
    return 0;
}

int print_audit(const struct place *place, struct buf *to) {
    return audit_print(place->tree->settings.manage, to);
}

int print_commands(const struct place *place, struct buf *to) {
    command_print(place->tree->settings.manage, place->row->commands, (int64_t)place->object, to);
    return 0;
}
