/* SPDX-License-Identifier: Apache-2.0 */
/* Storing what a source told: the model's row, the revision's rows, and which revision is selected. */

#include "model/catalog_internal.h"
#include "model/catalog_revision.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "model/variant.h"

/* The model's own name: a one-word name is only another way to ask for ORG/NAME. */
static const char *name_of(const char *asked, const struct manifest *manifest) {
    return !strchr(asked, '/') && strchr(manifest->model, '/') ? manifest->model : asked;
}

int catalog_add_model_inside(struct catalog *catalog, const char *source, const char *group, const char *name,
    int64_t *ret_id) {
    struct db_statement *row =
        db_query(catalog->writer, "SELECT id FROM models WHERE source = ? AND name = ?");
    int result = catalog_one_number(by_name(row, source, name), ret_id);
    if (result != -ENOENT)
        return result;
    int64_t group_id;
    result = catalog_add_group_inside(catalog, source, group, &group_id);
    if (result < 0)
        return result;
    struct db_statement *insert = db_query(catalog->writer,
        "INSERT INTO models (group_id, source, name, added_ms, checked_ms) VALUES (?1, ?2, ?3, ?4, ?4)");
    insert = and_text(and_text(by_number(insert, group_id), 2, source), 3, name);
    result = db_finish(and_number(insert, 4, clock_wall_ms()));
    if (result < 0)
        return result;
    *ret_id = db_last_id(catalog->writer);
    return 0;
}

static int add_model(struct catalog *catalog, const char *source, const char *name, int64_t *ret_id) {
    char group[NAME_MODEL_SIZE];
    size_t len = strcspn(name, "/");
    if (!name[len] || len >= sizeof group)
        return -ERR_BAD_NAME;
    memcpy(group, name, len);
    group[len] = 0;
    return catalog_add_model_inside(catalog, source, group, name, ret_id);
}

/* ---- the rows of a revision ---- */

static int insert_node(struct catalog *catalog, int64_t revision_id, int64_t first_id,
    const struct catalog_node *node, int64_t id) {
    struct db_statement *row = db_query(catalog->writer,
        "INSERT INTO files (id, revision_id, parent_id, name, path, is_folder, masked, selected, size, "
        "digest, variant, "
        "child_first_id, child_last_id) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)");
    if (!row)
        return -ERR_DATABASE;
    char path[NAME_PATH_SIZE], name[CATALOG_FILE_NAME_SIZE], variant[NAME_VARIANT_SIZE] = "";
    size_t name_len = node->path_len - (size_t)(node->name - node->path);
    if (node->path_len >= sizeof path || name_len >= sizeof name)
        return -ERR_BAD_NAME; /* the manifest refused such before */
    memcpy(path, node->path, node->path_len);
    path[node->path_len] = 0;
    memcpy(name, node->name, name_len);
    name[name_len] = 0;
    if (node->file && !variant_of(path, variant))
        variant[0] = 0;
    db_number(row, 1, id);
    db_number(row, 2, revision_id);
    db_number(row, 3, node->parent == SIZE_MAX ? 0 : first_id + (int64_t)node->parent);
    db_text(row, 4, name);
    db_text(row, 5, path);
    db_number(row, 6, !node->file);
    db_number(row, 7, node->file && node->file->masked);
    db_number(row, 8, node->file ? (int64_t)node->file->size : 0);
    db_text(row, 9, node->file ? node->file->digest : "");
    db_text(row, 10, variant);
    db_number(row, 11, node->child_count ? first_id + (int64_t)node->child_first : 1);
    db_number(row, 12,
        node->child_count ? first_id + (int64_t)(node->child_first + node->child_count) - 1 : 0);
    return db_finish(row);
}

static int next_file_id(struct catalog *catalog, int64_t *ret_id) {
    int64_t last = 0;
    int result =
        catalog_one_number(db_query(catalog->writer, "SELECT seq FROM sqlite_sequence WHERE name = 'files'"),
            &last);
    if (result < 0 && result != -ENOENT)
        return result;
    *ret_id = last + 1;
    return 0;
}

