/* SPDX-License-Identifier: Apache-2.0 */

/* report, report.json: the last validation of a model. */

#include <inttypes.h>

#include "manage/report.h"
#include "model/catalog_job.h"
#include "tree/inside.h"
#include "tree/place.h"
#include "tree/print.h"

static int look(const struct place *place, struct catalog_report *ret_report) {
    return catalog_report(place->tree->catalog, place->model.id, ret_report);
}

/* The job that will write one: of the model, or of all. */
static bool is_under_way(const struct place *place, int64_t *ret_job) {
    const int64_t about[] = {place->model.id, 0};
    struct catalog_job job;
    for (size_t i = 0; i < sizeof about / sizeof *about; i++)
        if (catalog_last_job(place->tree->catalog, about[i], "validate", &job) == 0 && job.state < JOB_DONE) {
            *ret_job = job.id;
            return true;
        }
    return false;
}

static int print_none(const struct place *place, struct buf *to) {
    int64_t job;
    if (!is_under_way(place, &job))
        return buf_text_add(to, "verdict  none: it was never validated; `echo validate > ctl` does it\n");
    return buf_format(to,
        "verdict  none yet: job %" PRId64 " validates it; reading jobs/%" PRId64 "/wait waits for that\n",
        job, job);
}

int print_report(const struct place *place, struct buf *to) {
    struct catalog_report report REPORT_CLEANUP = {0};
    int result = look(place, &report);
    if (result == -ENOENT)
        return print_none(place, to);
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
