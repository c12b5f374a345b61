/* SPDX-License-Identifier: Apache-2.0 */

/* What stat shows. Times stand still: what nobody changed is as old as the catalogue says, or as the
 * mount. */

#include <string.h>

#include "tree/file.h"
#include "tree/handle.h"
#include "tree/inside.h"
#include "tree/permission.h"
#include "tree/question.h"
#include "tree/snapshot.h"
#include "tree/walk.h"

#define TEXT_BLOCK_BYTES   4096
#define FILE_BLOCK_BYTES   (1 << 20) /* tools read in steps of this */
#define ABSENT_ATTR_MS     60000     /* another daemon of the store may begin, and tells us nothing */
#define INCOMPLETE_ATTR_MS 1000      /* st_blocks grows, and no notification tells */

static const mode_t kind_modes[] = {
    [NODE_FOLDER] = S_IFDIR,
    [NODE_TEXT] = S_IFREG,
    [NODE_CONTROL] = S_IFREG,
    [NODE_STREAM] = S_IFREG,
    [NODE_WAIT] = S_IFREG,
    [NODE_MODEL_FILE] = S_IFREG,
    [NODE_LINK] = S_IFLNK,
    [NODE_VALUE] = S_IFREG,
    [NODE_DOCUMENT] = S_IFREG,
    [NODE_QUESTION] = S_IFREG,
    [NODE_ANSWER] = S_IFREG,
    [NODE_FAILURE] = S_IFREG,
    [NODE_EXCHANGE] = S_IFREG,
    [NODE_ASK] = S_IFREG,
};

mode_t entry_mode(const struct row *row) {
    return kind_modes[row->kind] | row->mode;
}

static void set_times(struct stat *status, int64_t wall_ms) {
    status->st_mtim.tv_sec = wall_ms / 1000;
    status->st_mtim.tv_nsec = wall_ms % 1000 * 1000000;
    status->st_atim = status->st_ctim = status->st_mtim;
}

static void set_size(struct stat *status, uint64_t size) {
    status->st_size = (off_t)size;
    status->st_blocks = (blkcnt_t)((size + 511) / 512);
}

static int fill_folder(const struct place *place, struct tree_entry *entry) {
    (void)place;
    entry->stat.st_nlink = 1; /* how many folders are in it is not counted: 1 says so to find(1) */
    return 0;
}

static int fill_text(const struct place *place, struct tree_entry *entry) {
    struct snapshot *snapshot;
    int result = snapshot_get(place, SNAPSHOT_LOOK, &snapshot);
    if (result < 0)
        return result;
    set_size(&entry->stat, snapshot->len);
    set_times(&entry->stat, snapshot->changed_ms);
    snapshot_put(snapshot);
    return 0;
}

static int fill_wait(const struct place *place, struct tree_entry *entry) {
    return place->row->is_busy(place) ? 0 : fill_text(place, entry);
}

/* Grows, and shrinks for nobody who has it open. */
static int fill_stream(const struct place *place, struct tree_entry *entry) {
    struct manage *manage = place->tree->settings.manage;
    uint64_t base = handle_lowest_base(place->tree, place->node, events_begin(manage));
    set_size(&entry->stat, events_end(manage) - base);
    return 0;
}

/* Nothing of it is here or on its way: when that changes, change.c tells the kernel. */
static bool is_still(const struct blob_info *info) {
    return info->state == BLOB_ABSENT && !info->bytes_here && !info->fetches && !info->wanted;
}

/* Its node: the one that a lookup gives now, or the one that was asked for while it can still be served. */
static int fill_file(const struct place *place, struct tree_entry *entry) {
    const struct catalog_file *file = &place->file;
    set_size(&entry->stat, file->size);
    entry->stat.st_blksize = FILE_BLOCK_BYTES;
    entry->stat.st_blocks = file->size > 0; /* never 0 with bytes: tar -S would archive zeros */
    uint32_t generation = node_generation(place->node);
    struct blob *blob;
    int result = file_blob(place->tree, file, file_of_any_revision(place->node), &blob);
    if (result == -EACCES)
        return 0; /* its size is known all the same; opening says no */
    if (result == -ERR_STALE && generation)
        return 0; /* of a former revision: for fstat() of those who have it open; opening says stale */
    if (result < 0)
        return result;
    struct blob_info info;
    blob_look(blob, &info);
    result = generation ? blob_check(blob, generation) : 0;
    blob_put(blob);
    if (result < 0)
        return result;
    if (!generation)
        generation = info.generation;
    entry->node = node_make(row_number(place->row), (uint64_t)file->id, generation);
    if (info.bytes_here)
        entry->stat.st_blocks = (blkcnt_t)((info.bytes_here + 511) / 512);
    if (generation & 1)
        entry->attr_ms =
            place->row == row_of(ROW_FILE) && is_still(&info) ? ABSENT_ATTR_MS : INCOMPLETE_ATTR_MS;
    return 0;
}

