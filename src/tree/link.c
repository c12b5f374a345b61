/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/link.h"

#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/catalog_by.h"
#include "tree/chat.h"
#include "tree/inside.h"
#include "tree/permission.h"
#include "tree/place.h"

#define DEFAULT_NAME    "default"
#define PENDING_MOST_MS 30000 /* a link that was not renamed in this time is gone */

void links_init(struct tree *tree) {
    lock_init(&tree->links.lock, LOCK_HANDLE);
}

void links_done(struct tree *tree) {
    for (size_t i = 0; i < LINKS_PENDING; i++) {
        free(tree->links.pending[i].name);
        free(tree->links.pending[i].target);
    }
    lock_done(&tree->links.lock);
}

/* ---- those that wait to be renamed ---- */

static bool is_live(const struct pending_link *link) {
    return link->name && clock_ms() - link->made_ms < PENDING_MOST_MS;
}

static void drop(struct pending_link *link) {
    free(link->name);
    free(link->target);
    *link = (struct pending_link){0};
}

static struct pending_link *find_locked(struct links *links, const char *name) {
    for (size_t i = 0; i < LINKS_PENDING; i++)
        if (is_live(&links->pending[i]) && !strcmp(links->pending[i].name, name))
            return &links->pending[i];
    return NULL;
}

/* Names that programs make up to rename them then: "CuXXXXXX" (ln), or beginning with a dot. */
static bool is_made_up(const char *name) {
    return name[0] == '.' || (!strncmp(name, "Cu", 2) && strlen(name) == 8);
}

static int keep(struct tree *tree, const char *name, const char *target) {
    struct links *links = &tree->links;
    LOCK_SCOPE(&links->lock);
    if (find_locked(links, name))
        return -EEXIST;
    for (size_t i = 0; i < LINKS_PENDING; i++) {
        struct pending_link *link = &links->pending[i];
        if (is_live(link))
            continue;
        drop(link);
        *link = (struct pending_link){mem_text(name), mem_text(target), clock_ms()};
        return 0;
    }
    return -EBUSY;
}

/* Its target, the caller's; NULL: there is none. */
static char *take(struct tree *tree, const char *name) {
    struct links *links = &tree->links;
    LOCK_SCOPE(&links->lock);
    struct pending_link *link = find_locked(links, name);
    char *target = link ? mem_text(link->target) : NULL;
    if (link)
        drop(link);
    return target;
}

/* ---- names and targets ---- */

static int target_of_model(struct tree *tree, int64_t model_id, struct buf *to) {
    struct catalog_model *model = mem_new(sizeof *model);
    char folder[NAME_FOLDER_SIZE];
    int result = catalog_model(tree->catalog, model_id, model);
    if (result == 0)
        result = name_to_folder(model->name, folder);
    if (result == 0)
        result = buf_format(to, "%s/%s", model->source, folder);
    free(model);
    return result;
}

static int default_model(struct tree *tree, int64_t *ret_model_id) {
    return catalog_link(tree->catalog, DEFAULT_NAME, ret_model_id);
}

int find_default(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait) {
    (void)wait;
    struct links *links = &folder->tree->links;
    int64_t model_id;
    ret_found->row = ROW_DEFAULT;
    ret_found->object = 0;
    if (!strcmp(name, DEFAULT_NAME))
        return default_model(folder->tree, &model_id);
    LOCK_SCOPE(&links->lock);
    const struct pending_link *link = find_locked(links, name);
    if (!link)
        return -ENOENT;
    ret_found->object = (uint64_t)(link - links->pending) + 1;
    return 0;
}

int list_default(const struct place *folder, uint64_t after, struct found *ret_found) {
    int64_t model_id;
    if (after)
        return -ENOENT;
    ret_found->row = ROW_DEFAULT;
    ret_found->cursor = 1;
    int result = default_model(folder->tree, &model_id);
    return result < 0 ? result : text_copy(ret_found->name, sizeof ret_found->name, DEFAULT_NAME);
}

bool link_is_there(struct tree *tree, uint64_t object) {
    int64_t model_id;
    if (!object)
        return default_model(tree, &model_id) == 0;
    LOCK_SCOPE(&tree->links.lock);
    return object <= LINKS_PENDING && is_live(&tree->links.pending[object - 1]);
}

int print_default(const struct place *place, struct buf *to) {
    struct links *links = &place->tree->links;
    int64_t model_id;
    if (!place->object) {
        int result = default_model(place->tree, &model_id);
        return result < 0 ? result : target_of_model(place->tree, model_id, to);
    }
    LOCK_SCOPE(&links->lock);
    const struct pending_link *link = &links->pending[place->object - 1];
    return is_live(link) ? buf_text_add(to, link->target) : -ENOENT;
}

