/* SPDX-License-Identifier: Apache-2.0 */
#include "model/catalog_setting_next.h"

#include "model/catalog_internal.h"

static void read_id(struct db_statement *row, int64_t *id) {
    *id = db_get_number(row, 0);
}

int catalog_next_with_setting(struct catalog *catalog, const char *name, int64_t after_id,
    int64_t *ret_model_id) {
    LOCK_SCOPE(&catalog->read_lock);
    return READ_ONE(and_number(and_text(db_query(catalog->reader,
                                            "SELECT model_id FROM model_settings WHERE name = ?1 AND "
                                            "model_id > ?2 ORDER BY model_id LIMIT 1"),
                                   1, name),
                        2, after_id),
        read_id, ret_model_id);
}
