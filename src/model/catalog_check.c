/* SPDX-License-Identifier: Apache-2.0 */
#include "model/catalog_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/catalog_internal.h"

void catalog_report_done(struct catalog_report *report) {
    free(report->checks);
    report->checks = NULL;
}

/* ---- reading ---- */

static void read_check(struct db_statement *row, struct catalog_check *check) {
    catalog_get_text(row, 0, check->digest, sizeof check->digest);
    check->checked_ms = db_get_number(row, 1);
    check->result = (int)db_get_number(row, 2);
    check->scanned = (int)db_get_number(row, 3);
    catalog_get_text(row, 4, check->scan_text, sizeof check->scan_text);
}

int catalog_check(struct catalog *catalog, const char *digest, struct catalog_check *ret_check) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row = db_query(catalog->reader,
        "SELECT digest, checked_ms, result, scanned, scan_text FROM checks WHERE digest = ?");
    return READ_ONE(and_text(row, 1, digest), read_check, ret_check);
}

static void read_report(struct db_statement *row, struct catalog_report *report) {
    int64_t verdict = db_get_number(row, 3);
    *report = (struct catalog_report){
        .model_id = db_get_number(row, 0),
        .time_ms = db_get_number(row, 2),
        .verdict = verdict >= 0 && verdict < FINDING_LEVELS ? (enum finding_level)verdict : FINDING_ERROR,
        .files = (uint64_t)db_get_number(row, 4),
        .missing = (uint64_t)db_get_number(row, 5),
        .checks = mem_text(db_get_text(row, 6)),
    };
    catalog_get_text(row, 1, report->commit, sizeof report->commit);
}

int catalog_report(struct catalog *catalog, int64_t model_id, struct catalog_report *ret_report) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row = db_query(catalog->reader,
        "SELECT model_id, commit_id, time_ms, verdict, files, missing, checks FROM reports "
        "WHERE model_id = ?");
    return READ_ONE(by_number(row, model_id), read_report, ret_report);
}

int catalog_count_verdicts(struct catalog *catalog, uint64_t counts[static FINDING_LEVELS]) {
    LOCK_SCOPE(&catalog->read_lock);
    uint64_t found[FINDING_LEVELS] = {0};
    struct db_statement *row = db_query(catalog->reader,
        "SELECT p.verdict, COUNT(*) FROM reports p "
        "JOIN models m ON m.id = p.model_id JOIN revisions r ON r.id = m.revision_id "
        "WHERE r.commit_id = p.commit_id GROUP BY p.verdict");
    int step;
    while ((step = db_step(row)) == 1) {
        int64_t verdict = db_get_number(row, 0);
        if (verdict >= 0 && verdict < FINDING_LEVELS)
            found[verdict] = (uint64_t)db_get_number(row, 1);
    }
    if (step == 0)
        memcpy(counts, found, sizeof found);
    return step;
}

static void read_id(struct db_statement *row, int64_t *id) {
    *id = db_get_number(row, 0);
}

int catalog_list_rotten(struct catalog *catalog, int64_t after_id, int64_t *array, size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row =
        db_query(catalog->reader, "SELECT model_id FROM reports WHERE model_id > ?1 AND verdict = ?3 "
                                  "AND instr(checks, '\"rotten\": true}') ORDER BY model_id LIMIT ?2");
    row = and_number(and_number(and_number(row, 1, after_id), 2, (int64_t)room), 3, FINDING_ERROR);
    return READ_LIST(row, read_id, array, room);
}

/* A blob is due by its oldest judgement: none at all is the oldest. CROSS and != '' lead the planner to the
 * digests' index, which has no empty ones: one blob more is a step in it, and not a sort of all files. */
#define DUE                                                              \
    "FROM files f CROSS JOIN models m ON m.revision_id = f.revision_id " \
    "LEFT JOIN checks c ON c.digest = f.digest "                         \
    "WHERE f.digest > ?1 AND f.digest != '' AND NOT f.is_folder AND COALESCE(c.checked_ms, 0) < ?2 "

