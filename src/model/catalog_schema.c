/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue's tables. A change is one more step at the end: a file knows by its user_version
 * which steps it has seen. */

#include "model/catalog_internal.h"

#include <stdio.h>

static const char *const steps[] = {
    /* 1 */
    "CREATE TABLE groups ("
    "    id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "    source TEXT NOT NULL,"
    "    name TEXT NOT NULL,"
    "    UNIQUE (source, name));"

    "CREATE TABLE models ("
    "    id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "    group_id INTEGER NOT NULL REFERENCES groups (id),"
    "    source TEXT NOT NULL,"
    "    name TEXT NOT NULL,"
    "    asked_revision TEXT NOT NULL DEFAULT '',"
    "    revision_id INTEGER REFERENCES revisions (id),"
    "    gated INTEGER NOT NULL DEFAULT 0,"
    "    locked INTEGER NOT NULL DEFAULT 0,"
    "    pinned INTEGER NOT NULL DEFAULT 0,"
    "    state INTEGER NOT NULL DEFAULT 0,"
    "    added_ms INTEGER NOT NULL,"
    "    checked_ms INTEGER NOT NULL,"
    "    error INTEGER NOT NULL DEFAULT 0,"
    "    reason TEXT NOT NULL DEFAULT '',"
    "    UNIQUE (source, name));"
    "CREATE INDEX models_by_group ON models (group_id);"
    "CREATE INDEX models_by_revision ON models (revision_id);"
    "CREATE INDEX models_by_state ON models (state);"
    "CREATE INDEX models_pinned ON models (id) WHERE pinned;"

    "CREATE TABLE revisions ("
    "    id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "    model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,"
    "    commit_id TEXT NOT NULL,"
    "    modified_ms INTEGER NOT NULL,"
    "    seen_ms INTEGER NOT NULL,"
    "    file_count INTEGER NOT NULL,"
    "    refusal_count INTEGER NOT NULL,"
    "    first_id INTEGER NOT NULL DEFAULT 1," /* the run of its files' ids */
    "    last_id INTEGER NOT NULL DEFAULT 0,"
    "    top_last_id INTEGER NOT NULL DEFAULT 0," /* the last of those directly under files/ */
    "    UNIQUE (model_id, commit_id));"

    "CREATE TABLE files ("
    "    id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "    revision_id INTEGER NOT NULL REFERENCES revisions (id) ON DELETE CASCADE,"
    "    parent_id INTEGER NOT NULL," /* 0: directly under files/ */
    "    name TEXT NOT NULL,"
    "    path TEXT NOT NULL,"
    "    is_folder INTEGER NOT NULL,"
    "    masked INTEGER NOT NULL,"
    "    selected INTEGER NOT NULL,"
    "    size INTEGER NOT NULL,"
    "    digest TEXT NOT NULL,"
    "    variant TEXT NOT NULL,"
    "    child_first_id INTEGER NOT NULL," /* a folder's run */
    "    child_last_id INTEGER NOT NULL,"
    "    UNIQUE (revision_id, parent_id, name));"
    "CREATE INDEX files_by_digest ON files (digest) WHERE digest != '';"

    "CREATE TABLE refusals ("
    "    revision_id INTEGER NOT NULL REFERENCES revisions (id) ON DELETE CASCADE,"
    "    number INTEGER NOT NULL,"
    "    path TEXT NOT NULL,"
    "    fault TEXT NOT NULL,"
    "    PRIMARY KEY (revision_id, number)) WITHOUT ROWID;"

    "CREATE TABLE words (" /* what was pulled of a model */
    "    id INTEGER PRIMARY KEY,"
    "    model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,"
    "    word TEXT NOT NULL,"
    "    UNIQUE (model_id, word));"

    "CREATE TABLE digests (" /* our own SHA-256 of what a source names otherwise */
    "    digest TEXT PRIMARY KEY,"
    "    sha256 TEXT NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE jobs ("
    "    id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "    model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,"
    "    kind TEXT NOT NULL,"
    "    words TEXT NOT NULL,"
    "    state INTEGER NOT NULL,"
    "    created_ms INTEGER NOT NULL,"
    "    ended_ms INTEGER NOT NULL,"
    "    error INTEGER NOT NULL,"
    "    reason TEXT NOT NULL,"
    "    bytes_total INTEGER NOT NULL,"
    "    bytes_done INTEGER NOT NULL);"
    "CREATE INDEX jobs_by_model ON jobs (model_id);"

    "CREATE TABLE absences ("
    "    source TEXT NOT NULL,"
    "    name TEXT NOT NULL,"
    "    error INTEGER NOT NULL,"
    "    reason TEXT NOT NULL,"
    "    until_ms INTEGER NOT NULL,"
    "    PRIMARY KEY (source, name)) WITHOUT ROWID;"
    "CREATE INDEX absences_by_end ON absences (until_ms);"

    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE audit ("
    "    id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "    time_ms INTEGER NOT NULL,"
    "    uid INTEGER NOT NULL,"
    "    gid INTEGER NOT NULL,"
    "    pid INTEGER NOT NULL,"
    "    target TEXT NOT NULL,"
    "    command TEXT NOT NULL,"
    "    result TEXT NOT NULL);"

    "CREATE TABLE answers ("
    "    id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "    session TEXT NOT NULL,"
    "    request INTEGER NOT NULL,"
    "    result INTEGER NOT NULL,"
    "    UNIQUE (session, request));",

    /* 2: jobs of any kind, also about the whole; their history outlives their model. Ids go on where
     * they were, also when the newest row is gone. */
    "CREATE TABLE jobs_anew ("
    "    id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "    model_id INTEGER NOT NULL," /* 0: about the whole; no reference: it may be forgotten */
    "    key TEXT NOT NULL,"
    "    kind TEXT NOT NULL,"
    "    words TEXT NOT NULL,"
    "    memo TEXT NOT NULL DEFAULT '',"
    "    state INTEGER NOT NULL,"
    "    priority INTEGER NOT NULL DEFAULT 0,"
    "    held_by INTEGER NOT NULL DEFAULT -1," /* uid of who paused it; -1: nobody */
    "    uid INTEGER NOT NULL DEFAULT -1,"
    "    pid INTEGER NOT NULL DEFAULT 0,"
    "    tries INTEGER NOT NULL DEFAULT 0,"
    "    created_ms INTEGER NOT NULL,"
    "    started_ms INTEGER NOT NULL DEFAULT 0,"
    "    ended_ms INTEGER NOT NULL,"
    "    error INTEGER NOT NULL,"
    "    reason TEXT NOT NULL,"
    "    bytes_total INTEGER NOT NULL,"
    "    bytes_done INTEGER NOT NULL);"
    "INSERT INTO sqlite_sequence (name, seq) "
    "    SELECT 'jobs_anew', seq FROM sqlite_sequence WHERE name = 'jobs';"
    "INSERT INTO jobs_anew (id, model_id, key, kind, words, state, created_ms, ended_ms, error, reason, "
    "        bytes_total, bytes_done) "
    "    SELECT j.id, j.model_id, m.source || ':' || m.name, j.kind, j.words, j.state, j.created_ms, "
    "        j.ended_ms, j.error, j.reason, j.bytes_total, j.bytes_done "
    "    FROM jobs j JOIN models m ON m.id = j.model_id ORDER BY j.id;"
    "DROP TABLE jobs;"
    "ALTER TABLE jobs_anew RENAME TO jobs;"
    "CREATE INDEX jobs_by_model ON jobs (model_id);"
    "CREATE INDEX jobs_open ON jobs (id) WHERE state < 3;",

    /* 3: settings of models */
    "CREATE TABLE model_settings ("
    "    model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,"
    "    name TEXT NOT NULL,"
    "    value TEXT NOT NULL,"
    "    PRIMARY KEY (model_id, name)) WITHOUT ROWID;",

    /* jobs paused as a whole */
    "CREATE TABLE hold (" /* no row: jobs are not paused as a whole */
    "    number INTEGER PRIMARY KEY CHECK (number = 1),"
    "    uid INTEGER NOT NULL);",

    /* 4: checks of blobs, reports of models */
    "CREATE TABLE checks ("
    "    digest TEXT PRIMARY KEY,"
    "    checked_ms INTEGER NOT NULL,"
    "    result INTEGER NOT NULL,"
    "    scanned INTEGER NOT NULL DEFAULT -1,"
    "    scan_text TEXT NOT NULL DEFAULT '') WITHOUT ROWID;"
    "CREATE TABLE reports ("
    "    model_id INTEGER PRIMARY KEY REFERENCES models (id) ON DELETE CASCADE,"
    "    commit_id TEXT NOT NULL,"
    "    time_ms INTEGER NOT NULL,"
    "    verdict INTEGER NOT NULL,"
    "    files INTEGER NOT NULL,"
    "    missing INTEGER NOT NULL,"
    "    checks TEXT NOT NULL);",

    /* revisions beside the selected one, and what nobody refers to any more. */
    "ALTER TABLE models ADD COLUMN stays INTEGER NOT NULL DEFAULT 0;"      /* chosen by `use` or `rollback` */
    "ALTER TABLE models ADD COLUMN pending_id INTEGER NOT NULL DEFAULT 0;" /* an update fetches it */
    "ALTER TABLE models ADD COLUMN next_check_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE revisions ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;" /* rises; 0: never selected */
    "UPDATE revisions SET turn = 1 WHERE id IN (SELECT revision_id FROM models);"

    "CREATE TABLE revision_names ("
    "    id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "    model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,"
    "    name TEXT NOT NULL,"
    "    revision_id INTEGER NOT NULL REFERENCES revisions (id) ON DELETE CASCADE,"
    "    UNIQUE (model_id, name));"
    "CREATE INDEX revision_names_by_revision ON revision_names (revision_id);"
    "INSERT INTO revision_names (model_id, name, revision_id) SELECT id, asked_revision, revision_id "
    "    FROM models WHERE revision_id IS NOT NULL AND asked_revision != '';"

    "CREATE TABLE dropped (digest TEXT PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TRIGGER files_dropped AFTER DELETE ON files WHEN old.digest != '' BEGIN"
    "    INSERT OR IGNORE INTO dropped (digest) VALUES (old.digest);"
    "END;",
    /* a job's own rate */
    "ALTER TABLE jobs ADD COLUMN limit_rate INTEGER NOT NULL DEFAULT 0;",

    /* the audit knows the caller's command line */
    "ALTER TABLE audit ADD COLUMN program TEXT NOT NULL DEFAULT '';",

    /* cards of models, as JSON */
    "CREATE TABLE cards ("
    "    revision_id INTEGER NOT NULL REFERENCES revisions (id) ON DELETE CASCADE,"
    "    subject TEXT NOT NULL,"
    "    json TEXT NOT NULL,"
    "    PRIMARY KEY (revision_id, subject)) WITHOUT ROWID;",
    /* what models are, for by/; links that users made */
    "ALTER TABLE models ADD COLUMN category TEXT NOT NULL DEFAULT '';" /* '': not looked at yet */
    "ALTER TABLE models ADD COLUMN format TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX models_by_category ON models (category);"
    "CREATE INDEX models_by_format ON models (format);"
    "CREATE TABLE links ("
    "    name TEXT PRIMARY KEY,"
    "    model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE) WITHOUT ROWID;"
    "CREATE INDEX links_by_model ON links (model_id);",

    /* texts of a model's endpoint: its system prompt, its parameters */
    "CREATE TABLE texts ("
    "    model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,"
    "    name TEXT NOT NULL,"
    "    text TEXT NOT NULL,"
    "    PRIMARY KEY (model_id, name)) WITHOUT ROWID;",

    /* conversations: who has which, and what was said; a turn is a question and its answer */
    "ALTER TABLE models ADD COLUMN chats_ms INTEGER NOT NULL DEFAULT 0;" /* one came, went, was renamed */
    "CREATE TABLE chats ("
    "    id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "    model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,"
    "    uid INTEGER NOT NULL,"
    "    name TEXT NOT NULL,"
    "    created_ms INTEGER NOT NULL,"
    "    turns INTEGER NOT NULL DEFAULT 0,"
    "    bytes INTEGER NOT NULL DEFAULT 0,"
    "    UNIQUE (model_id, uid, name));"
    "CREATE INDEX chats_by_user ON chats (uid);"
    "CREATE TABLE chat_texts (" /* no row: the model's */
    "    chat_id INTEGER NOT NULL REFERENCES chats (id) ON DELETE CASCADE,"
    "    name TEXT NOT NULL,"
    "    text TEXT NOT NULL,"
    "    PRIMARY KEY (chat_id, name)) WITHOUT ROWID;"
    "CREATE TABLE turns ("
    "    chat_id INTEGER NOT NULL REFERENCES chats (id) ON DELETE CASCADE,"
    "    number INTEGER NOT NULL,"
    "    asked TEXT NOT NULL,"
    "    answer TEXT NOT NULL,"
    "    asked_ms INTEGER NOT NULL,"
    "    answered_ms INTEGER NOT NULL,"
    "    prompt_tokens INTEGER NOT NULL,"
    "    answer_tokens INTEGER NOT NULL,"
    "    PRIMARY KEY (chat_id, number));",
    /* what models were asked, a day and a user */
    "CREATE TABLE usage ("
    "    model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,"
    "    day INTEGER NOT NULL,"
    "    uid INTEGER NOT NULL,"
    "    questions INTEGER NOT NULL, failed INTEGER NOT NULL,"
    "    prompt_tokens INTEGER NOT NULL, answer_tokens INTEGER NOT NULL,"
    "    first_ms INTEGER NOT NULL, total_ms INTEGER NOT NULL,"
    "    PRIMARY KEY (model_id, day, uid)) WITHOUT ROWID;",
    /* what was made from what: catalog_mark.h */
    "CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;",
    /* what servers elsewhere told of their models */
    "CREATE TABLE remotes ("
    "    model_id INTEGER PRIMARY KEY REFERENCES models (id) ON DELETE CASCADE,"
    "    digest TEXT NOT NULL,"
    "    whole INTEGER NOT NULL,"
    "    card TEXT NOT NULL);",
};
#define STEP_COUNT ((int64_t)(sizeof steps / sizeof *steps))

static int run_steps(struct db *db, int64_t from) {
    for (int64_t step = from; step < STEP_COUNT; step++) {
        int result = db_run(db, steps[step]);
        if (result < 0)
            return result;
    }
    char sql[48];
    (void)snprintf(sql, sizeof sql, "PRAGMA user_version = %d", (int)STEP_COUNT); /* fits */
    return db_run(db, sql);
}

int catalog_upgrade(struct db *db, struct reason *reason) {
    int64_t version = 0;
    int result = catalog_one_number(db_query(db, "PRAGMA user_version"), &version);
    if (result < 0)
        return err_because(reason, -ERR_DATABASE, "catalog.db: %s", db_error(db));
    if (version > STEP_COUNT)
        return err_because(reason, -ERR_STORE_VERSION,
            "catalog.db has version %lld, this weightfs knows up to %lld", (long long)version,
            (long long)STEP_COUNT);
    if (version == STEP_COUNT)
        return 0;
    result = db_begin(db);
    if (result == 0)
        result = run_steps(db, version);
    if (result == 0)
        result = db_commit(db);
    if (result < 0) {
        err_because(reason, -ERR_DATABASE, "catalog.db: %s", db_error(db));
        db_rollback(db);
        return -ERR_DATABASE;
    }
    return 0;
}