static int insert_files(struct catalog *catalog, int64_t revision_id, const struct catalog_layout *layout) {
    int64_t first_id;
    int result = next_file_id(catalog, &first_id);
    for (size_t i = 0; result == 0 && i < layout->count; i++)
        result = insert_node(catalog, revision_id, first_id, &layout->nodes[i], first_id + (int64_t)i);
    if (result < 0)
        return result;
    struct db_statement *row = db_query(catalog->writer,
        "UPDATE revisions SET first_id = ?, last_id = ?, top_last_id = ? WHERE id = ?");
    if (!row)
        return -ERR_DATABASE;
    db_number(row, 1, first_id);
    db_number(row, 2, first_id + (int64_t)layout->count - 1);
    db_number(row, 3, first_id + (int64_t)layout->top_count - 1);
    db_number(row, 4, revision_id);
    return db_finish(row);
}

static int insert_refusals(struct catalog *catalog, int64_t revision_id, const struct manifest *manifest) {
    for (size_t i = 0; i < manifest->refusals_kept; i++) {
        struct db_statement *row = db_query(catalog->writer,
            "INSERT OR REPLACE INTO refusals (revision_id, number, path, fault) VALUES (?, ?, ?, ?)");
        if (!row)
            return -ERR_DATABASE;
        db_number(row, 1, revision_id);
        db_number(row, 2, (int64_t)i);
        db_text(row, 3, manifest->refusals[i].path);
        db_text(row, 4, manifest->refusals[i].fault);
        int result = db_finish(row);
        if (result < 0)
            return result;
    }
    return 0;
}

static int insert_revision(struct catalog *catalog, int64_t model_id, const struct manifest *manifest,
    int64_t *ret_id) {
    struct db_statement *row = db_query(catalog->writer,
        "INSERT INTO revisions (model_id, commit_id, modified_ms, seen_ms, file_count, refusal_count) "
        "VALUES (?, ?, ?, ?, ?, ?)");
    if (!row)
        return -ERR_DATABASE;
    int64_t now_ms = clock_wall_ms();
    db_number(row, 1, model_id);
    db_text(row, 2, manifest->commit);
    db_number(row, 3, manifest->modified_ms ? manifest->modified_ms : now_ms);
    db_number(row, 4, now_ms);
    db_number(row, 5, (int64_t)manifest->file_count);
    db_number(row, 6, (int64_t)manifest->refusal_count);
    int result = db_finish(row);
    if (result < 0)
        return result;
    *ret_id = db_last_id(catalog->writer);
    return insert_refusals(catalog, *ret_id, manifest);
}

/* ---- a revision that is known ---- */

static int count_differences(struct catalog *catalog, int64_t revision_id,
    const struct catalog_layout *layout, bool *ret_same_shape, size_t *ret_differences) {
    struct db_statement *row = db_query(catalog->writer,
        "SELECT path, size, digest, masked FROM files WHERE revision_id = ? ORDER BY id");
    if (!row)
        return -ERR_DATABASE;
    db_number(row, 1, revision_id);
    size_t count = 0, differences = 0;
    bool same = true;
    int step;
    while ((step = db_step(row)) == 1) {
        const char *path = db_get_text(row, 0);
        const struct catalog_node *node = count < layout->count ? &layout->nodes[count] : NULL;
        same =
            same && node && strlen(path) == node->path_len && memcmp(path, node->path, node->path_len) == 0;
        if (same && node->file &&
            ((uint64_t)db_get_number(row, 1) != node->file->size ||
                strcmp(db_get_text(row, 2), node->file->digest) != 0 ||
                db_get_number(row, 3) != node->file->masked))
            differences++;
        count++;
    }
    if (step < 0)
        return step;
    *ret_same_shape = same && count == layout->count;
    *ret_differences = differences;
    return 0;
}

