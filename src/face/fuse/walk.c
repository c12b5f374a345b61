/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/inside.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/buf.h"
#include "face/fuse/park.h"
#include "face/fuse/waker.h"

enum { BLOCK_BYTES = 4096, LOOKUP_GRACE_MS = 2000 };

/* --- lookup: may wait for a discovery --- */

/* The discovery has its own deadline and a better error; this is for one that forgot it. */
static uint64_t lookup_patience_ms(const struct face *face) {
    return (uint64_t)options_number(face->options, "discover_timeout_s") * 1000 + LOOKUP_GRACE_MS;
}

static void lookup_again(struct parked *parked, int result);

static const struct parked_kind LOOKUP = {
    .name = "lookup",
    .answer = lookup_again,
    .refuse = answer_error,
    .patience_ms = lookup_patience_ms,
    .verdict = -ERR_DEADLINE,
};

static void look_up(struct parked *parked) {
    const struct call *call = &parked->call;
    struct tree_caller caller = caller_of(call);
    struct tree_entry entry;
    /* Who wakes watchers walks to what was there a moment ago: what was forgotten since stays it. */
    struct wait *wait = waker_is_asking(call->face->waker, call) ? NULL : &parked->wait;
    int error = tree_lookup(call->face->tree, call->node, parked->name, &caller, &entry, wait);
    if (error == PARKED) {
        park_admit(call->face->park, parked);
        return;
    }
    if (error)
        answer_error(call, error);
    else
        answer_entry(call, &entry);
    parked_free(parked);
}

static void lookup_again(struct parked *parked, int result) {
    if (result) {
        answer_error(&parked->call, result);
        parked_free(parked);
        return;
    }
    parked_renew(parked);
    look_up(parked);
}

void walk_lookup(fuse_req_t req, fuse_ino_t parent, const char *name) {
    struct call call = call_of(req, OPERATION_LOOKUP, parent);
    if (waker_hides(call.face->waker, &call, name)) {
        answer_error(&call, -ENOENT);
        return;
    }
    struct parked *parked = parked_new(&call, &LOOKUP);
    parked->name = mem_text(name);
    look_up(parked);
}

/* --- attributes --- */

static void attributes(const struct call *call) {
    struct tree_entry entry;
    struct tree_caller caller = caller_of(call);
    int error = tree_getattr(call->face->tree, call->node, &caller, &entry);
    if (error)
        answer_error(call, error);
    else
        answer_attributes(call, &entry);
}

void walk_getattr(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file) {
    (void)file;
    struct call call = call_of(req, OPERATION_GETATTR, node);
    attributes(&call);
}

/* Truncating is the one thing that is known: `> ctl` by another name. Times that come along with it are no
 * wish of the caller's. */
void walk_setattr(fuse_req_t req, fuse_ino_t node, struct stat *to, int what, struct fuse_file_info *file) {
    (void)file;
    struct call call = call_of(req, OPERATION_SETATTR, node);
    const int owner = FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID;
    const int times = FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW | FUSE_SET_ATTR_CTIME;
    int error = -EROFS;
    if (!(what & ~times) && waker_is_asking(call.face->waker, &call))
        error = 0; /* done it is not: who watches the file is awake now */
    else if ((what & FUSE_SET_ATTR_SIZE) && !(what & owner))
        error = tree_truncate(call.face->tree, node, (uint64_t)to->st_size);
    if (error)
        answer_error(&call, error);
    else
        attributes(&call);
}

void walk_readlink(fuse_req_t req, fuse_ino_t node) {
    struct call call = call_of(req, OPERATION_READLINK, node);
    BUF_CLEANUP struct buf target = BUF_INIT;
    int error = tree_readlink(call.face->tree, node, &target);
    if (error)
        answer_error(&call, error);
    else
        answer_link(&call, buf_text(&target));
}

void walk_statfs(fuse_req_t req, fuse_ino_t node) {
    struct call call = call_of(req, OPERATION_STATFS, node);
    struct tree_space space = {0};
    tree_statfs(call.face->tree, &space);
    struct statvfs answer = {
        .f_bsize = BLOCK_BYTES,
        .f_frsize = BLOCK_BYTES,
        .f_blocks = space.total_bytes / BLOCK_BYTES,
        .f_bfree = space.available_bytes / BLOCK_BYTES,
        .f_bavail = space.available_bytes / BLOCK_BYTES,
        .f_files = space.files,
        .f_namemax = 255,
    };
    answer_space(&call, &answer);
}

/* --- extended attributes --- */

/* `size` 0 asks how much there is. */
static void answer_value(const struct call *call, int error, const struct buf *value, size_t size) {
    if (!error && size && value->len > size)
        error = -ERANGE;
    if (error)
        answer_error(call, error);
    else if (!size)
        answer_size(call, value->len);
    else
        answer_data(call, buf_text(value), value->len);
}

void walk_getxattr(fuse_req_t req, fuse_ino_t node, const char *name, size_t size) {
    struct call call = call_of(req, OPERATION_GETXATTR, node);
    BUF_CLEANUP struct buf value = BUF_INIT;
    int error = -ENODATA; /* ls and the kernel itself ask for security.… and system.… of everything */
    if (strncmp(name, "user.", 5) == 0)
        error = tree_getxattr(call.face->tree, node, name, &value);
    answer_value(&call, error, &value, size);
}

void walk_listxattr(fuse_req_t req, fuse_ino_t node, size_t size) {
    struct call call = call_of(req, OPERATION_LISTXATTR, node);
    BUF_CLEANUP struct buf names = BUF_INIT;
    int error = tree_listxattr(call.face->tree, node, &names);
    answer_value(&call, error, &names, size);
}
