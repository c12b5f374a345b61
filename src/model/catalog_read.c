/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the catalogue: single rows and lists of them. Each function holds the reading connection
 * for one quick statement. */

#include "model/catalog_internal.h"
#include "model/catalog_revision.h"

#include <string.h>

#include "base/buf.h"

/* ---- what a row becomes; the columns stand beside their reader ---- */

#define GROUP_COLUMNS "SELECT g.id, g.source, g.name FROM groups g "
static void read_group(struct db_statement *row, struct catalog_group *group) {
    group->id = db_get_number(row, 0);
    catalog_get_text(row, 1, group->source, sizeof group->source);
    catalog_get_text(row, 2, group->name, sizeof group->name);
}

#define MODEL_COLUMNS                                                                                 \
    "SELECT m.id, m.group_id, m.revision_id, m.source, m.name, m.asked_revision, m.gated, m.locked, " \
    "m.pinned, "                                                                                      \
    "m.added_ms, m.checked_ms, m.error, m.reason, m.state, "                                          \
    "r.commit_id, r.modified_ms, r.file_count, r.refusal_count "                                      \
    "FROM models m LEFT JOIN revisions r ON r.id = m.revision_id "
static void read_model(struct db_statement *row, struct catalog_model *model) {
    model->id = db_get_number(row, 0);
    model->group_id = db_get_number(row, 1);
    model->revision_id = db_get_number(row, 2);
    catalog_get_text(row, 3, model->source, sizeof model->source);
    catalog_get_text(row, 4, model->name, sizeof model->name);
    catalog_get_text(row, 5, model->asked_revision, sizeof model->asked_revision);
    model->gated = db_get_number(row, 6);
    model->locked = db_get_number(row, 7);
    model->pinned = db_get_number(row, 8);
    model->added_ms = db_get_number(row, 9);
    model->checked_ms = db_get_number(row, 10);
    model->error = (int)db_get_number(row, 11);
    catalog_get_text(row, 12, model->reason.text, sizeof model->reason.text);
    model->state = (int)db_get_number(row, 13);
    catalog_get_text(row, 14, model->commit, sizeof model->commit);
    model->modified_ms = db_get_number(row, 15);
    model->file_count = (uint64_t)db_get_number(row, 16);
    model->refusal_count = (uint64_t)db_get_number(row, 17);
}

#define FILE_COLUMNS                                                                               \
    "SELECT f.id, f.revision_id, r.model_id, f.parent_id, f.name, f.path, f.is_folder, f.masked, " \
    "f.selected, f.size, "                                                                         \
    "f.digest, f.variant, r.modified_ms, d.sha256, r.commit_id "                                   \
    "FROM files f JOIN revisions r ON r.id = f.revision_id LEFT JOIN digests d ON d.digest = f.digest "
static void read_file(struct db_statement *row, struct catalog_file *file) {
    file->id = db_get_number(row, 0);
    file->revision_id = db_get_number(row, 1);
    file->model_id = db_get_number(row, 2);
    file->parent_id = db_get_number(row, 3);
    catalog_get_text(row, 4, file->name, sizeof file->name);
    catalog_get_text(row, 5, file->path, sizeof file->path);
    file->is_folder = db_get_number(row, 6);
    file->masked = db_get_number(row, 7);
    file->selected = db_get_number(row, 8);
    file->size = (uint64_t)db_get_number(row, 9);
    catalog_get_text(row, 10, file->digest, sizeof file->digest);
    catalog_get_text(row, 11, file->variant, sizeof file->variant);
    file->modified_ms = db_get_number(row, 12);
    catalog_get_text(row, 14, file->commit, sizeof file->commit);
    if (digest_kind_of(file->digest) == DIGEST_SHA256)
        (void)text_copy(file->sha256, sizeof file->sha256,
            file->digest + strlen("sha256-")); /* always 64 digits */
    else
        catalog_get_text(row, 13, file->sha256, sizeof file->sha256);
}

static void read_refusal(struct db_statement *row, struct catalog_refusal *refusal) {
    catalog_get_text(row, 0, refusal->path, sizeof refusal->path);
    catalog_get_text(row, 1, refusal->fault, sizeof refusal->fault);
}

/* ---- single rows ---- */

int catalog_group(struct catalog *catalog, int64_t id, struct catalog_group *ret_group) {
    LOCK_SCOPE(&catalog->read_lock);
    return READ_ONE(by_number(db_query(catalog->reader, GROUP_COLUMNS "WHERE g.id = ?"), id), read_group,
        ret_group);
}

