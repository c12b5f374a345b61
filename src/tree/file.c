/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/file.h"

#include "tree/inside.h"
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

static struct blob *slot_get(struct tree *tree, uint64_t file_id, uint64_t *ret_size) {
    LOCK_SCOPE(&tree->files.lock);
    const struct file_slot *slot = &tree->files.slots[file_id % FILE_SLOTS];
    if (slot->file_id != file_id || slot->version != atomic_load(&tree->news))
        return NULL;
    if (ret_size)
        *ret_size = slot->size;
    return blob_ref(slot->blob);
}

/* `version` is what tree->news was before the catalogue was asked: what changed since makes the slot
 * old at once. */
static void slot_set(struct tree *tree, uint64_t file_id, uint64_t size, uint64_t version,
    struct blob *blob) {
    struct blob *former = NULL;
    lock_take(&tree->files.lock);
    struct file_slot *slot = &tree->files.slots[file_id % FILE_SLOTS];
    if (slot->file_id)
        former = slot->blob;
    *slot = (struct file_slot){.file_id = file_id, .version = version, .size = size, .blob = blob_ref(blob)};
    lock_drop(&tree->files.lock);
    if (former)
        blob_put(former);
}

int file_blob(struct tree *tree, const struct catalog_file *file, struct blob **ret_blob) {
    if (file->masked || !file->digest[0])
        return -EACCES;
    *ret_blob = slot_get(tree, (uint64_t)file->id, NULL);
    if (*ret_blob)
        return 0;
    uint64_t version = atomic_load(&tree->news);
    struct catalog_model model;
    int result = catalog_model(tree->catalog, file->model_id, &model);
    if (result < 0)
        return result == -ENOENT ? -ERR_STALE : result;
    if (model.revision_id != file->revision_id)
        return -ERR_STALE; /* its commit is not ours to ask for any more */
    const struct source *source = source_find(model.source);
    if (!source)
        return -ERR_STALE;
    struct blob_origin origin = {
        .source = source,
        .file = {.model = model.name,
                 .commit = model.commit,
                 .path = file->path,
                 .digest = file->digest,
                 .size = file->size},
    };
    struct blob *blob;
    result = blob_get(tree->store, &origin, &blob);
    if (result < 0)
        return result;
    slot_set(tree, (uint64_t)file->id, file->size, version, blob);
    *ret_blob = blob;
    return 0;
}

int file_blob_of(struct tree *tree, uint64_t file_id, struct blob **ret_blob, uint64_t *ret_size) {
    struct blob *blob = slot_get(tree, file_id, ret_size);
    if (blob) {
        *ret_blob = blob;
        return 0;
    }
    struct catalog_file file;
    int result = catalog_file(tree->catalog, (int64_t)file_id, &file);
    if (result == -ENOENT || (!result && file.is_folder))
        return -ERR_STALE;
    if (result < 0)
        return result;
    result = file_blob(tree, &file, &blob);
    if (result < 0)
        return result;
    *ret_blob = blob;
    *ret_size = file.size;
    return 0;
}