static int refresh_files(struct catalog *catalog, int64_t revision_id, const struct catalog_layout *layout) {
    int64_t first_id;
    struct db_statement *bounds = db_query(catalog->writer, "SELECT first_id FROM revisions WHERE id = ?");
    if (!bounds)
        return -ERR_DATABASE;
    db_number(bounds, 1, revision_id);
    int result = catalog_one_number(bounds, &first_id);
    for (size_t i = 0; result == 0 && i < layout->count; i++) {
        const struct manifest_file *file = layout->nodes[i].file;
        if (!file)
            continue;
        struct db_statement *row =
            db_query(catalog->writer, "UPDATE files SET size = ?, digest = ?, masked = ? WHERE id = ?");
        if (!row)
            return -ERR_DATABASE;
        db_number(row, 1, (int64_t)file->size);
        db_text(row, 2, file->digest);
        db_number(row, 3, file->masked);
        db_number(row, 4, first_id + (int64_t)i);
        result = db_finish(row);
    }
    return result;
}

static int replace_files(struct catalog *catalog, int64_t revision_id, const struct manifest *manifest,
    const struct catalog_layout *layout) {
    struct db_statement *drop = db_query(catalog->writer, "DELETE FROM files WHERE revision_id = ?");
    struct db_statement *counts =
        db_query(catalog->writer, "UPDATE revisions SET file_count = ?, refusal_count = ? WHERE id = ?");
    if (!drop || !counts)
        return -ERR_DATABASE;
    db_number(drop, 1, revision_id);
    db_number(counts, 1, (int64_t)manifest->file_count);
    db_number(counts, 2, (int64_t)manifest->refusal_count);
    db_number(counts, 3, revision_id);
    int result = db_finish(drop);
    if (result == 0)
        result = db_finish(counts);
    return result < 0 ? result : insert_files(catalog, revision_id, layout);
}

/* A commit never changes, but what we may see of it does: masked files unmask once access was
 * given. Ids are kept where the paths are the same. */
static int keep_revision(struct catalog *catalog, int64_t revision_id, const struct manifest *manifest,
    const struct catalog_layout *layout, bool *ret_changed) {
    bool same_shape;
    size_t differences;
    int result = count_differences(catalog, revision_id, layout, &same_shape, &differences);
    if (result < 0)
        return result;
    *ret_changed = !same_shape || differences;
    if (!same_shape)
        return replace_files(catalog, revision_id, manifest, layout);
    if (differences)
        return refresh_files(catalog, revision_id, layout);
    return 0;
}

/* ---- the whole ---- */

static int find_revision(struct catalog *catalog, int64_t model_id, const char *commit, int64_t *ret_id) {
    struct db_statement *row =
        db_query(catalog->writer, "SELECT id FROM revisions WHERE model_id = ? AND commit_id = ?");
    if (!row)
        return -ERR_DATABASE;
    db_number(row, 1, model_id);
    db_text(row, 2, commit);
    return catalog_one_number(row, ret_id);
}

/* What is true of the model whichever revision is selected. */
static int note_answer(struct catalog *catalog, int64_t model_id, int64_t revision_id,
    const struct manifest *manifest) {
    struct db_statement *model = db_query(catalog->writer,
        "UPDATE models SET gated = ?, locked = ?, checked_ms = ?, error = 0, reason = '' WHERE id = ?");
    struct db_statement *seen = db_query(catalog->writer, "UPDATE revisions SET seen_ms = ? WHERE id = ?");
    if (!model || !seen)
        return -ERR_DATABASE;
    int64_t now_ms = clock_wall_ms();
    db_number(model, 1, manifest->gated);
    db_number(model, 2, manifest->locked);
    db_number(model, 3, now_ms);
    db_number(model, 4, model_id);
    db_number(seen, 1, now_ms);
    db_number(seen, 2, revision_id);
    int result = db_finish(model);
    if (result == 0)
        result = db_finish(seen);
    return result == 0 ? catalog_name_revision(catalog, model_id, manifest->revision, revision_id) : result;
}