static int fill_link(const struct place *place, struct tree_entry *entry) {
    struct buf target BUF_CLEANUP = BUF_INIT;
    int result = place->row->print(place, &target);
    if (result < 0)
        return result == -ENOENT ? -ERR_STALE : result; /* it went in this moment */
    set_size(&entry->stat, target.len);
    entry->stat.st_mode |= 0777; /* as links have it */
    return 0;
}

/* How long an answer is depends on who asks: question_stat(). */
static int fill_nothing(const struct place *place, struct tree_entry *entry) {
    (void)place, (void)entry;
    return 0;
}

static int (*const fills[])(const struct place *place, struct tree_entry *entry) = {
    [NODE_FOLDER] = fill_folder,
    [NODE_TEXT] = fill_text,
    [NODE_CONTROL] = fill_text,
    [NODE_STREAM] = fill_stream,
    [NODE_WAIT] = fill_wait,
    [NODE_MODEL_FILE] = fill_file,
    [NODE_LINK] = fill_link,
    [NODE_VALUE] = fill_text,
    [NODE_DOCUMENT] = fill_text,
    [NODE_QUESTION] = fill_text,
    [NODE_ANSWER] = fill_nothing,
    [NODE_FAILURE] = fill_nothing,
    [NODE_EXCHANGE] = fill_nothing,
    [NODE_ASK] = fill_text,
};

/* Who may write, as far as modes can say it. The kernel looks at all groups of a caller when he opens. */
static void set_writers(const struct place *place, struct stat *status) {
    gid_t group;
    if (place->row->is_private) {
        bool has_group = permission_group(place->tree, &group);
        status->st_mode &= ~(mode_t)(has_group ? S_IRWXO : S_IRWXG | S_IRWXO);
        status->st_gid = has_group ? group : status->st_gid;
    }
    if (row_number(place->row) == ROW_ROOT)
        status->st_mode |= S_IWUSR; /* a link can be made there */
    if (row_number(place->row) == ROW_SOURCE && !place->source->parts)
        status->st_mode |= S_IWUSR; /* models are in it, and rmdir(2) forgets them */
    if (!(status->st_mode & S_IWUSR) || (status->st_mode & S_IWOTH && place->row->kind != NODE_CONTROL))
        return;
    const struct option_row *option =
        place->row->about == ABOUT_OPTION ? options_row(place->tree->options, place->option) : NULL;
    if (option && option->fixed)
        status->st_mode &= ~(mode_t)(S_IWUSR | S_IWGRP | S_IWOTH);
    else if (!(option && option->guarded) && permission_group(place->tree, &group)) {
        status->st_gid = group;
        status->st_mode |= S_IWGRP;
    }
}

int entry_fill(const struct place *place, struct tree_entry *ret_entry) {
    const struct row *row = place->row;
    const struct tree *tree = place->tree;
    struct tree_entry entry = {.node = place->node,
        .kind = row->kind,
        .entry_ms = row->entry_ms,
        .attr_ms = row->attr_ms};
    entry.stat.st_ino = node_inode(place->node);
    entry.stat.st_mode = entry_mode(row);
    entry.stat.st_nlink = 1;
    entry.stat.st_blksize = TEXT_BLOCK_BYTES;
    entry.stat.st_uid = tree->settings.uid;
    entry.stat.st_gid = tree->settings.gid;
    if (row->about == ABOUT_CHAT)
        entry.stat.st_uid = place->chat.uid;
    else
        set_writers(place, &entry.stat);
    set_times(&entry.stat, place_changed_ms(place));
    int result = fills[row->kind](place, &entry);
    if (result < 0)
        return result;
    *ret_entry = entry;
    return 0;
}

int tree_getattr(struct tree *tree, node_number node, const struct tree_caller *caller,
    struct tree_entry *ret_entry) {
    struct place place;
    uint64_t size;
    int result = place_load(tree, node, &place);
    if (result == 0)
        result = entry_fill(&place, ret_entry);
    if (result == 0 && question_size(tree, node, caller, &size))
        set_size(&ret_entry->stat, size);
    return result;
}
