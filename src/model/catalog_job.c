/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue's jobs: rows of open ones, and the history. */

#include "model/catalog_job.h"

#include <stdio.h>

#include "model/catalog_internal.h"

/* ---- reading ---- */

#define JOB_COLUMNS                                                                                    \
    "SELECT j.id, j.model_id, j.key, j.kind, j.words, j.memo, j.state, j.priority, j.held_by, j.uid, " \
    "j.pid, j.tries, j.created_ms, j.started_ms, j.ended_ms, j.error, j.reason, j.bytes_total, "       \
    "j.bytes_done "                                                                                    \
    "FROM jobs j "
static void read_job(struct db_statement *row, struct catalog_job *job) {
    job->id = db_get_number(row, 0);
    job->model_id = db_get_number(row, 1);
    catalog_get_text(row, 2, job->key, sizeof job->key);
    catalog_get_text(row, 3, job->kind, sizeof job->kind);
    catalog_get_text(row, 4, job->words, sizeof job->words);
    catalog_get_text(row, 5, job->memo, sizeof job->memo);
    job->state = (enum catalog_job_state)db_get_number(row, 6);
    job->priority = (enum catalog_job_priority)db_get_number(row, 7);
    job->held_by = db_get_number(row, 8);
    job->uid = db_get_number(row, 9);
    job->pid = db_get_number(row, 10);
    job->tries = (unsigned)db_get_number(row, 11);
    job->created_ms = db_get_number(row, 12);
    job->started_ms = db_get_number(row, 13);
    job->ended_ms = db_get_number(row, 14);
    job->error = (int)db_get_number(row, 15);
    catalog_get_text(row, 16, job->reason.text, sizeof job->reason.text);
    job->bytes_total = (uint64_t)db_get_number(row, 17);
    job->bytes_done = (uint64_t)db_get_number(row, 18);
    job->limit_rate = (uint64_t)db_get_number(row, 19);
}

int catalog_job(struct catalog *catalog, int64_t id, struct catalog_job *ret_job) {
    LOCK_SCOPE(&catalog->read_lock);
    return READ_ONE(by_number(db_query(catalog->reader, JOB_COLUMNS "WHERE j.id = ?"), id), read_job,
        ret_job);
}

int catalog_last_job(struct catalog *catalog, int64_t model_id, const char *kind,
    struct catalog_job *ret_job) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *statement = db_query(catalog->reader,
        JOB_COLUMNS "WHERE j.model_id = ?1 AND (?2 = '' OR j.kind = ?2) ORDER BY j.id DESC LIMIT 1");
    return READ_ONE(and_text(by_number(statement, model_id), 2, kind ? kind : ""), read_job, ret_job);
}

int catalog_list_jobs(struct catalog *catalog, bool open_only, int64_t after_id, struct catalog_job *array,
    size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *statement = db_query(catalog->reader,
        open_only ? JOB_COLUMNS "WHERE j.id > ?1 AND j.state < 3 ORDER BY j.id LIMIT ?2" /* JOB_DONE */
                  : JOB_COLUMNS "WHERE j.id > ?1 ORDER BY j.id LIMIT ?2");
    return READ_LIST(with_page(statement, after_id, room), read_job, array, room);
}

static void read_uid(struct db_statement *row, int64_t *uid) {
    *uid = db_get_number(row, 0);
}

int catalog_hold(struct catalog *catalog, int64_t *ret_uid) {
    LOCK_SCOPE(&catalog->read_lock);
    return READ_ONE(db_query(catalog->reader, "SELECT uid FROM hold"), read_uid, ret_uid);
}

/* ---- writing ---- */

static int set_hold(struct catalog *catalog, int64_t uid) {
    if (uid < 0)
        return db_finish(db_query(catalog->writer, "DELETE FROM hold"));
    return db_finish(
        by_number(db_query(catalog->writer, "INSERT OR REPLACE INTO hold (number, uid) VALUES (1, ?)"), uid));
}

int catalog_set_hold(struct catalog *catalog, int64_t uid) {
    return WRITE(catalog, set_hold(catalog, uid));
}

static int add_job(struct catalog *catalog, const struct catalog_job *job, int64_t *ret_id) {
    struct db_statement *row = db_query(catalog->writer,
        "INSERT INTO jobs (model_id, key, kind, words, memo, state, priority, held_by, uid, pid, tries, "
        "created_ms, started_ms, ended_ms, error, reason, bytes_total, bytes_done, limit_rate) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    if (!row)
        return -ERR_DATABASE;
    db_number(row, 1, job->model_id);
    db_text(row, 2, job->key);
    db_text(row, 3, job->kind);
    db_text(row, 4, job->words);
    db_text(row, 5, job->memo);
    db_number(row, 6, job->state);
    db_number(row, 7, job->priority);
    db_number(row, 8, job->held_by);
    db_number(row, 9, job->uid);
    db_number(row, 10, job->pid);
    db_number(row, 11, job->tries);
    db_number(row, 12, job->created_ms);
    db_number(row, 13, job->started_ms);
    db_number(row, 14, job->ended_ms);
    db_number(row, 15, job->error);
    db_text(row, 16, job->reason.text);
    db_number(row, 17, (int64_t)job->bytes_total);
    db_number(row, 18, (int64_t)job->bytes_done);
    db_number(row, 19, (int64_t)job->limit_rate);
    int result = db_finish(row);
    if (result == 0)
        *ret_id = db_last_id(catalog->writer);
    return result;
}

int catalog_add_job(struct catalog *catalog, const struct catalog_job *job, int64_t *ret_id) {
    int64_t id = 0;
    int result = WRITE(catalog, add_job(catalog, job, &id));
    if (result == 0)
        *ret_id = id;
    return result;
}

static int set_job(struct catalog *catalog, const struct catalog_job *job) {
    struct db_statement *row = db_query(catalog->writer,
        "UPDATE jobs SET memo = ?, state = ?, priority = ?, held_by = ?, tries = ?, started_ms = ?, "
        "ended_ms = ?, error = ?, reason = ?, bytes_total = ?, bytes_done = ?, limit_rate = ? WHERE id = ?");
    if (!row)
        return -ERR_DATABASE;
    db_text(row, 1, job->memo);
    db_number(row, 2, job->state);
    db_number(row, 3, job->priority);
    db_number(row, 4, job->held_by);
    db_number(row, 5, job->tries);
    db_number(row, 6, job->started_ms);
    db_number(row, 7, job->ended_ms);
    db_number(row, 8, job->error);
    db_text(row, 9, job->reason.text);
    db_number(row, 10, (int64_t)job->bytes_total);
    db_number(row, 11, (int64_t)job->bytes_done);
    db_number(row, 12, (int64_t)job->limit_rate);
    db_number(row, 13, job->id);
    return db_finish(row);
}

int catalog_set_job(struct catalog *catalog, const struct catalog_job *job) {
    return WRITE(catalog, set_job(catalog, job));
}

static int trim_jobs(struct catalog *catalog, unsigned keep) {
    struct db_statement *row = db_query(catalog->writer,
        "DELETE FROM jobs WHERE state >= ?1 AND id <= "
        "(SELECT id FROM jobs WHERE state >= ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)");
    if (!row)
        return -ERR_DATABASE;
    db_number(row, 1, JOB_DONE);
    db_number(row, 2, keep);
    return db_finish(row);
}

int catalog_trim_jobs(struct catalog *catalog, unsigned keep) {
    return WRITE(catalog, trim_jobs(catalog, keep));
}
