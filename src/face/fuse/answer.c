/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/inside.h"

#include <errno.h>
#include <linux/fuse.h>
#include <sys/uio.h>

#include "face/fuse/known.h"

#define RESENT_BIT (UINT64_C(1) << 63) /* the kernel sets it in the number of what it sends again */

struct call call_of(fuse_req_t req, enum operation operation, uint64_t node) {
    return (struct call){.req = req,
        .face = fuse_req_userdata(req),
        .unique = loop_unique(),
        .node = node,
        .operation = operation,
        .start_ns = clock_ns()};
}

struct tree_caller caller_of(const struct call *call) {
    const struct fuse_ctx *context = fuse_req_ctx(call->req);
    return (struct tree_caller){
        .uid = context->uid,
        .gid = context->gid,
        .pid = context->pid,
        .unique = call->unique & ~RESENT_BIT,
        .resent = call->unique & RESENT_BIT,
    };
}

static void note(const struct call *call, int error, size_t size) {
    metric_observe(&face_metrics[FACE_SECONDS], call->operation, clock_ns() - call->start_ns);
    if (error)
        metric_add(&face_metrics[FACE_ERRORS], call->operation, 1);
    trace(fuse, "%s %#llx node %#llx: %s %zu", operation_name(call->operation),
        (unsigned long long)call->unique, (unsigned long long)call->node, err_name(error), size);
}

/* What the kernel says of an answer is of no use: ENOENT means that nobody waits any more, ENODEV that all
 * has ended. */
#define SEND(reply) (void)(reply)

void answer_error(const struct call *call, int error) {
    note(call, error, 0);
    SEND(fuse_reply_err(call->req, error ? err_errno(error) : 0));
}

void answer_read_error(const struct call *call, int error) {
    note(call, error, 0);
    int number = err_errno(error);
    bool told = number == EINTR || number == EAGAIN || node_is_answer(call->node);
    SEND(fuse_reply_err(call->req, told ? number : EIO));
}

struct fuse_entry_param entry_param(const struct tree_entry *entry) {
    return (struct fuse_entry_param){
        .ino = entry->node,
        .attr = entry->stat,
        .entry_timeout = entry->entry_ms / 1000.0,
        .attr_timeout = entry->attr_ms / 1000.0,
    };
}

void answer_entry(const struct call *call, const struct tree_entry *entry) {
    note(call, 0, 0);
    struct fuse_entry_param param = entry_param(entry);
    known_add(call->face->known, entry->node); /* before: it may be forgotten at once */
    SEND(fuse_reply_entry(call->req, &param));
}

void answer_attributes(const struct call *call, const struct tree_entry *entry) {
    note(call, 0, 0);
    SEND(fuse_reply_attr(call->req, &entry->stat, entry->attr_ms / 1000.0));
}

void answer_data(const struct call *call, const void *data, size_t size) {
    note(call, 0, size);
    SEND(fuse_reply_buf(call->req, data, size));
}

void answer_written(const struct call *call, size_t size) {
    note(call, 0, size);
    SEND(fuse_reply_write(call->req, size));
}

void answer_link(const struct call *call, const char *target) {
    note(call, 0, 0);
    SEND(fuse_reply_readlink(call->req, target));
}

void answer_ready(const struct call *call, unsigned events) {
    note(call, 0, events);
    SEND(fuse_reply_poll(call->req, events));
}

void answer_size(const struct call *call, size_t size) {
    note(call, 0, size);
    SEND(fuse_reply_xattr(call->req, size));
}

void answer_space(const struct call *call, const struct statvfs *space) {
    note(call, 0, 0);
    SEND(fuse_reply_statfs(call->req, space));
}

bool answer_open(const struct call *call, const struct fuse_file_info *file) {
    note(call, 0, 0);
    return fuse_reply_open(call->req, file) != -ENOENT;
}

bool answer_open_stream(const struct call *call, uint64_t handle) {
    struct fuse_open_out out = {.fh = handle, .open_flags = FOPEN_DIRECT_IO | FOPEN_STREAM | FOPEN_NOFLUSH};
    const struct iovec vector = {&out, sizeof out};
    note(call, 0, 0);
    return fuse_reply_iov(call->req, &vector, 1) != -ENOENT;
}

void answer_nothing(const struct call *call) {
    trace(fuse, "%s %#llx node %#llx: left to a successor", operation_name(call->operation),
        (unsigned long long)call->unique, (unsigned long long)call->node);
    fuse_reply_none(call->req);
}