int catalog_find_group(struct catalog *catalog, const char *source, const char *name,
    struct catalog_group *ret_group) {
    LOCK_SCOPE(&catalog->read_lock);
    return READ_ONE(by_name(db_query(catalog->reader, GROUP_COLUMNS "WHERE g.source = ? AND g.name = ?"),
                        source, name),
        read_group, ret_group);
}

int catalog_model(struct catalog *catalog, int64_t id, struct catalog_model *ret_model) {
    LOCK_SCOPE(&catalog->read_lock);
    return READ_ONE(by_number(db_query(catalog->reader, MODEL_COLUMNS "WHERE m.id = ?"), id), read_model,
        ret_model);
}

int catalog_find_model(struct catalog *catalog, const char *source, const char *name,
    struct catalog_model *ret_model) {
    LOCK_SCOPE(&catalog->read_lock);
    return READ_ONE(by_name(db_query(catalog->reader, MODEL_COLUMNS "WHERE m.source = ? AND m.name = ?"),
                        source, name),
        read_model, ret_model);
}

int catalog_file(struct catalog *catalog, int64_t id, struct catalog_file *ret_file) {
    LOCK_SCOPE(&catalog->read_lock);
    return READ_ONE(by_number(db_query(catalog->reader, FILE_COLUMNS "WHERE f.id = ?"), id), read_file,
        ret_file);
}

int catalog_find_file(struct catalog *catalog, int64_t revision_id, int64_t parent_id, const char *name,
    struct catalog_file *ret_file) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *statement =
        db_query(catalog->reader, FILE_COLUMNS "WHERE f.revision_id = ? AND f.parent_id = ? AND f.name = ?");
    return READ_ONE(and_text(and_number(by_number(statement, revision_id), 2, parent_id), 3, name), read_file,
        ret_file);
}

int catalog_find_path(struct catalog *catalog, int64_t revision_id, const char *path,
    struct catalog_file *ret_file) {
    struct catalog_file file = {0};
    for (;;) {
        size_t len = strcspn(path, "/");
        char part[CATALOG_FILE_NAME_SIZE];
        if (len == 0 || len >= sizeof part)
            return -ENOENT;
        memcpy(part, path, len);
        part[len] = 0;
        int result = catalog_find_file(catalog, revision_id, file.id, part, &file);
        if (result < 0)
            return result;
        if (!path[len]) {
            *ret_file = file;
            return 0;
        }
        path += len + 1;
    }
}

/* ---- lists ---- */

int catalog_list_groups(struct catalog *catalog, const char *source, bool with_models_only, int64_t after_id,
    struct catalog_group *array, size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *statement =
        db_query(catalog->reader, GROUP_COLUMNS "WHERE g.id > ?1 AND +g.source = ?3 AND (?4 = 0 OR EXISTS "
                                                "(SELECT 1 FROM models m WHERE m.group_id = g.id)) "
                                                "ORDER BY g.id LIMIT ?2");
    statement = and_number(and_text(with_page(statement, after_id, room), 3, source), 4, with_models_only);
    return READ_LIST(statement, read_group, array, room);
}

int catalog_list_models(struct catalog *catalog, int64_t group_id, int64_t after_id,
    struct catalog_model *array, size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *statement =
        group_id ? and_number(db_query(catalog->reader,
                                  MODEL_COLUMNS "WHERE m.id > ?1 AND m.group_id = ?3 ORDER BY m.id LIMIT ?2"),
                       3, group_id)
                 : db_query(catalog->reader, MODEL_COLUMNS "WHERE m.id > ?1 ORDER BY m.id LIMIT ?2");
    return READ_LIST(with_page(statement, after_id, room), read_model, array, room);
}

/* The run of ids that a folder's (0: the revision's top) children are. */
static int find_run(struct catalog *catalog, int64_t revision_id, int64_t parent_id, int64_t *ret_first,
    int64_t *ret_last) {
    struct db_statement *row =
        parent_id
            ? by_number(db_query(catalog->reader,
                            "SELECT child_first_id, child_last_id FROM files WHERE id = ? AND is_folder"),
                  parent_id)
            : by_number(db_query(catalog->reader, "SELECT first_id, top_last_id FROM revisions WHERE id = ?"),
                  revision_id);
    int result = db_step(row);
    if (result <= 0)
        return result < 0 ? result : -ENOENT;
    *ret_first = db_get_number(row, 0);
    *ret_last = db_get_number(row, 1);
    db_reset(row);
    return 0;
}

