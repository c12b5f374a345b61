/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <fcntl.h>

#include "base/path.h"
#include "outside/db.h"

static char path[4096];
static const char COUNT[] = "SELECT count(*) FROM model";
static const char INSERT[] = "INSERT INTO model (name, size) VALUES (?, ?)";

static struct db *opened(bool read_only) {
    struct db *db = NULL;
    struct reason reason = {""};
    CHECK_OK(db_open(path, read_only, 512, &db, &reason));
    CHECK_TEXT(reason.text, "");
    if (!db)
        exit(check_result());
    return db;
}

static int64_t number_of(struct db *db, const char *sql) {
    struct db_statement *statement = db_query(db, sql);
    CHECK_NUMBER(db_step(statement), 1);
    int64_t number = db_get_number(statement, 0);
    CHECK_NUMBER(db_step(statement), 0);
    return number;
}

static int insert(struct db *db, const char *name, int64_t size) {
    struct db_statement *statement = db_query(db, INSERT);
    db_text(statement, 1, name);
    db_number(statement, 2, size);
    return db_finish(statement);
}

static void rows_go_in_and_out(struct db *db) {
    CHECK_OK(
        db_run(db, "CREATE TABLE model (id INTEGER PRIMARY KEY, name TEXT UNIQUE, size INTEGER NOT NULL);"
                   "CREATE TABLE file (model INTEGER REFERENCES model (id))"));
    char name[16] = "first";
    struct db_statement *statement = db_query(db, INSERT);
    db_text(statement, 1, name);
    db_number(statement, 2, INT64_MAX);
    memcpy(name, "later", sizeof "later"); /* the text was copied */
    CHECK_OK(db_finish(statement));
    CHECK_NUMBER(db_last_id(db), 1);
    CHECK_NUMBER(db_changes(db), 1);
    CHECK_OK(insert(db, NULL, -1));
    CHECK(db_query(db, INSERT) == statement);

    statement = db_query(db, "SELECT name, size FROM model ORDER BY id");
    CHECK_NUMBER(db_step(statement), 1);
    CHECK_TEXT(db_get_text(statement, 0), "first");
    CHECK_NUMBER(db_get_number(statement, 1), INT64_MAX);
    CHECK(!db_is_null(statement, 0));
    CHECK_NUMBER(db_step(statement), 1);
    CHECK(db_is_null(statement, 0));
    CHECK_TEXT(db_get_text(statement, 0), "");
    CHECK_NUMBER(db_get_number(statement, 0), 0);
    CHECK_NUMBER(db_step(statement), 0);
}

static void bindings_do_not_survive(struct db *db) {
    static const char WANTED[] = "SELECT count(*) FROM model WHERE ?1 IS NULL";
    struct db_statement *statement = db_query(db, WANTED);
    db_text(statement, 1, "x");
    CHECK(db_step(statement) == 1 && db_get_number(statement, 0) == 0);
    db_reset(statement);
    CHECK_NUMBER(number_of(db, WANTED), 2);
    statement = db_query(db, WANTED);
    db_null(statement, 1);
    CHECK(db_step(statement) == 1 && db_get_number(statement, 0) == 2);
    db_reset(statement);
}

static void transactions_are_whole(struct db *db) {
    int64_t before = number_of(db, COUNT);
    CHECK_OK(db_begin(db));
    CHECK_ERROR(db_begin(db), -ERR_DATABASE);
    CHECK_OK(insert(db, "rolled back", 1));
    CHECK_NUMBER(number_of(db, COUNT), before + 1);
    db_rollback(db);
    db_rollback(db);
    CHECK_NUMBER(number_of(db, COUNT), before);
    CHECK_OK(db_begin(db));
    CHECK_OK(insert(db, "kept", 1));
    CHECK_OK(db_commit(db));
    CHECK_ERROR(db_commit(db), -ERR_DATABASE);
    CHECK_NUMBER(number_of(db, COUNT), before + 1);
}

static void mistakes_are_told(struct db *db) {
    CHECK(!db_query(db, "SELECT nonsense FROM nowhere"));
    CHECK(strstr(db_error(db), "no such table"));
    CHECK_ERROR(db_step(NULL), -ERR_DATABASE);
    CHECK_ERROR(db_finish(NULL), -ERR_DATABASE);
    db_reset(NULL);
    CHECK_ERROR(insert(db, "first", 1), -ERR_DATABASE);
    CHECK(strstr(db_error(db), "UNIQUE"));
    struct db_statement *statement = db_query(db, INSERT);
    db_text(statement, 3, "there is no third");
    CHECK_ERROR(db_step(statement), -ERR_DATABASE);
    CHECK_OK(insert(db, "works again", 1));
    CHECK_ERROR(db_run(db, "INSERT INTO file VALUES (12345)"), -ERR_DATABASE); /* foreign keys are on */
    CHECK_ERROR(db_run(db, "SELEC"), -ERR_DATABASE);
}

static void readers_see_what_was_committed(struct db *db) {
    struct db *reader = opened(true);
    int64_t before = number_of(reader, COUNT);
    CHECK_OK(db_begin(db));
    CHECK_OK(insert(db, "not yet", 1));
    CHECK_NUMBER(number_of(reader, COUNT), before);
    CHECK_OK(db_commit(db));
    CHECK_NUMBER(number_of(reader, COUNT), before + 1);
    CHECK_ERROR(db_run(reader, "DELETE FROM model"), -ERR_DATABASE);
    db_close(reader);
}

static void what_is_no_database_is_refused(void) {
    struct db *db = NULL;
    struct reason reason;
    char other[4200], page[8192];
    memset(page, 'x', sizeof page);
    snprintf(other, sizeof other, "%s.broken", path);
    CHECK_OK(path_replace(AT_FDCWD, other, page, sizeof page, false));
    CHECK_ERROR(db_open(other, false, 512, &db, &reason), -ERR_DATABASE);
    CHECK(strstr(reason.text, "not a database"));
    CHECK_ERROR(db_open("/nonexistent/folder/db", false, 512, &db, &reason), -ERR_DATABASE);
    CHECK(strstr(reason.text, "unable to open"));
    snprintf(other, sizeof other, "%s.missing", path);
    CHECK_ERROR(db_open(other, true, 512, &db, NULL), -ERR_DATABASE);
    CHECK(!db);
    db_close(NULL);
}

int main(void) {
    snprintf(path, sizeof path, "%s/catalog.db", check_folder());
    struct db *db = opened(false);
    rows_go_in_and_out(db);
    bindings_do_not_survive(db);
    transactions_are_whole(db);
    mistakes_are_told(db);
    readers_see_what_was_committed(db);
    int64_t before = number_of(db, COUNT);
    db_close(db);
    db = opened(false);
    CHECK_NUMBER(number_of(db, COUNT), before);
    db_close(db);
    what_is_no_database_is_refused();
    return check_result();
}
