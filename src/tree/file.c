/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/file.h"

#include <string.h>

#include "manage/unsafe.h"
#include "tree/inside.h"
#include "tree/rows.h"
#include "weightfs/source.h"

void files_init(struct tree *tree) {
    lock_init(&tree->files.lock, LOCK_HANDLE);
}

void files_done(struct tree *tree) {
    for (size_t i = 0; i < FILE_SLOTS; i++)
        if (tree->files.slots[i].file_id)
            blob_put(tree->files.slots[i].blob);
    lock_done(&tree->files.lock);
}

static bool slot_get(struct tree *tree, uint64_t file_id, bool judged, struct file_view *ret_view) {
    LOCK_SCOPE(&tree->files.lock);
    const struct file_slot *slot = &tree->files.slots[file_id % FILE_SLOTS];
    if (slot->file_id != file_id || slot->version != atomic_load(&tree->news))
        return false;
    if (judged && !slot->is_judged)
        return false;
    *ret_view = (struct file_view){.blob = blob_ref(slot->blob),
        .size = slot->size,
        .is_locked = slot->is_locked,
        .is_former = slot->is_former,
        .is_risky = slot->is_risky};
    return true;
}

/* `version` is what tree->news was before the catalogue was asked: what changed since makes the slot
 * old at once. */
static void slot_set(struct tree *tree, uint64_t file_id, const struct file_view *view, bool judged,
    uint64_t version) {
    struct blob *former = NULL;
    lock_take(&tree->files.lock);
    struct file_slot *slot = &tree->files.slots[file_id % FILE_SLOTS];
    if (slot->file_id)
        former = slot->blob;
    *slot = (struct file_slot){.file_id = file_id,
        .version = version,
        .size = view->size,
        .is_locked = view->is_locked,
        .is_former = view->is_former,
        .is_judged = judged,
        .is_risky = view->is_risky,
        .blob = blob_ref(view->blob)};
    lock_drop(&tree->files.lock);
    if (former)
        blob_put(former);
}

/* The file's model, as of `version` or later. */
static int model_of(struct tree *tree, int64_t model_id, uint64_t version, struct model_slot *ret_model) {
    struct model_slot *slot = &tree->files.models[(uint64_t)model_id % MODEL_SLOTS];
    lock_take(&tree->files.lock);
    bool found = slot->model_id == model_id && slot->version == version;
    if (found)
        *ret_model = *slot;
    lock_drop(&tree->files.lock);
    if (found)
        return 0;
    struct catalog_model model;
    int result = catalog_model(tree->catalog, model_id, &model);
    if (result < 0)
        return result == -ENOENT ? -ERR_STALE : result;
    struct model_slot fresh = {.model_id = model_id,
        .version = version,
        .source = source_find(model.source),
        .revision_id = model.revision_id,
        .is_locked = model.locked};
    if (!fresh.source)
        return -ERR_STALE;
    memcpy(fresh.name, model.name, sizeof(fresh.name));
    *ret_model = fresh;
    LOCK_SCOPE(&tree->files.lock);
    *slot = fresh;
    return 0;
}

/* `judged`: also whether it is risky, which costs a query that attributes do without. */
static int view_of(struct tree *tree, const struct catalog_file *file, bool judged,
    struct file_view *ret_view) {
    if (file->masked || !file->digest[0])
        return -EACCES;
    if (slot_get(tree, (uint64_t)file->id, judged, ret_view))
        return 0;
    uint64_t version = atomic_load(&tree->news);
    struct model_slot model;
    int result = model_of(tree, file->model_id, version, &model);
    if (result < 0)
        return result;
    struct blob_origin origin = {
        .source = model.source,
        .file = {.model = model.name,
            .commit = file->commit,
            .path = file->path,
            .digest = file->digest,
            .size = file->size},
    };
    struct file_view view = {.size = file->size,
        .is_locked = model.is_locked,
        .is_former = model.revision_id != file->revision_id,
        .is_risky = judged && unsafe_is_risky(tree->settings.manage, file->path, file->digest)};
    result = blob_get(tree->store, &origin, &view.blob);
    if (result < 0)
        return result;
    slot_set(tree, (uint64_t)file->id, &view, judged, version);
    *ret_view = view;
    return 0;
}

bool file_of_any_revision(node_number node) {
    return node_row(node) == ROW_REVISION_FILE;
}

/* Through files/ a former revision is not shown: the walk to it is out of date. */
static int refuse_former(struct file_view *view, bool any_revision) {
    if (any_revision || !view->is_former)
        return 0;
    blob_put(view->blob);
    return -ERR_STALE;
}

int file_blob(struct tree *tree, const struct catalog_file *file, bool any_revision, struct blob **ret_blob) {
    struct file_view view;
    int result = view_of(tree, file, false, &view);
    if (!result)
        result = refuse_former(&view, any_revision);
    if (!result)
        *ret_blob = view.blob;
    return result;
}

int file_look(struct tree *tree, uint64_t file_id, bool any_revision, struct file_view *ret_view) {
    struct file_view view;
    int result = 0;
    if (!slot_get(tree, file_id, true, &view)) {
        struct catalog_file file;
        result = catalog_file(tree->catalog, (int64_t)file_id, &file);
        if (result == -ENOENT || (!result && file.is_folder))
            return -ERR_STALE;
        if (!result)
            result = view_of(tree, &file, true, &view);
    }
    if (!result)
        result = refuse_former(&view, any_revision);
    if (!result)
        *ret_view = view;
    return result;
}

int file_may_open(struct tree *tree, uint64_t file_id) {
    struct manage *manage = tree->settings.manage;
    struct file_view view;
    struct catalog_file file;
    struct catalog_model model;
    if (!unsafe_is_watched(manage))
        return 0;
    int result = file_look(tree, file_id, true, &view);
    if (result < 0)
        return result;
    blob_put(view.blob);
    if (!view.is_risky)
        return 0;
    result = catalog_file(tree->catalog, (int64_t)file_id, &file);
    if (!result)
        result = catalog_model(tree->catalog, file.model_id, &model);
    if (result)
        return result == -ENOENT ? -ERR_STALE : result;
    return unsafe_judge(manage, &model, &file, NULL);
}