int catalog_list_folder(struct catalog *catalog, int64_t revision_id, int64_t parent_id, int64_t after_id,
    struct catalog_file *array, size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    int64_t first, last;
    int result = find_run(catalog, revision_id, parent_id, &first, &last);
    if (result < 0)
        return result;
    struct db_statement *statement = db_query(catalog->reader,
        FILE_COLUMNS "WHERE f.id > ?1 AND f.id <= ?3 AND +f.revision_id = ?4 ORDER BY f.id LIMIT ?2");
    statement = with_page(statement, after_id < first ? first - 1 : after_id, room);
    return READ_LIST(and_number(and_number(statement, 3, last), 4, revision_id), read_file, array, room);
}

int catalog_list_files(struct catalog *catalog, int64_t revision_id, bool selected_only, int64_t after_id,
    struct catalog_file *array, size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    /* The run is found in the statement itself; the unary + keeps the planner on the primary key. */
    struct db_statement *statement = db_query(catalog->reader, FILE_COLUMNS
        "WHERE f.id > max(?1, (SELECT first_id - 1 FROM revisions WHERE id = ?3)) "
        "AND f.id <= (SELECT last_id FROM revisions WHERE id = ?3) "
        "AND +f.revision_id = ?3 AND NOT f.is_folder AND f.selected >= ?4 ORDER BY f.id LIMIT ?2");
    statement =
        and_number(and_number(with_page(statement, after_id, room), 3, revision_id), 4, selected_only);
    return READ_LIST(statement, read_file, array, room);
}

int catalog_list_same(struct catalog *catalog, const char *digest, int64_t after_id,
    struct catalog_file *array, size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *statement = db_query(catalog->reader, FILE_COLUMNS
        "WHERE f.digest = ?3 AND f.digest != '' AND f.id > ?1 "
        "AND EXISTS (SELECT 1 FROM models m WHERE m.revision_id = f.revision_id) ORDER BY f.id LIMIT ?2");
    return READ_LIST(and_text(with_page(statement, after_id, room), 3, digest), read_file, array, room);
}

int catalog_list_same_kept(struct catalog *catalog, const char *digest, int64_t after_id,
    struct catalog_file *array, size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *statement = db_query(catalog->reader,
        FILE_COLUMNS "WHERE f.digest = ?3 AND f.digest != '' AND f.id > ?1 ORDER BY f.id LIMIT ?2");
    return READ_LIST(and_text(with_page(statement, after_id, room), 3, digest), read_file, array, room);
}

int catalog_list_refusals(struct catalog *catalog, int64_t revision_id, struct catalog_refusal *array,
    size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *statement = db_query(catalog->reader,
        "SELECT path, fault FROM refusals WHERE revision_id = ?1 ORDER BY number LIMIT ?2");
    return READ_LIST(with_page(statement, revision_id, room), read_refusal, array, room);
}

static void read_word(struct db_statement *row, char (*word)[NAME_PATH_SIZE]) {
    catalog_get_text(row, 0, *word, sizeof *word);
}

int catalog_list_words(struct catalog *catalog, int64_t model_id, char (*array)[NAME_PATH_SIZE],
    size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *statement =
        db_query(catalog->reader, "SELECT word FROM words WHERE model_id = ?1 ORDER BY id LIMIT ?2");
    return READ_LIST(with_page(statement, model_id, room), read_word, array, room);
}

static void read_digest(struct db_statement *row, char (*digest)[DIGEST_TEXT_SIZE]) {
    catalog_get_text(row, 0, *digest, sizeof *digest);
}

int catalog_list_pinned_digests(struct catalog *catalog, const char *after, char (*array)[DIGEST_TEXT_SIZE],
    size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *statement = db_query(catalog->reader,
        "SELECT DISTINCT f.digest FROM models m JOIN revisions r ON r.id IN (m.revision_id, m.pending_id) "
        "JOIN files f ON f.id BETWEEN r.first_id AND r.last_id "
        "WHERE m.pinned AND f.selected AND f.digest > ?1 ORDER BY f.digest LIMIT ?2");
    if (statement) {
        db_text(statement, 1, after);
        db_number(statement, 2, (int64_t)room);
    }
    return READ_LIST(statement, read_digest, array, room);
}
