/* SPDX-License-Identifier: Apache-2.0 */

/* Steps from a folder to what is in it, by name or one after the other. */

#include "tree/walk.h"

#include <string.h>

#include "base/log.h"
#include "tree/inside.h"

/* A name of ours in a folder is about what the folder is about, or about nothing. */
static uint64_t inherited_object(const struct place *folder, const struct row *row) {
    return row->about == folder->row->about ? folder->object : 0;
}

static int load_folder(struct tree *tree, node_number node, struct place *ret_folder) {
    int result = place_load(tree, node, ret_folder);
    if (result < 0)
        return result;
    return ret_folder->row->kind == NODE_FOLDER ? 0 : -ENOTDIR;
}

static int fill_found(struct tree *tree, node_number node, struct tree_entry *ret_entry) {
    struct place place;
    int result = place_load(tree, node, &place);
    return result < 0 ? result : entry_fill(&place, ret_entry);
}

int tree_lookup(struct tree *tree, node_number parent, const char *name, struct tree_entry *ret_entry,
    struct wait *wait) {
    struct place folder;
    int result = load_folder(tree, parent, &folder);
    if (result < 0)
        return result;
    enum table table = folder.row->holds;
    for (const struct row *row = row_next(table, -1); row; row = row_next(table, (int)row_number(row)))
        if (row->name && !strcmp(row->name, name))
            return fill_found(tree, node_make(row_number(row), inherited_object(&folder, row), 0), ret_entry);
    for (const struct row *row = row_next(table, -1); row; row = row_next(table, (int)row_number(row))) {
        if (!row->find)
            continue;
        struct found found = {0};
        result = row->find(&folder, name, &found, wait);
        if (!result)
            result = fill_found(tree, node_make(found.row, found.object, found.part), ret_entry);
        if (result != -ENOENT)
            return result;
    }
    return -ENOENT;
}

/* Offsets: an entry's key is its row's number and, for what a pattern lists, a cursor of 32 bits below
 * it; the offset behind it is its key + 1. So an offset means the same after entries came and went,
 * and is never 0, 1 or 2 for an entry. */
static uint64_t key_make(const struct row *row, uint64_t cursor) {
    return (uint64_t)row_number(row) << 32 | (cursor & UINT32_MAX);
}

static int found_next(const struct place *folder, uint64_t offset, struct found *ret_found,
    uint64_t *ret_next) {
    enum table table = folder->row->holds;
    for (const struct row *row = row_next(table, -1); row; row = row_next(table, (int)row_number(row))) {
        uint64_t first = key_make(row, 0);
        if (row->name && first >= offset) {
            ret_found->row = (enum row_number)row_number(row);
            ret_found->object = inherited_object(folder, row);
            *ret_next = first + 1;
            return text_copy(ret_found->name, sizeof(ret_found->name), row->name);
        }
        if (row->list && first + UINT32_MAX >= offset) {
            int result = row->list(folder, offset > first ? offset - 1 - first : 0, ret_found);
            if (!result)
                *ret_next = key_make(row, ret_found->cursor) + 1;
            if (result != -ENOENT)
                return result;
        }
    }
    return -ENOENT;
}

int tree_readdir(struct tree *tree, node_number node, uint64_t offset, bool with_attributes,
    char name[static 256], struct tree_entry *ret_entry, uint64_t *ret_next) {
    struct place folder;
    int result = load_folder(tree, node, &folder);
    if (result < 0)
        return result == -ERR_STALE ? -ENOENT : result; /* one that is gone is empty to who is in it */
    for (;;) {
        struct found found = {0};
        uint64_t next = 0;
        result = found_next(&folder, offset, &found, &next);
        if (result < 0)
            return result;
        const struct row *row = row_of(found.row);
        struct tree_entry entry = {.node = node_make(found.row, found.object, found.part), .kind = row->kind};
        entry.stat.st_ino = node_inode(entry.node);
        entry.stat.st_mode = entry_mode(row);
        result = with_attributes ? fill_found(tree, entry.node, &entry) : 0;
        if (result < 0) { /* it went in this moment, or can't be shown: the others can */
            trace(tree, "%s is not listed: %s", found.name, err_sentence(result));
            offset = next;
            continue;
        }
        memcpy(name, found.name, sizeof(found.name));
        *ret_entry = entry;
        *ret_next = next;
        return 0;
    }
}

int tree_readlink(struct tree *tree, node_number node, struct buf *ret_target) {
    struct place place;
    int result = place_load(tree, node, &place);
    if (result < 0)
        return result;
    return place.row->kind == NODE_LINK ? place.row->print(&place, ret_target) : -EINVAL;
}
