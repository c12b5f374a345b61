/* SPDX-License-Identifier: Apache-2.0 */
#include "model/catalog_text.h"

#include "model/catalog_internal.h"

int catalog_text(struct catalog *catalog, int64_t model_id, const char *name, struct buf *to) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row =
        and_text(by_number(db_query(catalog->reader,
                               "SELECT text FROM texts WHERE model_id = ? AND name = ?"),
                     model_id),
            2, name);
    int step = db_step(row);
    if (step <= 0)
        return step < 0 ? step : -ENOENT;
    int result = buf_text_add(to, db_get_text(row, 0));
    db_reset(row);
    return result;
}

static int set(struct catalog *catalog, int64_t model_id, const char *name, const char *text) {
    bool given = text && *text;
    struct db_statement *row =
        given ? db_query(catalog->writer,
                    "INSERT OR REPLACE INTO texts (model_id, name, text) VALUES (?, ?, ?)")
              : db_query(catalog->writer, "DELETE FROM texts WHERE model_id = ? AND name = ?");
    and_text(by_number(row, model_id), 2, name);
    if (given)
        and_text(row, 3, text);
    return db_finish(row);
}

int catalog_set_text(struct catalog *catalog, int64_t model_id, const char *name, const char *text) {
    bool nested;
    int result = catalog_enter(catalog, &nested);
    return result < 0 ? result : catalog_leave(catalog, nested, set(catalog, model_id, name, text));
}
