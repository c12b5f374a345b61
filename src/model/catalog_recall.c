/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the catalogue: figures, and what is remembered by name. */

#include "model/catalog_internal.h"
#include "model/catalog_job.h"

#include <string.h>

#include "base/buf.h"

/* ---- figures ---- */

static void read_totals(struct db_statement *row, struct catalog_totals *totals) {
    totals->models = (uint64_t)db_get_number(row, 0);
    totals->files = (uint64_t)db_get_number(row, 1);
    totals->pinned = (uint64_t)db_get_number(row, 2);
    totals->open_jobs = (uint64_t)db_get_number(row, 3);
}

int catalog_totals(struct catalog *catalog, struct catalog_totals *ret_totals) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *statement = db_query(catalog->reader,
        "SELECT (SELECT count(*) FROM models),"
        " (SELECT ifnull(sum(r.file_count), 0) FROM models m JOIN revisions r ON r.id = m.revision_id),"
        " (SELECT count(*) FROM models WHERE pinned), (SELECT count(*) FROM jobs WHERE state < ?)");
    return READ_ONE(by_number(statement, JOB_DONE), read_totals, ret_totals);
}

int catalog_count_states(struct catalog *catalog, uint64_t *counts, size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row = db_query(catalog->reader, "SELECT state, count(*) FROM models GROUP BY state");
    memset(counts, 0, room * sizeof *counts);
    int step;
    while ((step = db_step(row)) == 1) {
        int64_t state = db_get_number(row, 0);
        if (state >= 0 && (uint64_t)state < room)
            counts[state] = (uint64_t)db_get_number(row, 1);
    }
    return step;
}

/* ---- what is remembered by name ---- */

int catalog_absence(struct catalog *catalog, const char *source, const char *name, int64_t now_ms,
    int *ret_error, struct reason *ret_reason) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row =
        by_name(db_query(catalog->reader,
                    "SELECT error, reason FROM absences WHERE source = ? AND name = ? AND until_ms > ?"),
            source, name);
    int step = db_step(and_number(row, 3, now_ms));
    if (step <= 0)
        return step < 0 ? step : -ENOENT;
    *ret_error = (int)db_get_number(row, 0);
    if (ret_reason)
        catalog_get_text(row, 1, ret_reason->text, sizeof ret_reason->text);
    db_reset(row);
    return 0;
}

int catalog_setting(struct catalog *catalog, const char *name, char *to, size_t size) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row =
        and_text(db_query(catalog->reader, "SELECT value FROM settings WHERE name = ?"), 1, name);
    int step = db_step(row);
    if (step <= 0)
        return step < 0 ? step : -ENOENT;
    int result = text_copy(to, size, db_get_text(row, 0));
    db_reset(row);
    return result;
}

int catalog_answer(struct catalog *catalog, const char *session, uint64_t unique, int *ret_result) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row =
        and_text(db_query(catalog->reader, "SELECT result FROM answers WHERE session = ? AND request = ?"), 1,
            session);
    int64_t number;
    int result = row ? catalog_one_number(and_number(row, 2, (int64_t)unique), &number) : -ERR_DATABASE;
    if (result == 0)
        *ret_result = (int)number;
    return result;
}
