/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations: what mkdir, rmdir, mv, rm and writes do. */

#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>

#include "infer/chat.h"
#include "tree/chat.h"
#include "tree/inside.h"
#include "tree/run.h"

#define SYSTEM_LIMIT (60u << 10) /* as the model's own */

/* ---- folders */

int tree_mkdir(struct tree *tree, node_number parent, const char *name, const struct tree_caller *caller,
    struct wait *wait) {
    struct catalog_chat chat;
    if (!chat_is_among(parent))
        return tree_refuse(tree, parent);
    if (!tree->settings.infer)
        return -EOPNOTSUPP;
    int64_t model_id = (int64_t)node_object(parent);
    if (catalog_find_chat(tree->catalog, model_id, caller->uid, name, &chat) == 0)
        return caller->resent ? 0 : -EEXIST; /* resent: the daemon before us made it */
    return chat_make(tree->settings.infer, model_id, caller->uid, name, wait);
}

int chat_rmdir(const struct place *folder, const char *name, const struct tree_caller *caller,
    struct wait *wait) {
    struct tree *tree = folder->tree;
    struct catalog_chat chat;
    if (!tree->settings.infer)
        return -EOPNOTSUPP;
    int result = catalog_find_chat(tree->catalog, folder->model.id, caller->uid, name, &chat);
    if (result < 0)
        return result == -ENOENT && caller->resent ? 0 : result;
    return chat_remove(tree->settings.infer, chat.id, wait);
}

int chat_rename_folder(struct tree *tree, node_number parent, const char *name, node_number new_parent,
    const char *new_name, unsigned flags, const struct tree_caller *caller, struct wait *wait) {
    struct catalog_chat chat;
    int64_t model_id = (int64_t)node_object(parent);
    if (parent != new_parent) /* what was said to one model stays with it */
        return -EPERM;
    if (flags & ~(unsigned)RENAME_NOREPLACE)
        return -EINVAL;
    if (!tree->settings.infer)
        return -EOPNOTSUPP;
    int result = catalog_find_chat(tree->catalog, model_id, caller->uid, name, &chat);
    if (result == -ENOENT && caller->resent &&
        catalog_find_chat(tree->catalog, model_id, caller->uid, new_name, &chat) == 0)
        return 0;
    return result < 0 ? result : chat_rename(tree->settings.infer, chat.id, new_name, wait);
}

/* `rm reply` ends the answer; the file stays, as all of ours. */
int chat_unlink(struct tree *tree, node_number parent, const char *name, const struct tree_caller *caller) {
    struct place place;
    int result = place_load(tree, parent, &place);
    if (result < 0)
        return result;
    if (!place_is_open_to(&place, caller))
        return -EACCES;
    if (strcmp(name, row_of(ROW_CHAT_REPLY)->name) != 0 || !tree->settings.infer)
        return tree_refuse(tree, parent);
    (void)chat_cancel(tree->settings.infer, place.chat.id);
    return 0;
}

/* ---- texts */

struct text {
    const char *text;
    size_t len;
    bool replaces;
};

static int set_params(struct tree *tree, const struct handle *handle, const void *context,
    struct wait *wait) {
    const struct text *text = context;
    return chat_set_params(tree->settings.infer, (int64_t)node_object(handle->node), text->text, text->len,
        text->replaces, wait);
}

static int set_system(struct tree *tree, const struct handle *handle, const void *context,
    struct wait *wait) {
    const struct text *text = context;
    return chat_set_system(tree->settings.infer, (int64_t)node_object(handle->node), text->text, text->len,
        wait);
}

int chat_params_write(struct tree *tree, struct handle *handle, const char *text, size_t len,
    struct wait *wait) {
    if (!tree->settings.infer)
        return -EOPNOTSUPP;
    lock_take(&tree->handles.lock);
    struct text lines = {text, len, !handle->append && !handle->written};
    handle->written = true;
    lock_drop(&tree->handles.lock);
    return run_start_await(tree, handle, set_params, &lines, wait);
}

int chat_system_write(struct tree *tree, struct handle *handle, uint64_t offset, const void *data,
    size_t size) {
    LOCK_SCOPE(&tree->handles.lock);
    if (handle->spoilt || !(handle->append || offset == handle->pending.len)) {
        handle->spoilt = true; /* it was not written from its beginning to its end */
        return -EIO;
    }
    if (handle->pending.len + size > SYSTEM_LIMIT) {
        handle->spoilt = true;
        return -EFBIG;
    }
    handle->written = true;
    return buf_add(&handle->pending, data, size); /* has no limit of its own */
}

int chat_system_flush(struct tree *tree, node_number node, uint64_t number, struct wait *wait) {
    struct handle *handle = handle_find(tree, node, number);
    if (!handle)
        return 0; /* of a predecessor, who took what was written with him */
    struct buf copy BUF_CLEANUP = BUF_INIT;
    lock_take(&tree->handles.lock);
    bool is_new = handle->written && !handle->spoilt;
    handle->written = false;
    (void)buf_add(&copy, buf_text(&handle->pending), handle->pending.len);
    lock_drop(&tree->handles.lock);
    while (copy.len && strchr(" \t\r\n", copy.data[copy.len - 1]))
        copy.len--;
    struct text text = {buf_text(&copy), copy.len, false};
    int result = 0;
    if (is_new)
        result = tree->settings.infer ? run_start_await(tree, handle, set_system, &text, wait) : -EOPNOTSUPP;
    handle_unref(tree, handle);
    return result;
}

static void forget(struct wait *wait, int result) {
    (void)result; /* closing tells nobody */
    free(wait);
}

void chat_release(struct tree *tree, const struct handle *handle) {
    int64_t id = (int64_t)node_object(handle->node);
    enum node_kind kind = node_kind(handle->node);
    lock_take(&tree->handles.lock);
    bool empties = (handle->flags & O_TRUNC) && !handle->spoilt && !handle->written && !handle->pending.len;
    lock_drop(&tree->handles.lock);
    if (!empties || !tree->settings.infer || (kind != NODE_DOCUMENT && kind != NODE_VALUE))
        return;
    struct wait *wait = mem_new(sizeof *wait);
    wait->finish = forget;
    int result = kind == NODE_VALUE ? chat_set_params(tree->settings.infer, id, "", 0, true, wait)
                                    : chat_set_system(tree->settings.infer, id, "none", 4, wait);
    if (result != PARKED)
        free(wait);
}