static int store_manifest(struct catalog *catalog, const char *source, const char *name,
    const struct manifest *manifest, const struct catalog_layout *layout, bool hold,
    struct catalog_stored *ret_stored) {
    int64_t model_id, revision_id, former_id = 0;
    bool refreshed = false;
    int result = add_model(catalog, source, name_of(name, manifest), &model_id);
    if (result == 0)
        result = catalog_current_revision(catalog, model_id, &former_id);
    if (result < 0)
        return result;
    result = find_revision(catalog, model_id, manifest->commit, &revision_id);
    bool is_new = result == -ENOENT;
    if (result == 0) {
        result = keep_revision(catalog, revision_id, manifest, layout, &refreshed);
    } else if (is_new) {
        result = insert_revision(catalog, model_id, manifest, &revision_id);
        if (result == 0)
            result = insert_files(catalog, revision_id, layout);
    }
    if (result == 0)
        result = note_answer(catalog, model_id, revision_id, manifest);
    bool select = !hold || !former_id;
    if (result == 0 && select)
        result = catalog_turn_to(catalog, model_id, revision_id, manifest->revision, false);
    if (result == 0 && (refreshed || is_new || (select && former_id != revision_id)))
        result = catalog_fill_selection(catalog, model_id, revision_id);
    if (result == 0)
        result = catalog_clear_absence(catalog, source, name);
    if (result < 0)
        return result;
    *ret_stored = (struct catalog_stored){
        .model_id = model_id,
        .revision_id = revision_id,
        .changed = (refreshed && revision_id == former_id) || (select && former_id != revision_id),
        .waiting = !select && former_id != revision_id,
    };
    return 0;
}

int catalog_store_revision(struct catalog *catalog, const char *source, const char *name,
    const struct manifest *manifest, bool hold, struct catalog_stored *ret_stored) {
    struct catalog_layout layout LAYOUT_CLEANUP = {0};
    catalog_layout_init(&layout, manifest); /* before the lock */
    bool nested;
    int result = catalog_enter(catalog, &nested);
    if (result < 0)
        return result;
    struct catalog_stored stored = {0};
    result = store_manifest(catalog, source, name, manifest, &layout, hold, &stored);
    result = catalog_leave(catalog, nested, result);
    if (result == 0)
        *ret_stored = stored;
    return result;
}

int catalog_store_manifest(struct catalog *catalog, const char *source, const char *name,
    const struct manifest *manifest, int64_t *ret_model_id, bool *ret_changed) {
    struct catalog_stored stored;
    int result = catalog_store_revision(catalog, source, name, manifest, false, &stored);
    if (result < 0)
        return result;
    *ret_model_id = stored.model_id;
    *ret_changed = stored.changed;
    return 0;
}

/* ---- models that tell nothing ---- */

static int store_locked(struct catalog *catalog, const char *source, const char *name, int error,
    const char *reason, int64_t *ret_model_id) {
    int result = add_model(catalog, source, name, ret_model_id);
    if (result < 0)
        return result;
    struct db_statement *row = db_query(catalog->writer,
        "UPDATE models SET gated = 1, locked = 1, checked_ms = ?, error = ?, reason = ? WHERE id = ?");
    if (!row)
        return -ERR_DATABASE;
    db_number(row, 1, clock_wall_ms());
    db_number(row, 2, error);
    db_text(row, 3, reason ? reason : "");
    db_number(row, 4, *ret_model_id);
    result = db_finish(row);
    return result < 0 ? result : catalog_clear_absence(catalog, source, name);
}

int catalog_store_locked(struct catalog *catalog, const char *source, const char *name, int error,
    const char *reason, int64_t *ret_model_id) {
    bool nested;
    int result = catalog_enter(catalog, &nested);
    if (result < 0)
        return result;
    int64_t model_id = 0;
    result = catalog_leave(catalog, nested, store_locked(catalog, source, name, error, reason, &model_id));
    if (result == 0)
        *ret_model_id = model_id;
    return result;
}
