/* SPDX-License-Identifier: Apache-2.0 */
/* Revisions of models: which are known, by which names, which is selected, which may go. */

#include "model/catalog_revision.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "model/catalog_internal.h"

#define PREFIX_LEAST 7 /* digits of a commit that git writes, too */

/* ---- what a row becomes ---- */

#define REVISION_COLUMNS                                                                     \
    "SELECT r.id, r.model_id, r.commit_id, r.modified_ms, r.seen_ms, r.file_count, r.turn, " \
    "EXISTS (SELECT 1 FROM models m WHERE m.id = r.model_id AND m.revision_id = r.id) FROM revisions r "
static void read_revision(struct db_statement *row, struct catalog_revision *revision) {
    revision->id = db_get_number(row, 0);
    revision->model_id = db_get_number(row, 1);
    catalog_get_text(row, 2, revision->commit, sizeof revision->commit);
    revision->modified_ms = db_get_number(row, 3);
    revision->seen_ms = db_get_number(row, 4);
    revision->file_count = (uint64_t)db_get_number(row, 5);
    revision->turn = db_get_number(row, 6);
    revision->selected = db_get_number(row, 7);
}

#define NAME_COLUMNS                                                                     \
    "SELECT n.id, n.model_id, n.revision_id, n.name, r.commit_id FROM revision_names n " \
    "JOIN revisions r ON r.id = n.revision_id "
static void read_name(struct db_statement *row, struct catalog_revision_name *name) {
    name->id = db_get_number(row, 0);
    name->model_id = db_get_number(row, 1);
    name->revision_id = db_get_number(row, 2);
    catalog_get_text(row, 3, name->name, sizeof name->name);
    catalog_get_text(row, 4, name->commit, sizeof name->commit);
}

static void read_following(struct db_statement *row, struct catalog_following *following) {
    following->head_id = db_get_number(row, 0);
    catalog_get_text(row, 1, following->head_commit, sizeof following->head_commit);
    following->pending_id = db_get_number(row, 2);
    following->former_id = db_get_number(row, 3);
    following->stays = db_get_number(row, 4);
    following->next_check_ms = db_get_number(row, 5);
}

/* ---- single rows ---- */

int catalog_revision(struct catalog *catalog, int64_t id, struct catalog_revision *ret_revision) {
    LOCK_SCOPE(&catalog->read_lock);
    return READ_ONE(by_number(db_query(catalog->reader, REVISION_COLUMNS "WHERE r.id = ?"), id),
        read_revision, ret_revision);
}

int catalog_revision_name(struct catalog *catalog, int64_t id, struct catalog_revision_name *ret_name) {
    LOCK_SCOPE(&catalog->read_lock);
    return READ_ONE(by_number(db_query(catalog->reader, NAME_COLUMNS "WHERE n.id = ?"), id), read_name,
        ret_name);
}

int catalog_find_revision_name(struct catalog *catalog, int64_t model_id, const char *name,
    struct catalog_revision_name *ret_name) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row =
        by_number(db_query(catalog->reader, NAME_COLUMNS "WHERE n.model_id = ? AND n.name = ?"), model_id);
    return READ_ONE(and_text(row, 2, name), read_name, ret_name);
}

/* Two rows at most are read: of one alone it is known which was meant. */
static int find_prefix(struct catalog *catalog, int64_t model_id, const char *prefix,
    struct catalog_revision *ret_revision) {
    struct catalog_revision found[2];
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row = db_query(catalog->reader,
        REVISION_COLUMNS "WHERE r.model_id = ?1 AND substr(r.commit_id, 1, length(?2)) = ?2 LIMIT 2");
    int count = READ_LIST(and_text(by_number(row, model_id), 2, prefix), read_revision, found, 2);
    if (count != 1)
        return count < 0 ? count : -ENOENT;
    *ret_revision = found[0];
    return 0;
}

int catalog_find_revision(struct catalog *catalog, int64_t model_id, const char *word,
    struct catalog_revision *ret_revision) {
    struct catalog_revision_name name;
    int result = catalog_find_revision_name(catalog, model_id, word, &name);
    if (result == 0)
        return catalog_revision(catalog, name.revision_id, ret_revision);
    size_t len = strlen(word);
    if (result != -ENOENT || len < PREFIX_LEAST || len >= sizeof ret_revision->commit)
        return result;
    return find_prefix(catalog, model_id, word, ret_revision);
}

