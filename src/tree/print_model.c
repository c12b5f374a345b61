/* SPDX-License-Identifier: Apache-2.0 */

/* state, status, status.json and progress of a model. */

#include <inttypes.h>
#include <stdlib.h>

#include "manage/unsafe.h"
#include "model/catalog_check.h"
#include "tree/inside.h"
#include "tree/place.h"
#include "tree/print.h"
#include "tree/sheet.h"

#define MOST_SECONDS  (99 * 3600) /* beyond that nobody knows */
#define MOST_REFUSALS MANIFEST_MAX_REFUSALS

static int look(const struct place *place, struct model_report *ret_report) {
    return model_report(place->tree->settings.manage, &place->model, ret_report);
}

int print_state(const struct place *place, struct buf *to) {
    struct model_report report;
    int result = look(place, &report);
    return result < 0 ? result : buf_format(to, "%s\n", model_state_name(report.state));
}

int print_progress(const struct place *place, struct buf *to) {
    struct model_report report;
    int result = look(place, &report);
    if (result < 0)
        return result;
    bool open = report.state == STATE_DOWNLOADING || report.state == STATE_PAUSED;
    text_progress(to, report.bytes_here, report.bytes_total, report.speed, report.seconds_left,
        open && (report.error || report.reason.text[0]) ? err_text(&report.reason, report.error) : NULL);
    return 0;
}

/* What of the listing is not shown, and why. */
static int add_refusals(const struct place *place, struct sheet *sheet) {
    struct catalog_refusal *refusals = mem_array(MOST_REFUSALS, sizeof(*refusals));
    int count =
        catalog_list_refusals(place->tree->catalog, place->model.revision_id, refusals, MOST_REFUSALS);
    if (sheet->json) {
        sheet_member(sheet, "refused");
        (void)buf_text_add(sheet->to, "[");
    }
    for (int i = 0; i < count; i++) {
        if (sheet->json) {
            (void)buf_text_add(sheet->to, i ? ",\n    { \"path\": " : "\n    { \"path\": ");
            (void)buf_json_string(sheet->to, refusals[i].path);
            (void)buf_text_add(sheet->to, ", \"fault\": ");
            (void)buf_json_string(sheet->to, refusals[i].fault);
            (void)buf_text_add(sheet->to, " }");
        } else {
            sheet_member(sheet, "refused");
            (void)buf_format(sheet->to, "%s: %s\n", refusals[i].path, refusals[i].fault);
        }
    }
    if (sheet->json)
        (void)buf_text_add(sheet->to, count > 0 ? "\n  ]" : "]");
    free(refusals);
    return count < 0 ? count : 0;
}

/* What the last validation said; its lines are in `report`. */
static void add_report(const struct place *place, struct sheet *sheet) {
    struct catalog_report report REPORT_CLEANUP = {0};
    bool known = catalog_report(place->tree->catalog, place->model.id, &report) == 0;
    sheet_text(sheet, "verdict", known ? finding_level_name(report.verdict) : NULL);
    sheet_time(sheet, "validated", known ? report.time_ms : 0);
    struct reason reason = {""};
    int error = unsafe_find(place->tree->settings.manage, &place->model, &reason);
    sheet_text(sheet, "refused_file", error ? err_text(&reason, error) : NULL);
}

/* Whether the name that is followed leads elsewhere, as far as is known. */
static int add_following(const struct place *place, struct sheet *sheet) {
    struct catalog_following following;
    int result = catalog_following(place->tree->catalog, place->model.id, &following);
    if (result < 0)
        return result == -ENOENT ? 0 : result;
    bool available = following.head_id && following.head_id != place->model.revision_id;
    sheet_text(sheet, "update_available", available ? following.head_commit : NULL);
    return 0;
}

static int model_sheet(const struct place *place, struct buf *to, bool json) {
    const struct catalog_model *model = &place->model;
    struct model_report report;
    if (place->source->is_remote)
        return remote_sheet(place, to, json);
    int result = look(place, &report);
    if (result < 0)
        return result;
    /* A failed update of a model that is fine otherwise is told too. */
    bool told = report.error || report.reason.text[0]; /* who paused it is no error */
    int error = told ? report.error : model->error;
    const struct reason *reason = told ? &report.reason : &model->reason;
    char key[NAME_KEY_SIZE];
    name_format(model->source, model->name, key);

    struct sheet sheet;
    sheet_begin(&sheet, to, json);
    sheet_text(&sheet, "key", key);
    sheet_text(&sheet, "source", model->source);
    sheet_text(&sheet, "name", model->name);
    sheet_text(&sheet, "revision", model->asked_revision);
    sheet_text(&sheet, "commit", model->commit);
    result = add_following(place, &sheet);
    sheet_text(&sheet, "state", model_state_name(report.state));
    sheet_text(&sheet, "variant", report.variants);
    sheet_number(&sheet, "files", report.files_total);
    sheet_number(&sheet, "files_here", report.files_here);
    sheet_number(&sheet, "files_listed", model->file_count);
    sheet_bytes(&sheet, "bytes_total", report.bytes_total);
    sheet_bytes(&sheet, "bytes_cached", report.bytes_here);
    sheet_bytes(&sheet, "bytes_missing", report.bytes_missing);
    sheet_bytes(&sheet, "speed", report.speed);
    sheet_bool(&sheet, "gated", model->gated);
    sheet_bool(&sheet, "locked", model->locked);
    sheet_bool(&sheet, "pinned", model->pinned);
    sheet_text(&sheet, "error", error ? err_name(error) : NULL);
    sheet_text(&sheet, "reason", error || reason->text[0] ? err_text(reason, error) : NULL);
    if (report.job_id) {
        sheet_number(&sheet, "job", (uint64_t)report.job_id);
    } else if (json) {
        sheet_text(&sheet, "job", NULL);
    }
    sheet_number(&sheet, "refused_count", model->refusal_count);
    if (result == 0)
        result = add_refusals(place, &sheet);
    add_report(place, &sheet);
    sheet_time(&sheet, "modified", model->modified_ms);
    sheet_time(&sheet, "last_used", model_last_used_ms(place->tree->settings.manage, model));
    sheet_time(&sheet, "updated", model->checked_ms);
    sheet_end(&sheet);
    return result;
}

int print_model_status(const struct place *place, struct buf *to) {
    return model_sheet(place, to, false);
}

int print_model_status_json(const struct place *place, struct buf *to) {
    return model_sheet(place, to, true);
}

void text_progress(struct buf *to, uint64_t here, uint64_t total, uint64_t speed, uint64_t seconds_left,
    const char *trouble) {
    char here_words[HUMAN_SIZE], total_words[HUMAN_SIZE], speed_words[HUMAN_SIZE], time_words[HUMAN_SIZE];
    bool complete = here >= total;
    /* In tenths of a percent, rounded down; a product could leave 64 bits. */
    unsigned tenths = complete ? 1000 : (unsigned)((__uint128_t)here * 1000 / total);
    if (!speed || seconds_left > MOST_SECONDS)
        seconds_left = UINT64_MAX;
    (void)buf_format(to, "%u.%u%% %s/%s %s/s ETA %s%s%s\n", tenths / 10, tenths % 10,
        human_bytes(here_words, here), human_bytes(total_words, total), human_bytes(speed_words, speed),
        human_seconds(time_words, complete ? 0 : seconds_left), trouble ? "; " : "", trouble ? trouble : "");
}
