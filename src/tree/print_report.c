/* SPDX-License-Identifier: Apache-2.0 */

/* report, report.json: the last validation of a model. */

#include "manage/report.h"
#include "tree/inside.h"
#include "tree/place.h"
#include "tree/print.h"

static int look(const struct place *place, struct catalog_report *ret_report) {
    return catalog_report(place->tree->catalog, place->model.id, ret_report);
}

int print_report(const struct place *place, struct buf *to) {
    struct catalog_report report REPORT_CLEANUP = {0};
    int result = look(place, &report);
    if (result == -ENOENT)
        return buf_text_add(to, "verdict  none: it was never validated; `echo validate > ctl` does it\n");
    if (result == 0)
        report_print(&report, to);
    return result;
}

int print_report_json(const struct place *place, struct buf *to) {
    struct catalog_report report REPORT_CLEANUP = {0};
    char key[NAME_KEY_SIZE];
    name_format(place->model.source, place->model.name, key);
    int result = look(place, &report);
    if (result == -ENOENT) {
        (void)buf_text_add(to, "{\n  \"key\": ");
        (void)buf_json_string(to, key);
        return buf_text_add(to, ",\n  \"verdict\": null,\n  \"validated\": null,\n  \"checks\": []\n}\n");
    }
    if (result == 0)
        report_print_json(&report, key, to);
    return result;
}
