/* SPDX-License-Identifier: Apache-2.0 */
#include "model/catalog_mark.h"

#include "model/catalog_internal.h"

static void read_mark(struct db_statement *row, char *to) {
    catalog_get_text(row, 0, to, CATALOG_MARK_SIZE);
}

int catalog_mark(struct catalog *catalog, const char *name, char to[static CATALOG_MARK_SIZE]) {
    LOCK_SCOPE(&catalog->read_lock);
    return READ_ONE(and_text(db_query(catalog->reader, "SELECT value FROM marks WHERE name = ?"), 1, name),
        read_mark, to);
}

int catalog_set_mark(struct catalog *catalog, const char *name, const char *value) {
    return WRITE(catalog,
        db_finish(and_text(and_text(db_query(catalog->writer,
                                        "INSERT OR REPLACE INTO marks (name, value) VALUES (?, ?)"),
                               1, name),
            2, value)));
}
