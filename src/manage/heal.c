/* SPDX-License-Identifier: Apache-2.0 */
/* Reports that tell of rot, once the file was fetched again: what they said stays as a note. Desk. */
#include "manage/heal.h"

#include <stdlib.h>
#include <string.h>

#include "manage/report.h"

struct healing {
    struct manage *manage;
    struct catalog_model model;
    struct catalog_file file;
};

static bool is_whole(void *context, const char *path) {
    struct healing *healing = context;
    struct manage *manage = healing->manage;
    struct blob_info info = {.state = BLOB_ABSENT};
    struct blob *blob;
    if (catalog_find_path(manage->settings.catalog, healing->model.revision_id, path, &healing->file) < 0 ||
        model_blob(manage, &healing->model, &healing->file, &blob) < 0)
        return false;
    blob_look(blob, &info);
    blob_put(blob);
    return info.state == BLOB_COMPLETE;
}

static bool any_file(void *context, const char *path) {
    (void)context, (void)path;
    return true;
}

static int write_healed(struct healing *healing, struct catalog_report *report, struct report_lines *lines) {
    struct buf json BUF_CLEANUP = BUF_INIT;
    char *former = report->checks;
    report_lines_sort(lines);
    report_lines_json(lines, &json);
    report->verdict = report_lines_verdict(lines);
    report->checks = json.data;
    int result = catalog_set_report(healing->manage->settings.catalog, report);
    report->checks = former;
    return result;
}

static void tell(struct healing *healing, const struct catalog_report *report) {
    struct manage *manage = healing->manage;
    struct buf more BUF_CLEANUP = BUF_INIT;
    char key[NAME_KEY_SIZE];
    name_format(healing->model.source, healing->model.name, key);
    (void)buf_format(&more, ",\"verdict\":\"%s\"", finding_level_name(report->verdict)); /* no limit */
    events_add(manage, "model.healed", key, buf_text(&more));
    log_notice("%s: what had rotted is here again", key);
    bus_publish(&(struct news){.kind = NEWS_MODEL, .id = healing->model.id});
    state_renew(manage);
    state_mark(manage, healing->model.id);
}

/* Of another revision than the selected one nothing can be said any more. */
static void heal_model(struct healing *healing, int64_t model_id) {
    struct catalog *catalog = healing->manage->settings.catalog;
    struct catalog_report report REPORT_CLEANUP = {0};
    struct report_lines lines LINES_CLEANUP = {0};
    if (catalog_model(catalog, model_id, &healing->model) < 0 ||
        catalog_report(catalog, model_id, &report) < 0 || strcmp(report.commit, healing->model.commit) != 0)
        return;
    report_lines_keep(&lines, report.checks, any_file, NULL);
    if (!report_lines_heal(&lines, is_whole, healing))
        return;
    if (write_healed(healing, &report, &lines) < 0)
        log_warning("%s: its report can't be written to the catalogue", healing->model.name);
    else
        tell(healing, &report);
}

void heal_reports(struct manage *manage) {
    int64_t model_id = 0;
    if (!manage->rot_told)
        return;
    struct healing *healing = mem_new(sizeof *healing);
    healing->manage = manage;
    while (catalog_list_rotten(manage->settings.catalog, model_id, &model_id, 1) == 1)
        heal_model(healing, model_id);
    model_id = 0;
    manage->rot_told = catalog_list_rotten(manage->settings.catalog, 0, &model_id, 1) != 0;
    free(healing);
}
