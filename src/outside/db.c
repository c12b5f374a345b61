/* SPDX-License-Identifier: Apache-2.0 */
#include "outside/db.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/buf.h"

static const int BUSY_MS = 5000;

struct db_statement {
    struct db *db;
    const char *sql; /* a literal: its address is its name */
    sqlite3_stmt *handle;
    bool is_broken; /* a bind failed: db_step() says so */
};

struct db {
    sqlite3 *handle;
    struct reason error;
    struct db_statement **statements;
    size_t count, room;
};

/* Keeps SQLite's words for db_error(). */
static int fail(struct db *db, const char *sql) {
    int code = sqlite3_extended_errcode(db->handle);
    return err_because(&db->error, -ERR_DATABASE, "%s (SQLite %d) in: %s", sqlite3_errmsg(db->handle), code,
        sql);
}

int db_run(struct db *db, const char *sql) {
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(db, sql);
}

/* The first column of the first row, compared with `wanted`. A pragma that can't do what it is told says
 * so in its row. */
static int pragma_gives(struct db *db, const char *sql, const char *wanted) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL) != SQLITE_OK)
        return fail(db, sql);
    int code = sqlite3_step(statement);
    const char *given = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    bool is_wanted = given && !strcmp(given, wanted);
    int error = code != SQLITE_ROW && code != SQLITE_DONE ? fail(db, sql) : 0;
    if (!error && !is_wanted)
        error = err_because(&db->error, -ERR_DATABASE, "%s gives %s", sql, given ? given : "nothing");
    sqlite3_finalize(statement);
    return error;
}

static int configure(struct db *db, bool read_only, unsigned cache_kib) {
    BUF_CLEANUP struct buf cache = BUF_INIT;
    sqlite3_busy_timeout(db->handle, BUSY_MS);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    int error = buf_format(&cache, "PRAGMA cache_size=-%u", cache_kib);
    error = error ? error : db_run(db, buf_text(&cache));
    error = error ? error
                  : db_run(db, "PRAGMA foreign_keys=ON; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY");
    /* Opening alone reads nothing: this is where a file that is no database is noticed. */
    error = error ? error : db_run(db, "SELECT count(*) FROM sqlite_schema");
    if (!read_only)
        error = error ? error : pragma_gives(db, "PRAGMA journal_mode=WAL", "wal");
    return error;
}

int db_open(const char *path, bool read_only, unsigned cache_kib, struct db **ret_db, struct reason *reason) {
    struct db *db = mem_new(sizeof *db);
    int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    /* No mutexes of SQLite's own: the caller's lock guards the connection. */
    flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int error = sqlite3_open_v2(path, &db->handle, flags, NULL) == SQLITE_OK ? 0 : fail(db, "open");
    error = error ? error : configure(db, read_only, cache_kib);
    if (error) {
        err_because(reason, error, "%s: %s", path, db_error(db));
        db_close(db);
        return error;
    }
    *ret_db = db;
    return 0;
}

void db_close(struct db *db) {
    if (!db)
        return;
    for (size_t i = 0; i < db->count; i++) {
        sqlite3_finalize(db->statements[i]->handle);
        free(db->statements[i]);
    }
    free(db->statements);
    sqlite3_close(db->handle); /* every statement is gone: it cannot be busy */
    free(db);
}

const char *db_error(const struct db *db) {
    return err_text(&db->error, -ERR_DATABASE);
}

int db_begin(struct db *db) {
    return db_finish(db_query(db, "BEGIN IMMEDIATE"));
}

int db_commit(struct db *db) {
    return db_finish(db_query(db, "COMMIT"));
}

void db_rollback(struct db *db) {
    if (!sqlite3_get_autocommit(db->handle))
        (void)db_run(db, "ROLLBACK"); /* SQLite has rolled back by itself where this fails */
}

static struct db_statement *prepare(struct db *db, const char *sql) {
    sqlite3_stmt *handle;
    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, NULL) != SQLITE_OK) {
        (void)fail(db, sql); /* kept; NULL says the rest */
        return NULL;
    }
    struct db_statement *statement = mem_new(sizeof *statement);
    *statement = (struct db_statement){.db = db, .sql = sql, .handle = handle};
    if (db->count == db->room) {
        db->room = db->room ? db->room * 2 : 32;
        db->statements = mem_resize(db->statements, db->room, sizeof *db->statements);
    }
    db->statements[db->count++] = statement;
    return statement;
}

struct db_statement *db_query(struct db *db, const char *sql) {
    for (size_t i = 0; i < db->count; i++) {
        struct db_statement *statement = db->statements[i];
        if (statement->sql != sql)
            continue;
        db_reset(statement);
        sqlite3_clear_bindings(statement->handle);
        statement->is_broken = false;
        return statement;
    }
    return prepare(db, sql);
}

/* Tells of a failed bind at the step, so that callers need not look after each one. */
static void bound(struct db_statement *statement, int code) {
    if (code == SQLITE_OK)
        return;
    (void)fail(statement->db, statement->sql);
    statement->is_broken = true;
}

void db_number(struct db_statement *statement, int index, int64_t number) {
    if (statement)
        bound(statement, sqlite3_bind_int64(statement->handle, index, number));
}

void db_text(struct db_statement *statement, int index, const char *text) {
    if (statement) /* a NULL text binds null */
        bound(statement, sqlite3_bind_text(statement->handle, index, text, -1, SQLITE_TRANSIENT));
}

void db_null(struct db_statement *statement, int index) {
    if (statement)
        bound(statement, sqlite3_bind_null(statement->handle, index));
}

int db_step(struct db_statement *statement) {
    if (!statement || statement->is_broken)
        return -ERR_DATABASE;
    int code = sqlite3_step(statement->handle);
    if (code == SQLITE_ROW)
        return 1;
    int error = code == SQLITE_DONE ? 0 : fail(statement->db, statement->sql);
    db_reset(statement);
    return error;
}

void db_reset(struct db_statement *statement) {
    if (statement)
        sqlite3_reset(statement->handle); /* repeats the last step's result, which was told then */
}

int db_finish(struct db_statement *statement) {
    int result;
    do
        result = db_step(statement);
    while (result > 0);
    return result;
}

int64_t db_get_number(struct db_statement *statement, int column) {
    return sqlite3_column_int64(statement->handle, column);
}

const char *db_get_text(struct db_statement *statement, int column) {
    const char *text = (const char *)sqlite3_column_text(statement->handle, column);
    return text ? text : "";
}

bool db_is_null(struct db_statement *statement, int column) {
    return sqlite3_column_type(statement->handle, column) == SQLITE_NULL;
}

int64_t db_last_id(const struct db *db) {
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_changes(const struct db *db) {
    return sqlite3_changes64(db->handle);
}
