/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the catalogue: groups, models, settings, and the ledgers of absences, commands and
 * answers. */

#include "model/catalog_internal.h"

#include "base/clock.h"

#define ANSWERS_KEPT 4096 /* more requests are never pending at once: the face caps them */

/* ---- groups and models ---- */

int catalog_add_group_inside(struct catalog *catalog, const char *source, const char *name, int64_t *ret_id) {
    struct db_statement *row =
        db_query(catalog->writer, "SELECT id FROM groups WHERE source = ? AND name = ?");
    struct db_statement *insert =
        db_query(catalog->writer, "INSERT INTO groups (source, name) VALUES (?, ?)");
    if (!row || !insert)
        return -ERR_DATABASE;
    db_text(row, 1, source);
    db_text(row, 2, name);
    int result = catalog_one_number(row, ret_id);
    if (result != -ENOENT)
        return result;
    db_text(insert, 1, source);
    db_text(insert, 2, name);
    result = db_finish(insert);
    if (result < 0)
        return result;
    *ret_id = db_last_id(catalog->writer);
    return 0;
}

int catalog_add_group(struct catalog *catalog, const char *source, const char *name, int64_t *ret_id) {
    int64_t id = 0;
    int result = WRITE(catalog, catalog_add_group_inside(catalog, source, name, &id));
    if (result == 0)
        *ret_id = id;
    return result;
}

static int set_model(struct db_statement *row, int64_t model_id, int64_t number, const char *text) {
    if (!row)
        return -ERR_DATABASE;
    db_number(row, 1, model_id);
    db_number(row, 2, number);
    if (text)
        db_text(row, 3, text);
    return db_finish(row);
}

int catalog_set_error(struct catalog *catalog, int64_t model_id, int error, const char *reason) {
    return WRITE(catalog,
        set_model(db_query(catalog->writer, "UPDATE models SET error = ?2, reason = ?3 WHERE id = ?1"),
            model_id, error, reason ? reason : ""));
}

int catalog_set_pinned(struct catalog *catalog, int64_t model_id, bool pinned) {
    return WRITE(catalog, set_model(db_query(catalog->writer, "UPDATE models SET pinned = ?2 WHERE id = ?1"),
                              model_id, pinned, NULL));
}

int catalog_set_state(struct catalog *catalog, int64_t model_id, int state) {
    return WRITE(catalog,
        set_model(db_query(catalog->writer, "UPDATE models SET state = ?2 WHERE id = ?1 AND state != ?2"),
            model_id, state, NULL));
}

static int delete_row(struct db_statement *row, int64_t id) {
    if (!row)
        return -ERR_DATABASE;
    db_number(row, 1, id);
    return db_finish(row);
}

int catalog_forget_model(struct catalog *catalog, int64_t model_id) {
    return WRITE(catalog, delete_row(db_query(catalog->writer, "DELETE FROM models WHERE id = ?"), model_id));
}

/* ---- texts by key ---- */

static int put_texts(struct db_statement *row, const char *first, const char *second) {
    if (!row)
        return -ERR_DATABASE;
    db_text(row, 1, first);
    if (second)
        db_text(row, 2, second);
    return db_finish(row);
}

int catalog_set_sha256(struct catalog *catalog, const char *digest, const char *sha256) {
    if (digest_kind_of(digest) == DIGEST_SHA256 || !*digest)
        return 0; /* it says so itself */
    return WRITE(catalog,
        put_texts(db_query(catalog->writer, "INSERT OR REPLACE INTO digests (digest, sha256) VALUES (?, ?)"),
            digest, sha256));
}

int catalog_set_setting(struct catalog *catalog, const char *name, const char *value) {
    if (!value)
        return WRITE(catalog,
            put_texts(db_query(catalog->writer, "DELETE FROM settings WHERE name = ?"), name, NULL));
    return WRITE(catalog,
        put_texts(db_query(catalog->writer, "INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)"),
            name, value));
}

/* ---- absences ---- */

static int set_absence(struct catalog *catalog, const char *source, const char *name, int error,
    const char *reason, int64_t until_ms) {
    int result =
        delete_row(db_query(catalog->writer, "DELETE FROM absences WHERE until_ms <= ?"), clock_wall_ms());
    struct db_statement *row = db_query(catalog->writer,
        "INSERT OR REPLACE INTO absences (source, name, error, reason, until_ms) VALUES (?, ?, ?, ?, ?)");
    if (result < 0 || !row)
        return -ERR_DATABASE;
    db_text(row, 1, source);
    db_text(row, 2, name);
    db_number(row, 3, error);
    db_text(row, 4, reason ? reason : "");
    db_number(row, 5, until_ms);
    return db_finish(row);
}

int catalog_set_absence(struct catalog *catalog, const char *source, const char *name, int error,
    const char *reason, int64_t until_ms) {
    return WRITE(catalog, set_absence(catalog, source, name, error, reason, until_ms));
}

int catalog_clear_absence(struct catalog *catalog, const char *source, const char *name) {
    return WRITE(catalog,
        put_texts(db_query(catalog->writer, "DELETE FROM absences WHERE source = ? AND name = ?"), source,
            name));
}

int catalog_clear_absences(struct catalog *catalog) {
    return WRITE(catalog, db_finish(db_query(catalog->writer, "DELETE FROM absences")));
}

/* ---- what was answered ---- */

static int set_answer(struct catalog *catalog, const char *session, uint64_t unique, int outcome) {
    struct db_statement *row = db_query(catalog->writer,
        "INSERT OR REPLACE INTO answers (session, request, result) VALUES (?, ?, ?)");
    struct db_statement *trim =
        db_query(catalog->writer, "DELETE FROM answers WHERE session != ? OR id <= ?");
    if (!row || !trim)
        return -ERR_DATABASE;
    db_text(row, 1, session);
    db_number(row, 2, (int64_t)unique);
    db_number(row, 3, outcome);
    int result = db_finish(row);
    if (result < 0)
        return result;
    db_text(trim, 1, session);
    db_number(trim, 2, db_last_id(catalog->writer) - ANSWERS_KEPT);
    return db_finish(trim);
}

int catalog_set_answer(struct catalog *catalog, const char *session, uint64_t unique, int result) {
    return WRITE(catalog, set_answer(catalog, session, unique, result));
}
