/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/inside.h"

#include "face/fuse/known.h"
#include "face/fuse/listings.h"
#include "face/fuse/poll.h"

/*
 * The kernel's requests. What has no row here is answered ENOSYS, which to the kernel means: do what you
 * do by default, and do not ask again. For access (default_permissions), lseek, fsync,
 * ioctl, fallocate and copy_file_range that is what we want.
 */

/* All that would change what the tree declares. */
static void refuse(fuse_req_t req, const char *name, fuse_ino_t node) {
    struct call call = call_of(req, OPERATION_REFUSED, node);
    trace(fuse, "%s of node %#llx is refused", name, (unsigned long long)node);
    answer_error(&call, -EROFS);
}

static void refuse_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device) {
    (void)name, (void)mode, (void)device;
    refuse(req, "mknod", parent);
}

static void refuse_link(fuse_req_t req, fuse_ino_t node, fuse_ino_t parent, const char *name) {
    (void)parent, (void)name;
    refuse(req, "link", node);
}

static void refuse_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
    struct fuse_file_info *file) {
    (void)name, (void)mode, (void)file;
    refuse(req, "create", parent);
}

static void refuse_setxattr(fuse_req_t req, fuse_ino_t node, const char *name, const char *value, size_t size,
    int flags) {
    (void)name, (void)value, (void)size, (void)flags;
    refuse(req, "setxattr", node);
}

static void refuse_removexattr(fuse_req_t req, fuse_ino_t node, const char *name) {
    (void)name;
    refuse(req, "removexattr", node);
}

/* Node numbers are valid for ever: nothing is forgotten, but that nobody can be watching there, and that its
 * attributes are gone. */
static void forget_one(struct face *face, uint64_t node, uint64_t count) {
    known_forget(face->known, node, count);
    listings_forget(face->listings, node);
}

static void forget(fuse_req_t req, fuse_ino_t node, uint64_t count) {
    forget_one(fuse_req_userdata(req), node, count);
    fuse_reply_none(req);
}

static void forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgotten) {
    for (size_t i = 0; i < count; i++)
        forget_one(fuse_req_userdata(req), forgotten[i].ino, forgotten[i].nlookup);
    fuse_reply_none(req);
}

const struct fuse_lowlevel_ops face_operations = {
    .init = init_session,
    .lookup = walk_lookup,
    .forget = forget,
    .forget_multi = forget_multi,
    .getattr = walk_getattr,
    .setattr = walk_setattr,
    .readlink = walk_readlink,
    .statfs = walk_statfs,
    .getxattr = walk_getxattr,
    .listxattr = walk_listxattr,
    .opendir = list_opendir,
    .readdir = list_readdir,
    .readdirplus = list_readdirplus,
    .open = open_open,
    .release = open_release,
    .read = transfer_read,
    .write = transfer_write,
    .flush = transfer_flush,
    .poll = poll_poll,
    .mknod = refuse_mknod,
    .mkdir = link_mkdir,
    .unlink = link_unlink,
    .rmdir = remove_rmdir,
    .symlink = link_symlink,
    .rename = link_rename,
    .link = refuse_link,
    .create = refuse_create,
    .setxattr = refuse_setxattr,
    .removexattr = refuse_removexattr,
};
