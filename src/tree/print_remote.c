/* SPDX-License-Identifier: Apache-2.0 */

/* status and status.json of a model that is served elsewhere: who serves it, and whether he answers. */

#include <stdlib.h>

#include "manage/remote.h"
#include "tree/inside.h"
#include "tree/place.h"
#include "tree/print.h"
#include "tree/sheet.h"

int remote_sheet(const struct place *place, struct buf *to, bool json) {
    const struct catalog_model *model = &place->model;
    struct manage *manage = place->tree->settings.manage;
    struct remote_report *server = mem_new(sizeof *server);
    struct model_report report;
    char key[NAME_KEY_SIZE], name[NAME_MODEL_SIZE];
    int result = model_report(manage, model, &report);
    if (result < 0) {
        free(server);
        return result;
    }
    remote_place_of(place->source, model->name, name);
    (void)remote_look(manage, place->source, name, server); /* of one that is not declared: empty */
    name_format(model->source, model->name, key);

    struct sheet sheet;
    sheet_begin(&sheet, to, json);
    sheet_text(&sheet, "key", key);
    sheet_text(&sheet, "source", model->source);
    sheet_text(&sheet, "name", model->name);
    sheet_text(&sheet, "state", model_state_name(report.state));
    sheet_text(&sheet, "server", server->url[0] ? server->url : NULL);
    sheet_text(&sheet, "server_error", server->error ? err_text(&server->reason, server->error) : NULL);
    sheet_time(&sheet, "listed", server->listed_ms);
    sheet_text(&sheet, "error", report.error ? err_name(report.error) : NULL);
    sheet_text(&sheet, "reason", report.error ? err_text(&report.reason, report.error) : NULL);
    sheet_time(&sheet, "updated", model->checked_ms);
    sheet_end(&sheet);
    free(server);
    return 0;
}
