/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_OUTSIDE_DB_H
#define WEIGHTFS_OUTSIDE_DB_H

/*
 * SQLite (its door). A `struct db` is one connection with its prepared statements kept by their SQL text
 * (pointer identity: pass literals). It is used by one thread at a time: the caller holds the lock that
 * guards it. WAL, synchronous=NORMAL, foreign keys on, busy timeout 5 s. Errors are -ERR_DATABASE with
 * SQLite's words in the reason given to db_open, or kept for db_error().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct db;
struct db_statement;

/* Opens or makes the file; `read_only` for snapshots' readers. -ERR_DATABASE (damaged, no access). Cache
 * is bounded to `cache_kib`. */
int db_open(const char *path, bool read_only, unsigned cache_kib, struct db **ret_db, struct reason *reason);
void db_close(struct db *db);
const char *db_error(const struct db *db); /* the last failure's words */

/* Runs statements without parameters or rows (schema, pragma). */
int db_run(struct db *db, const char *sql);
int db_begin(struct db *db); /* IMMEDIATE */
int db_commit(struct db *db);
void db_rollback(struct db *db); /* harmless outside a transaction */

/* A statement ready for binding: reset, unbound. `sql` must be a literal. Each parameter in order is bound
 * with db_text/db_number/db_null (index from 1). */
struct db_statement *db_query(struct db *db,
    const char *sql); /* NULL on an error of ours in the SQL, or of the file */
void db_number(struct db_statement *statement, int index, int64_t number);
void db_text(struct db_statement *statement, int index, const char *text); /* copied; NULL binds null */
void db_null(struct db_statement *statement, int index);
/* 1: a row is there; 0: done (and reset); -ERR_DATABASE. A NULL statement gives -ERR_DATABASE. */
int db_step(struct db_statement *statement);
void db_reset(struct db_statement *statement); /* when left before the end */
/* Steps to the end, ignoring rows: 0 or an error. */
int db_finish(struct db_statement *statement);

int64_t db_get_number(struct db_statement *statement, int column); /* from 0; null gives 0 */
const char *db_get_text(struct db_statement *statement,
    int column); /* null gives ""; valid until the next step */
bool db_is_null(struct db_statement *statement, int column);
int64_t db_last_id(const struct db *db);
int64_t db_changes(const struct db *db);

#endif