/* "hf/acme/tiny", with the mountpoint before it or not, with slashes behind it or not: "hf:acme/tiny". */
static int key_of_target(const struct tree *tree, const char *target, char to[static NAME_KEY_SIZE]) {
    size_t mountpoint = strlen(tree->mountpoint);
    if (target[0] == '/') {
        if (strncmp(target, tree->mountpoint, mountpoint) != 0 || target[mountpoint] != '/')
            return -EINVAL;
        target += mountpoint;
    }
    while (*target == '/' || !strncmp(target, "./", 2))
        target++;
    if (text_copy(to, NAME_KEY_SIZE, target) < 0)
        return -EINVAL;
    for (size_t len = strlen(to); len && to[len - 1] == '/'; len--)
        to[len - 1] = 0;
    char *slash = strchr(to, '/'), model[NAME_MODEL_SIZE], folder[NAME_FOLDER_SIZE];
    struct name_key key;
    if (!slash || text_copy(folder, sizeof folder, slash + 1) < 0 ||
        name_from_folder(folder, strlen(folder), model) < 0)
        return -EINVAL;
    *slash = '\0';
    char source[NAME_KEY_SIZE];
    (void)text_copy(source, sizeof source, to); /* the same size */
    if (strlen(source) >= NAME_SOURCE_SIZE)
        return -EINVAL;
    name_format(source, model, to);
    return name_parse(to, &key, NULL) < 0 || *key.variant || *key.revision ? -EINVAL : 0;
}

/* ---- what is asked of it: commands of the root, so that they are permitted, recorded and told ---- */

static int command(struct tree *tree, const char *text, const struct tree_caller *caller, struct wait *wait) {
    struct command_request request = {.place = COMMAND_ROOT,
        .text = text,
        .len = strlen(text),
        .uid = caller->uid,
        .gid = caller->gid,
        .pid = caller->pid,
        .allowed = permission_allows(tree, caller),
        .unique = caller->unique,
        .resent = caller->resent};
    return command_await(tree->settings.manage, &request, wait);
}

static int set_default(struct tree *tree, const char *target, const struct tree_caller *caller,
    struct wait *wait) {
    char key[NAME_KEY_SIZE], text[NAME_KEY_SIZE + 16];
    int result = key_of_target(tree, target, key);
    if (result < 0)
        return result;
    (void)snprintf(text, sizeof text, "default %s\n", key);
    return command(tree, text, caller, wait);
}

static bool is_root(node_number node) {
    const struct row *row = row_of(node_row(node));
    return row && row_number(row) == ROW_ROOT;
}

int tree_symlink(struct tree *tree, node_number parent, const char *name, const char *target,
    const struct tree_caller *caller, struct wait *wait) {
    int64_t model_id;
    char key[NAME_KEY_SIZE];
    if (!is_root(parent))
        return tree_refuse(tree, parent);
    if (!permission_allows(tree, caller))
        return -ERR_NOT_ALLOWED;
    if (!strcmp(name, DEFAULT_NAME))
        return default_model(tree, &model_id) == 0 && !caller->resent
                   ? -EEXIST
                   : set_default(tree, target, caller, wait);
    if (!is_made_up(name))
        return -EPERM;
    int result = key_of_target(tree, target, key);
    return result < 0 ? result : keep(tree, name, target);
}

int tree_unlink(struct tree *tree, node_number parent, const char *name, const struct tree_caller *caller,
    struct wait *wait) {
    int64_t model_id;
    if (!is_root(parent))
        return chat_is_about(parent) ? chat_unlink(tree, parent, name, caller) : tree_refuse(tree, parent);
    if (strcmp(name, DEFAULT_NAME) != 0) {
        char *target = take(tree, name);
        int result = target ? 0 : tree_refuse(tree, parent);
        free(target);
        return result;
    }
    int result = default_model(tree, &model_id);
    return result < 0 && !caller->resent ? result : command(tree, "default none\n", caller, wait);
}

int tree_rename(struct tree *tree, node_number parent, const char *name, node_number new_parent,
    const char *new_name, unsigned flags, const struct tree_caller *caller, struct wait *wait) {
    int64_t model_id;
    if (chat_is_among(parent))
        return chat_rename_folder(tree, parent, name, new_parent, new_name, flags, caller, wait);
    if (!is_root(parent) || !is_root(new_parent) || strcmp(new_name, DEFAULT_NAME) != 0)
        return tree_refuse(tree, parent);
    if (flags & ~(unsigned)RENAME_NOREPLACE)
        return -EINVAL;
    if ((flags & RENAME_NOREPLACE) && default_model(tree, &model_id) == 0)
        return -EEXIST;
    char *target = take(tree, name);
    if (!target)
        return tree_refuse(tree, parent);
    int result = set_default(tree, target, caller, wait);
    free(target);
    return result;
}
