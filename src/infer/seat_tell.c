/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of seats, as lines of `events`. Desk. */

#include "infer/inside.h"

void seat_tell(struct seat *seat, const char *event, int error, const char *sentence) {
    struct buf more BUF_CLEANUP = BUF_INIT;
    (void)buf_text_add(&more, ",\"engine\":"); /* no limit */
    (void)buf_json_string(&more, *seat->figures.engine ? seat->figures.engine : NULL);
    if (error < 0) {
        (void)buf_format(&more, ",\"error\":\"%s\",\"reason\":", err_name(error));
        (void)buf_json_string(&more, sentence);
    }
    events_add(seat->infer->settings.manage, event, seat->name, buf_text(&more));
}
