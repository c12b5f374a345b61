/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/inside.h"

#include <errno.h>
#include <fcntl.h>

#include "face/fuse/park.h"

enum { COMMAND_MOST_MS = 30000, READ_MEMORY_MS = 3000 };

static uint64_t handle_of(const struct fuse_file_info *file) {
    return file->fh >> 63 ? 0 : file->fh; /* passed through: nothing that the tree knows */
}

/* --- read --- */

static void read_done(struct parked *parked, int result);

static uint64_t read_patience_ms(const struct face *face) {
    return (uint64_t)options_number(face->options, "stall_timeout_s") * 1000;
}

/* An engine that loads: its whole loading is one read after the other. */
static uint64_t load_patience_ms(const struct face *face) {
    return (uint64_t)options_number(face->options, "load_timeout_s") * 1000;
}

/* `wait`: however long it takes, but for a kernel that ends the whole mount when a request takes long. */
static uint64_t wait_patience_ms(const struct face *face) {
    (void)face;
    return 0;
}

static const struct parked_kind READ = {
    .name = "read",
    .answer = read_done,
    .refuse = answer_read_error,
    .patience_ms = read_patience_ms,
    .verdict = -ERR_STALLED,
    .memory_ms = READ_MEMORY_MS,
};

static const struct parked_kind LOAD = {
    .name = "load",
    .answer = read_done,
    .refuse = answer_read_error,
    .patience_ms = load_patience_ms,
    .verdict = -ERR_STALLED,
};

static const struct parked_kind WAIT = {
    .name = "wait",
    .answer = read_done,
    .refuse = answer_read_error,
    .patience_ms = wait_patience_ms,
    .verdict = -EAGAIN,
};

/* false: nothing was answered, since others took what there was. */
static bool answer_read(const struct call *call, uint64_t handle, uint64_t offset, size_t size) {
    void *buffer = loop_buffer();
    if (size > FACE_READ_MOST)
        size = FACE_READ_MOST;
    ssize_t count = tree_read(call->face->tree, call->node, handle, offset, buffer, size);
    if (count == TREE_READ_AGAIN)
        return false;
    if (count < 0)
        answer_read_error(call, (int)count);
    else {
        metric_add(&face_metrics[FACE_READ_BYTES], 0, (uint64_t)count);
        answer_data(call, buffer, (size_t)count);
    }
    return true;
}

/* Who reads without blocking is told that there is nothing yet; unless there is by now. */
static bool is_refused(struct parked *parked) {
    if (!parked->nonblocking || !wait_withdraw(&parked->wait))
        return false;
    answer_read_error(&parked->call, -EAGAIN);
    parked_free(parked);
    return true;
}

static void read_more(struct parked *parked);

static void read_done(struct parked *parked, int result) {
    if (result == 0 && !answer_read(&parked->call, parked->handle, parked->offset, parked->size)) {
        parked_renew(parked);
        read_more(parked);
        return;
    }
    if (result)
        answer_read_error(&parked->call, result);
    parked_free(parked);
}

static void read_more(struct parked *parked) {
    struct face *face = parked->call.face;
    struct tree_caller caller = parked->caller;
    int result = tree_read_await(face->tree, parked->call.node, parked->handle, parked->offset, parked->size,
        &caller, &parked->wait);
    if (result == PARKED && parked->wait.patient)
        parked->kind = &LOAD;
    if (result != PARKED)
        read_done(parked, result);
    else if (!is_refused(parked))
        park_admit(face->park, parked);
}

void transfer_read(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *file) {
    struct call call = call_of(req, OPERATION_READ, node);
    bool is_answer = node_is_answer(node);
    bool is_slow = is_answer || node_kind(node) == NODE_WAIT; /* their own deadlines count */
    struct parked *parked = parked_new(&call, is_slow ? &WAIT : &READ);
    parked->caller = caller_of(&call);
    parked->handle = handle_of(file);
    parked->offset = (uint64_t)offset;
    parked->size = size;
    parked->nonblocking = is_answer && (file->flags & O_NONBLOCK); /* `wait` is there to wait */
    read_more(parked);
}

/* --- write, flush: commands --- */

static uint64_t command_patience_ms(const struct face *face) {
    (void)face;
    return COMMAND_MOST_MS;
}

static void write_done(struct parked *parked, int result) {
    if (result < 0)
        answer_error(&parked->call, result);
    else
        answer_written(&parked->call, parked->size);
    parked_free(parked);
}

static void flush_done(struct parked *parked, int result) {
    answer_error(&parked->call, result < 0 ? result : 0);
    parked_free(parked);
}

static const struct parked_kind WRITE = {
    .name = "write",
    .answer = write_done,
    .refuse = answer_error,
    .patience_ms = command_patience_ms,
    .verdict = -ERR_DEADLINE,
    .commits = true,
};

static const struct parked_kind FLUSH = {
    .name = "flush",
    .answer = flush_done,
    .refuse = answer_error,
    .patience_ms = command_patience_ms,
    .verdict = -ERR_DEADLINE,
    .commits = true,
};

void transfer_write(fuse_req_t req, fuse_ino_t node, const char *data, size_t size, off_t offset,
    struct fuse_file_info *file) {
    struct call call = call_of(req, OPERATION_WRITE, node);
    struct tree_caller caller = caller_of(&call);
    struct parked *parked = parked_new(&call, &WRITE);
    parked->size = size;
    int result = tree_write(call.face->tree, node, handle_of(file), (uint64_t)offset, data, size, &caller,
        &parked->wait);
    park_or_answer(parked, result);
}

void transfer_flush(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file) {
    struct call call = call_of(req, OPERATION_FLUSH, node);
    struct tree_caller caller = caller_of(&call);
    struct parked *parked = parked_new(&call, &FLUSH);
    int result = tree_flush(call.face->tree, node, handle_of(file), &caller, &parked->wait);
    park_or_answer(parked, result);
}
