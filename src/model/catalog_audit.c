/* SPDX-License-Identifier: Apache-2.0 */
#include "model/catalog_audit.h"

#include "base/clock.h"
#include "model/catalog_internal.h"

static void read_audit(struct db_statement *row, struct catalog_audit *line) {
    line->id = db_get_number(row, 0);
    line->time_ms = db_get_number(row, 1);
    line->uid = (unsigned)db_get_number(row, 2);
    line->gid = (unsigned)db_get_number(row, 3);
    line->pid = (int)db_get_number(row, 4);
    catalog_get_text(row, 5, line->program, sizeof line->program);
    catalog_get_text(row, 6, line->target, sizeof line->target);
    catalog_get_text(row, 7, line->command, sizeof line->command);
    catalog_get_text(row, 8, line->result, sizeof line->result);
}

static int add(struct catalog *catalog, const struct catalog_audit *line, unsigned keep) {
    struct db_statement *row = db_query(catalog->writer,
        "INSERT INTO audit (time_ms, uid, gid, pid, program, target, command, result) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    struct db_statement *trim = db_query(catalog->writer, "DELETE FROM audit WHERE id <= ?");
    if (!row || !trim)
        return -ERR_DATABASE;
    db_number(row, 1, clock_wall_ms());
    db_number(row, 2, line->uid);
    db_number(row, 3, line->gid);
    db_number(row, 4, line->pid);
    db_text(row, 5, line->program);
    db_text(row, 6, line->target);
    db_text(row, 7, line->command);
    db_text(row, 8, line->result);
    int result = db_finish(row);
    if (result < 0)
        return result;
    db_number(trim, 1, db_last_id(catalog->writer) - (keep ? keep : 1));
    return db_finish(trim);
}

int catalog_add_audit(struct catalog *catalog, const struct catalog_audit *line, unsigned keep) {
    bool nested;
    int result = catalog_enter(catalog, &nested);
    return result < 0 ? result : catalog_leave(catalog, nested, add(catalog, line, keep));
}

int catalog_list_audit(struct catalog *catalog, int64_t after_id, struct catalog_audit *array, size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *statement = db_query(catalog->reader,
        "SELECT id, time_ms, uid, gid, pid, program, target, command, result FROM audit "
        "WHERE id > ?1 ORDER BY id LIMIT ?2");
    return READ_LIST(with_page(statement, after_id, room), read_audit, array, room);
}
