/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/inside.h"

#include <errno.h>
#include <string.h>

#include "face/fuse/known.h"
#include "face/fuse/listings.h"

/*
 * Listing. Offsets: 0 is before ".", 1 before "..", and n + 2 is the tree's n.
 */

enum { OWN_ENTRIES = 2 };

struct listing {
    struct call call;
    bool plus; /* with attributes, each a lookup */
    char *data;
    size_t used, room;
};

/* false: it does not fit any more. */
static bool add(struct listing *listing, const char *name, const struct fuse_entry_param *param,
    uint64_t next) {
    char *at = listing->data + listing->used;
    size_t room = listing->room - listing->used, size;
    if (listing->plus)
        size = fuse_add_direntry_plus(listing->call.req, at, room, name, param, (off_t)next);
    else
        size = fuse_add_direntry(listing->call.req, at, room, name, &param->attr, (off_t)next);
    if (size > room)
        return false;
    listing->used += size;
    return true;
}

/* "." and "..": ino 0 says that these are no lookups. Whose ".." it is the kernel knows better. */
static bool add_own(struct listing *listing, uint64_t *offset) {
    static const char *const NAMES[OWN_ENTRIES] = {".", ".."};
    for (; *offset < OWN_ENTRIES; ++*offset) {
        struct fuse_entry_param param = {
            .attr = {.st_ino = node_inode(listing->call.node), .st_mode = S_IFDIR}};
        if (*offset)
            param.attr.st_ino = UINT32_MAX; /* "unknown", as libfuse writes it */
        if (!add(listing, NAMES[*offset], &param, *offset + 1))
            return false;
    }
    return true;
}

static bool add_entry(void *context, const char *name, const struct tree_entry *entry, uint64_t next) {
    struct listing *listing = context;
    struct fuse_entry_param param = entry_param(entry);
    if (!add(listing, name, &param, next + OWN_ENTRIES))
        return false;
    if (listing->plus)
        known_add(listing->call.face->known, entry->node);
    return true;
}

static void list(fuse_req_t req, fuse_ino_t node, size_t size, off_t at, bool plus) {
    struct listing listing = {
        .call = call_of(req, plus ? OPERATION_READDIRPLUS : OPERATION_READDIR, node),
        .plus = plus,
        .data = loop_buffer(),
        .room = size < FACE_READ_MOST ? size : FACE_READ_MOST,
    };
    struct tree_caller caller = caller_of(&listing.call);
    uint64_t offset = (uint64_t)at;
    int error = 0;
    if (add_own(&listing, &offset))
        error = tree_list(listing.call.face->tree, node, &caller, offset - OWN_ENTRIES, plus, add_entry,
            &listing);
    /* What went before an error is given first; the error comes again with the next request. */
    if (error && !listing.used)
        answer_error(&listing.call, error);
    else
        answer_data(&listing.call, listing.data, listing.used);
}

void list_opendir(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file) {
    struct call call = call_of(req, OPERATION_OPENDIR, node);
    uint64_t version;
    file->cache_readdir = tree_listing_version(call.face->tree, node, &version);
    file->keep_cache = file->cache_readdir && listings_keep(call.face->listings, node, version);
    (void)answer_open(&call, file); /* nothing to take back when nobody waits for it */
}

void list_readdir(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *file) {
    (void)file;
    list(req, node, size, offset, false);
}

void list_readdirplus(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset,
    struct fuse_file_info *file) {
    (void)file;
    list(req, node, size, offset, true);
}