static int list_due_ids(struct catalog *catalog, int64_t before_ms, const char *after, int64_t *array,
    size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row =
        db_query(catalog->reader, "SELECT MIN(f.id) " DUE "GROUP BY f.digest ORDER BY f.digest LIMIT ?3");
    row = and_number(and_number(and_text(row, 1, after), 2, before_ms), 3, (int64_t)room);
    return READ_LIST(row, read_id, array, room);
}

int catalog_list_due(struct catalog *catalog, int64_t before_ms, const char *after,
    struct catalog_file *array, size_t room) {
    int64_t *ids = mem_array(room, sizeof *ids);
    int found = list_due_ids(catalog, before_ms, after, ids, room), count = 0;
    for (int i = 0; i < found && count >= 0; i++) {
        int result = catalog_file(catalog, ids[i], &array[count]);
        count = result == 0 ? count + 1 : result == -ENOENT ? count : result;
    }
    free(ids);
    return found < 0 ? found : count;
}

static int one_sum(struct db_statement *row, uint64_t *ret_bytes) {
    int64_t bytes = 0;
    int result = catalog_one_number(row, &bytes);
    if (result == 0)
        *ret_bytes = (uint64_t)bytes;
    return result;
}

int catalog_due_bytes(struct catalog *catalog, int64_t before_ms, uint64_t *ret_bytes) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row = db_query(catalog->reader,
        "SELECT COALESCE(SUM(size), 0) FROM (SELECT MIN(f.size) AS size " DUE "GROUP BY f.digest)");
    return one_sum(and_number(and_text(row, 1, ""), 2, before_ms), ret_bytes);
}

int catalog_selected_bytes(struct catalog *catalog, int state, uint64_t *ret_bytes) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row = db_query(catalog->reader,
        "SELECT COALESCE(SUM(f.size), 0) FROM files f JOIN models m ON m.revision_id = f.revision_id "
        "WHERE f.selected AND NOT f.is_folder AND m.state != ?");
    return one_sum(by_number(row, state), ret_bytes);
}

/* ---- writing ---- */

static int set_checked(struct catalog *catalog, const char *digest, int64_t checked_ms, int result) {
    struct db_statement *row =
        db_query(catalog->writer, "INSERT INTO checks (digest, checked_ms, result) VALUES (?1, ?2, ?3) "
                                  "ON CONFLICT (digest) DO UPDATE SET checked_ms = ?2, result = ?3");
    return db_finish(and_number(and_number(and_text(row, 1, digest), 2, checked_ms), 3, result));
}

int catalog_set_checked(struct catalog *catalog, const char *digest, int64_t checked_ms, int result) {
    return WRITE(catalog, set_checked(catalog, digest, checked_ms, result));
}

static int set_scanned(struct catalog *catalog, const char *digest, int scanned, const char *text) {
    struct db_statement *row = db_query(catalog->writer,
        "INSERT INTO checks (digest, checked_ms, result, scanned, scan_text) VALUES (?1, 0, 0, ?2, ?3) "
        "ON CONFLICT (digest) DO UPDATE SET scanned = ?2, scan_text = ?3");
    return db_finish(and_text(and_number(and_text(row, 1, digest), 2, scanned), 3, text));
}

int catalog_set_scanned(struct catalog *catalog, const char *digest, int scanned, const char *text) {
    return WRITE(catalog, set_scanned(catalog, digest, scanned, text));
}

static int set_report(struct catalog *catalog, const struct catalog_report *report) {
    struct db_statement *row = db_query(catalog->writer,
        "INSERT OR REPLACE INTO reports (model_id, commit_id, time_ms, verdict, files, missing, checks) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)");
    if (!row)
        return -ERR_DATABASE;
    db_number(row, 1, report->model_id);
    db_text(row, 2, report->commit);
    db_number(row, 3, report->time_ms);
    db_number(row, 4, report->verdict);
    db_number(row, 5, (int64_t)report->files);
    db_number(row, 6, (int64_t)report->missing);
    db_text(row, 7, report->checks);
    return db_finish(row);
}

int catalog_set_report(struct catalog *catalog, const struct catalog_report *report) {
    return WRITE(catalog, set_report(catalog, report));
}