int catalog_following(struct catalog *catalog, int64_t model_id, struct catalog_following *ret_following) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row = db_query(catalog->reader,
        "SELECT ifnull(h.id, 0), ifnull(h.commit_id, ''), m.pending_id, "
        "ifnull((SELECT f.id FROM revisions f WHERE f.model_id = m.id AND f.turn > 0 AND f.turn < s.turn "
        "ORDER BY f.turn DESC LIMIT 1), 0), m.stays, m.next_check_ms "
        "FROM models m LEFT JOIN revisions s ON s.id = m.revision_id "
        "LEFT JOIN revision_names n ON n.model_id = m.id AND n.name = m.asked_revision "
        "LEFT JOIN revisions h ON h.id = n.revision_id WHERE m.id = ?");
    return READ_ONE(by_number(row, model_id), read_following, ret_following);
}

int catalog_any_auto_update(struct catalog *catalog) {
    LOCK_SCOPE(&catalog->read_lock);
    int64_t any = 0;
    int result =
        catalog_one_number(db_query(catalog->reader,
                               "SELECT EXISTS (SELECT 1 FROM model_settings WHERE name = 'auto_update')"),
            &any);
    return result < 0 ? result : any != 0;
}

/* ---- lists ---- */

int catalog_list_revisions(struct catalog *catalog, int64_t model_id, int64_t after_id,
    struct catalog_revision *array, size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row = db_query(catalog->reader,
        REVISION_COLUMNS "WHERE r.id > ?1 AND r.model_id = ?3 ORDER BY r.id LIMIT ?2");
    return READ_LIST(and_number(with_page(row, after_id, room), 3, model_id), read_revision, array, room);
}

int catalog_list_revision_names(struct catalog *catalog, int64_t model_id, int64_t after_id,
    struct catalog_revision_name *array, size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row =
        db_query(catalog->reader, NAME_COLUMNS "WHERE n.id > ?1 AND n.model_id = ?3 ORDER BY n.id LIMIT ?2");
    return READ_LIST(and_number(with_page(row, after_id, room), 3, model_id), read_name, array, room);
}

int catalog_list_surplus(struct catalog *catalog, int64_t model_id, unsigned keep,
    struct catalog_revision *array, size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row = db_query(catalog->reader, REVISION_COLUMNS
        "WHERE r.model_id = ?1 AND r.id NOT IN (SELECT k.id FROM revisions k WHERE k.model_id = ?1 "
        "    ORDER BY k.turn DESC, k.id DESC LIMIT ?3) "
        "AND NOT EXISTS (SELECT 1 FROM models m WHERE m.id = ?1 AND (m.revision_id = r.id OR m.pending_id = "
        "r.id "
        "    OR r.id = (SELECT n.revision_id FROM revision_names n WHERE n.model_id = m.id "
        "        AND n.name = m.asked_revision))) "
        "ORDER BY r.turn, r.id LIMIT ?2");
    return READ_LIST(and_number(with_page(row, model_id, room), 3, keep), read_revision, array, room);
}

static void read_reference(struct db_statement *row, struct catalog_reference *reference) {
    reference->file_id = db_get_number(row, 0);
    reference->model_id = db_get_number(row, 1);
    reference->size = (uint64_t)db_get_number(row, 2);
    reference->selected = db_get_number(row, 3);
    catalog_get_text(row, 4, reference->digest, sizeof reference->digest);
    catalog_get_text(row, 5, reference->sha256, sizeof reference->sha256);
}

int catalog_list_references(struct catalog *catalog, int64_t after_file_id, struct catalog_reference *array,
    size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row = db_query(catalog->reader,
        "SELECT f.id, r.model_id, f.size, f.selected AND m.revision_id = r.id, f.digest, ifnull(d.sha256, "
        "'') "
        "FROM files f JOIN revisions r ON r.id = f.revision_id JOIN models m ON m.id = r.model_id "
        "LEFT JOIN digests d ON d.digest = f.digest "
        "WHERE f.id > ?1 AND f.digest != '' ORDER BY f.id LIMIT ?2");
    return READ_LIST(with_page(row, after_file_id, room), read_reference, array, room);
}

static void read_dropped(struct db_statement *row, struct catalog_dropped *dropped) {
    catalog_get_text(row, 0, dropped->digest, sizeof dropped->digest);
    catalog_get_text(row, 1, dropped->sha256, sizeof dropped->sha256);
}

int catalog_list_dropped(struct catalog *catalog, const char *after, struct catalog_dropped *array,
    size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row = db_query(catalog->reader,
        "SELECT x.digest, ifnull(d.sha256, '') FROM dropped x LEFT JOIN digests d ON d.digest = x.digest "
        "WHERE x.digest > ?1 ORDER BY x.digest LIMIT ?2");
    return READ_LIST(and_number(and_text(row, 1, after), 2, (int64_t)room), read_dropped, array, room);
}

