/* SPDX-License-Identifier: Apache-2.0 */
#include "model/catalog_card.h"

#include "model/catalog_internal.h"

int catalog_card(struct catalog *catalog, int64_t revision_id, const char *subject, struct buf *ret_json) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row =
        and_text(by_number(db_query(catalog->reader,
                               "SELECT json FROM cards WHERE revision_id = ? AND subject = ?"),
                     revision_id),
            2, subject);
    int step = db_step(row);
    if (step <= 0)
        return step < 0 ? step : -ENOENT;
    int result = buf_text_add(ret_json, db_get_text(row, 0));
    db_reset(row);
    return result;
}

static int set(struct catalog *catalog, int64_t revision_id, const char *subject, const char *json) {
    struct db_statement *row =
        db_query(catalog->writer, "INSERT OR REPLACE INTO cards (revision_id, subject, json) SELECT id, ?2, "
                                  "?3 FROM revisions WHERE id = ?1");
    return db_finish(and_text(and_text(by_number(row, revision_id), 2, subject), 3, json));
}

int catalog_set_card(struct catalog *catalog, int64_t revision_id, const char *subject, const char *json) {
    return WRITE(catalog, set(catalog, revision_id, subject, json));
}
