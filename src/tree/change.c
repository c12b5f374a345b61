/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bus.h"
#include "base/clock.h"
#include "base/log.h"
#include "model/catalog_revision.h"
#include "tree/file.h"
#include "tree/inside.h"
#include "tree/permission.h"
#include "tree/rows.h"
#include "tree/version.h"
#include "tree/wake.h"

#define BATCH            16
#define LISTENER_MOST_MS 5000

struct note {
    struct work work;
    struct tree *tree;
    void (*tell)(struct note *note);
    int64_t id;
    char key[DIGEST_TEXT_SIZE];
};

/* Only the desk comes here: one call at a time. */
static void tell(struct tree *tree, const struct tree_change *change) {
    struct changes *changes = &tree->changes;
    lock_take(&changes->lock);
    tree_listener listener = changes->listener;
    void *context = changes->context;
    changes->calling = listener != NULL;
    lock_drop(&changes->lock);
    if (!listener)
        return;
    listener(context, change);
    lock_take(&changes->lock);
    changes->calling = false;
    pthread_cond_broadcast(&changes->told);
    lock_drop(&changes->lock);
}

static void tell_file(struct tree *tree, const struct catalog_file *file, uint32_t generation) {
    struct tree_change change = {.expire = true};
    change.parent = file->parent_id ? node_make(ROW_FOLDER, (uint64_t)file->parent_id, 0)
                                    : node_make(ROW_FILES, (uint64_t)file->model_id, 0);
    change.node = node_make(file->is_folder ? ROW_FOLDER : ROW_FILE, (uint64_t)file->id,
        file->is_folder ? 0 : generation);
    if (!text_copy(change.name, sizeof(change.name), file->name))
        tell(tree, &change);
}

/* The same file's name under revisions/. */
static void tell_kept(struct tree *tree, const struct catalog_file *file, uint32_t generation) {
    struct tree_change change = {.expire = true};
    change.parent = file->parent_id ? node_make(ROW_REVISION_FOLDER, (uint64_t)file->parent_id, 0)
                                    : node_make(ROW_REVISION_FILES, (uint64_t)file->revision_id, 0);
    change.node = node_make(ROW_REVISION_FILE, (uint64_t)file->id, generation);
    if (!text_copy(change.name, sizeof(change.name), file->name))
        tell(tree, &change);
}

typedef int list_same(struct catalog *, const char *digest, int64_t after_id, struct catalog_file *, size_t);

static void tell_each(struct note *note, list_same *list,
    void (*tell_one)(struct tree *, const struct catalog_file *, uint32_t generation)) {
    struct catalog_file *files = mem_array(BATCH, sizeof(*files));
    int64_t after = 0;
    int count;
    while ((count = list(note->tree->catalog, note->key, after, files, BATCH)) > 0) {
        for (int i = 0; i < count; i++)
            tell_one(note->tree, &files[i], (uint32_t)note->id);
        after = files[count - 1].id;
    }
    if (count < 0)
        log_warning("changes of %s can't be told to the kernel: %s", note->key, err_sentence(count));
    free(files);
}

/* A blob's generation changed: each name that leads to it leads to another node now. */
static void tell_same(struct note *note) {
    tell_each(note, catalog_list_same, tell_file);
    tell_each(note, catalog_list_same_kept, tell_kept);
}

/* Bytes came: what the kernel believes of its attributes may be from when nothing was here. */
static void tell_grown(struct note *note) {
    struct tree *tree = note->tree;
    struct catalog_file *files = mem_array(BATCH, sizeof(*files));
    int64_t after = 0;
    int count;
    while ((count = catalog_list_same(tree->catalog, note->key, after, files, BATCH)) > 0) {
        for (int i = 0; i < count; i++) {
            struct blob *blob;
            struct blob_info info;
            if (file_blob(tree, &files[i], false, &blob))
                continue; /* gone, or gated: it has no attributes that could be old */
            blob_look(blob, &info);
            blob_put(blob);
            tell(tree,
                &(struct tree_change){.node = node_make(ROW_FILE, (uint64_t)files[i].id, info.generation)});
        }
        after = files[count - 1].id;
    }
    free(files);
}

static void tell_revision(struct tree *tree, int64_t revision_id) {
    struct catalog_file *files = mem_array(BATCH, sizeof(*files));
    int64_t after = 0;
    int count;
    while ((count = catalog_list_folder(tree->catalog, revision_id, 0, after, files, BATCH)) > 0) {
        for (int i = 0; i < count; i++)
            tell_file(tree, &files[i], 0);
        after = files[count - 1].id;
    }
    free(files);
}

/* Another revision is selected. Its files and folders are other rows, so that what is below a
 * top-level folder has other parents and needs no telling; the names directly in files/ do, those of
 * the former revision as well. */