/* ---- writing ---- */

int catalog_current_revision(struct catalog *catalog, int64_t model_id, int64_t *ret_id) {
    return catalog_one_number(by_number(db_query(catalog->writer,
                                            "SELECT ifnull(revision_id, 0) FROM models WHERE id = ?"),
                                  model_id),
        ret_id);
}

int catalog_name_revision(struct catalog *catalog, int64_t model_id, const char *name, int64_t revision_id) {
    if (!*name || name_is_commit(name))
        return 0; /* it names itself */
    struct db_statement *row =
        by_number(db_query(catalog->writer,
                      "INSERT INTO revision_names (model_id, name, revision_id) VALUES (?1, ?2, ?3) "
                      "ON CONFLICT (model_id, name) DO UPDATE SET revision_id = ?3"),
            model_id);
    return db_finish(and_number(and_text(row, 2, name), 3, revision_id));
}

static int set_selected(struct catalog *catalog, int64_t model_id, int64_t revision_id, const char *follow,
    bool stays) {
    struct db_statement *row =
        by_number(db_query(catalog->writer,
                      "UPDATE models SET revision_id = ?2, stays = ?3, "
                      "asked_revision = CASE ?4 WHEN '' THEN asked_revision ELSE ?4 END, "
                      "pending_id = CASE pending_id WHEN ?2 THEN 0 ELSE pending_id END WHERE id = ?1"),
            model_id);
    return db_finish(
        and_text(and_number(and_number(row, 2, revision_id), 3, stays), 4, follow ? follow : ""));
}

int catalog_turn_to(struct catalog *catalog, int64_t model_id, int64_t revision_id, const char *follow,
    bool stays) {
    int64_t former_id;
    int result = catalog_current_revision(catalog, model_id, &former_id);
    if (result == 0 && former_id != revision_id)
        result =
            db_finish(and_number(by_number(db_query(catalog->writer, "UPDATE revisions SET turn = "
                                                                     "(SELECT max(turn) + 1 FROM revisions "
                                                                     "WHERE model_id = ?1) WHERE id = ?2"),
                                     model_id),
                2, revision_id));
    return result < 0 ? result : set_selected(catalog, model_id, revision_id, follow, stays);
}

static int select_revision(struct catalog *catalog, int64_t model_id, int64_t revision_id, const char *follow,
    bool stays, bool turn) {
    int result = turn ? catalog_turn_to(catalog, model_id, revision_id, follow, stays)
                      : set_selected(catalog, model_id, revision_id, follow, stays);
    return result < 0 ? result : catalog_fill_selection(catalog, model_id, revision_id);
}

/* Wraps `work` into a transaction, unless the caller is inside one. */
#define WRITE(catalog, work)                                               \
    ({                                                                     \
        bool nested_;                                                      \
        int result_ = catalog_enter((catalog), &nested_);                  \
        result_ < 0 ? result_ : catalog_leave((catalog), nested_, (work)); \
    })

int catalog_select_revision(struct catalog *catalog, int64_t model_id, int64_t revision_id,
    const char *follow, bool stays, bool turn) {
    return WRITE(catalog, select_revision(catalog, model_id, revision_id, follow, stays, turn));
}

int catalog_set_pending(struct catalog *catalog, int64_t model_id, int64_t revision_id) {
    return WRITE(catalog,
        db_finish(
            and_number(by_number(db_query(catalog->writer, "UPDATE models SET pending_id = ?2 WHERE id = ?1"),
                           model_id),
                2, revision_id)));
}

int catalog_set_next_check(struct catalog *catalog, int64_t model_id, int64_t next_check_ms) {
    return WRITE(catalog,
        db_finish(and_number(by_number(db_query(catalog->writer,
                                           "UPDATE models SET next_check_ms = ?2 WHERE id = ?1"),
                                 model_id),
            2, next_check_ms)));
}

static int drop_revision(struct catalog *catalog, int64_t revision_id) {
    int64_t users;
    int result = catalog_one_number(by_number(db_query(catalog->writer,
                                                  "SELECT count(*) FROM models WHERE revision_id = ?"),
                                        revision_id),
        &users);
    if (result < 0 || users)
        return result < 0 ? result : -EBUSY;
    return db_finish(by_number(db_query(catalog->writer, "DELETE FROM revisions WHERE id = ?"), revision_id));
}

int catalog_drop_revision(struct catalog *catalog, int64_t revision_id) {
    return WRITE(catalog, drop_revision(catalog, revision_id));
}

int catalog_clear_dropped(struct catalog *catalog) {
    return WRITE(catalog, db_finish(db_query(catalog->writer, "DELETE FROM dropped")));
}
