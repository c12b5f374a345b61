/* SPDX-License-Identifier: Apache-2.0 */

/* Steps from a folder to what is in it, by name or one after the other. */

#include "tree/walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tree/inside.h"

enum { PAGE = 32, LISTING_ENDS = 1 };

/* A name of ours in a folder is about what the folder is about, or about nothing. */
static uint64_t inherited_object(const struct place *folder, const struct row *row) {
    return row->about == folder->row->about ? folder->object : 0;
}

static int load_folder(struct tree *tree, node_number node, const struct tree_caller *caller,
    struct place *ret_folder) {
    int result = place_load(tree, node, ret_folder);
    if (result < 0)
        return result;
    ret_folder->caller = caller;
    if (!place_is_open_to(ret_folder, caller))
        return -EACCES;
    return ret_folder->row->kind == NODE_FOLDER ? 0 : -ENOTDIR;
}

static int fill_found(struct tree *tree, node_number node, struct tree_entry *ret_entry) {
    struct place place;
    int result = place_load(tree, node, &place);
    return result < 0 ? result : entry_fill(&place, ret_entry);
}

int tree_lookup(struct tree *tree, node_number parent, const char *name, const struct tree_caller *caller,
    struct tree_entry *ret_entry, struct wait *wait) {
    struct place folder;
    int result = load_folder(tree, parent, caller, &folder);
    if (result < 0)
        return result;
    enum table table = folder.row->holds;
    for (const struct row *row = row_next(table, -1); row; row = row_next(table, (int)row_number(row)))
        if (row->name && !strcmp(row->name, name) && row_is_in(row, folder.source))
            return fill_found(tree, node_make(row_number(row), inherited_object(&folder, row), 0), ret_entry);
    for (const struct row *row = row_next(table, -1); row; row = row_next(table, (int)row_number(row))) {
        if (!row->find || !row_is_in(row, folder.source))
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

/* A listing under way. */
struct listing {
    const struct place *folder;
    bool with_attributes;
    tree_add *add;
    void *context;
    struct listed *page; /* of PAGE, once one is needed */
};

/* LISTING_ENDS: nobody wants more. `place` is NULL where it is not known yet. */
static int give(const struct listing *listing, const struct found *found, const struct place *place,
    uint64_t next) {
    const struct row *row = row_of(found->row);
    struct tree_entry entry = {.node = node_make(found->row, found->object, found->part), .kind = row->kind};
    entry.stat.st_ino = node_inode(entry.node);
    entry.stat.st_mode = entry_mode(row);
    int result = 0;
    if (listing->with_attributes)
        result = place ? entry_fill(place, &entry) : fill_found(listing->folder->tree, entry.node, &entry);
    if (result < 0) { /* it went in this moment, or can't be shown: the others can */
        trace(tree, "%s is not listed: %s", found->name, err_sentence(result));
        return 0;
    }
    return listing->add(listing->context, found->name, &entry, next) ? 0 : LISTING_ENDS;
}

static int give_named(const struct listing *listing, const struct row *row) {
    struct found found = {.row = (enum row_number)row_number(row),
        .object = inherited_object(listing->folder, row)};
    int result = text_copy(found.name, sizeof(found.name), row->name);
    return result < 0 ? result : give(listing, &found, NULL, key_make(row, 0) + 1);
}

static int give_listed(const struct listing *listing, const struct row *row, uint64_t after) {
    for (;;) {
        struct found found = {0};
        int result = row->list(listing->folder, after, &found);
        if (result < 0)
            return result == -ENOENT ? 0 : result;
        after = found.cursor;
        result = give(listing, &found, NULL, key_make(row, after) + 1);
        if (result)
            return result;
    }
}

static int give_pages(struct listing *listing, const struct row *row, uint64_t after) {
    if (!listing->page)
        listing->page = mem_array(PAGE, sizeof(*listing->page));
    for (;;) {
        int count = row->page(listing->folder, after, listing->page, PAGE);
        if (count < 0)
            return count == -ENOENT ? 0 : count;
        for (int i = 0; i < count; i++) {
            const struct listed *listed = &listing->page[i];
            after = listed->found.cursor;
            int result = give(listing, &listed->found, &listed->place, key_make(row, after) + 1);
            if (result)
                return result;
        }
        if (count < PAGE)
            return 0;
    }
}

static int give_row(struct listing *listing, const struct row *row, uint64_t offset) {
    uint64_t first = key_make(row, 0), after = offset > first ? offset - 1 - first : 0;
    if (row->name)
        return first >= offset ? give_named(listing, row) : 0;
    if (first + UINT32_MAX < offset)
        return 0;
    return row->list ? give_listed(listing, row, after) : row->page ? give_pages(listing, row, after) : 0;
}

int tree_list(struct tree *tree, node_number node, const struct tree_caller *caller, uint64_t offset,
    bool with_attributes, tree_add *add, void *context) {
    struct place folder;
    int result = load_folder(tree, node, caller, &folder);
    if (result < 0)
        return result == -ERR_STALE ? 0 : result; /* one that is gone is empty to who is in it */
    struct listing listing = {.folder = &folder,
        .with_attributes = with_attributes,
        .add = add,
        .context = context};
    enum table table = folder.row->holds;
    for (const struct row *row = row_next(table, -1); row && !result;
         row = row_next(table, (int)row_number(row)))
        result = row_is_in(row, folder.source) ? give_row(&listing, row, offset) : 0;
    free(listing.page);
    return result < 0 ? result : 0;
}

int tree_readlink(struct tree *tree, node_number node, struct buf *ret_target) {
    struct place place;
    int result = place_load(tree, node, &place);
    if (result < 0)
        return result;
    if (place.row->kind != NODE_LINK)
        return -EINVAL;
    result = place.row->prepare ? place.row->prepare(&place) : 0;
    return result < 0 ? result : place.row->print(&place, ret_target);
}