static void tell_files(struct note *note) {
    struct tree *tree = note->tree;
    typeof(&tree->changes.seen[0]) seen = &tree->changes.seen[(uint64_t)note->id % SEEN_SLOTS];
    lock_take(&tree->changes.lock);
    int64_t former = seen->model_id == note->id ? seen->revision_id : 0;
    lock_drop(&tree->changes.lock);

    struct catalog_model model;
    int64_t now = catalog_model(tree->catalog, note->id, &model) < 0 ? 0 : model.revision_id;
    if (former && former != now)
        tell_revision(tree, former);
    if (now)
        tell_revision(tree, now);
    struct tree_change change = {.node = node_make(ROW_FILES, (uint64_t)note->id, 0)};
    tell(tree, &change); /* its times */
}

/* A model was forgotten: its name is looked up again within a second, and whoever still stands in it
 * finds ESTALE. */
static void tell_forgotten(struct note *note) {
    tell_files(note);
    struct tree_change change = {.expire = true,
        .parent = node_make(ROW_MODEL, (uint64_t)note->id, 0),
        .name = "files",
        .node = node_make(ROW_FILES, (uint64_t)note->id, 0)};
    tell(note->tree, &change);
}

static void tell_setting(struct note *note) {
    if (strcmp(note->key, "admin_group") == 0)
        permission_renew(note->tree);
}

static void note_run(struct work *work) {
    struct note *note = list_entry(work, struct note, work);
    note->tell(note);
    free(note);
}

/* On the publisher's thread: only takes note. */
static void hear(void *context, const struct news *news) {
    struct tree *tree = context;
    void (*tell_of)(struct note * note) = NULL;
    wake_hear(tree, news);
    version_hear(tree, news);
    switch (news->kind) {
    case NEWS_BLOB_PROGRESS: tell_of = tell_grown; break;
    case NEWS_BLOB_TROUBLE: /* figures: a text may be a second old */
    case NEWS_CHAT:
    case NEWS_EVENT: return;
    case NEWS_BLOB_GENERATION: tell_of = tell_same; break;
    case NEWS_FILES_CHANGED: tell_of = tell_files; break;
    case NEWS_MODEL_FORGOTTEN: tell_of = tell_forgotten; break;
    case NEWS_BLOB_VERIFIED: /* the same node goes on until it is sealed */
    case NEWS_MODEL:
    case NEWS_MODEL_ADDED:
    case NEWS_JOB: break;
    case NEWS_SETTING: tell_of = news->id ? NULL : tell_setting; break;
    }
    if (!tell_of)
        return;
    struct note *note = mem_new(sizeof(*note));
    note->work.run = note_run;
    note->tree = tree;
    note->tell = tell_of;
    note->id = news->id;
    const char *text = news->kind == NEWS_SETTING ? news->text : news->key;
    if (text)
        snprintf(note->key, sizeof(note->key), "%s", text);
    lock_take(&tree->changes.lock);
    bool taken = tree->changes.desk;
    if (taken)
        pool_submit(tree->changes.desk, &note->work);
    lock_drop(&tree->changes.lock);
    if (!taken)
        free(note);
}

void change_saw(struct tree *tree, int64_t model_id, int64_t revision_id) {
    LOCK_SCOPE(&tree->changes.lock);
    typeof(&tree->changes.seen[0]) seen = &tree->changes.seen[(uint64_t)model_id % SEEN_SLOTS];
    seen->model_id = model_id;
    seen->revision_id = revision_id;
}

/* Whoever stops listening is about to go: a call under way, which is quick, ends first. */
void tree_listen(struct tree *tree, tree_listener listener, void *context) {
    struct changes *changes = &tree->changes;
    LOCK_SCOPE(&changes->lock);
    uint64_t until_ms = clock_ms() + LISTENER_MOST_MS;
    while (changes->calling && lock_wait(&changes->lock, &changes->told, until_ms))
        continue;
    changes->listener = listener;
    changes->context = context;
}

int changes_start(struct tree *tree) {
    lock_init(&tree->changes.lock, LOCK_HANDLE);
    lock_condition_init(&tree->changes.told);
    int result = pool_start("tree-changes", 1, &tree->changes.desk);
    if (result == 0)
        bus_listen(hear, tree);
    return result;
}

void tree_shut(struct tree *tree) {
    struct changes *changes = &tree->changes;
    lock_take(&changes->lock);
    struct pool *desk = changes->desk;
    changes->desk = NULL;
    lock_drop(&changes->lock);
    pool_stop(desk);
}

void changes_done(struct tree *tree) {
    tree_shut(tree);
    pthread_cond_destroy(&tree->changes.told);
    lock_done(&tree->changes.lock);
}
