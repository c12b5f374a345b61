/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/inside.h"

#include <errno.h>
#include <fcntl.h>

#include "face/fuse/backing.h"
#include "face/fuse/park.h"
#include "face/fuse/poll.h"
#include "store/store.h"

enum { OPEN_GRACE_MS = 2000 };

/*
 * Handles: what the kernel keeps for us is the tree's handle, or, for what is passed through, a mark of
 * this daemon's with the highest bit set. A RELEASE with another daemon's mark closes nothing that we opened.
 */

static bool is_mark(uint64_t handle) {
    return handle >> 63;
}

/* The kernel would let root write: it opens the backing file with the flags of the caller. */
static bool may_change(int flags) {
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
}

#if FACE_HAS_PASSTHROUGH
static void pass_through(struct fuse_file_info *file, uint64_t mark, int32_t id) {
    file->fh = mark;
    file->backing_id = id;
    file->noflush = 1;
}
#else
static void pass_through(struct fuse_file_info *file, uint64_t mark, int32_t id) {
    (void)file, (void)mark, (void)id; /* never: registering was never offered */
}
#endif

/* How a node of a kind is opened. keep_cache on what is cached: an open without it would wait for each
 * page that is being fetched. */
static const struct open_mode {
    bool direct, keep, noflush;
} MODES[] = {
    [NODE_TEXT] = {.direct = true, .noflush = true},
    [NODE_CONTROL] = {.direct = true},
    [NODE_STREAM] = {.direct = true, .noflush = true},
    [NODE_WAIT] = {.direct = true, .noflush = true},
    [NODE_VALUE] = {.direct = true},
    [NODE_DOCUMENT] = {.direct = true}, /* those of conversations are set by it */
    [NODE_QUESTION] = {.direct = true, .noflush = true},
    [NODE_ANSWER] = {.direct = true, .noflush = true},
    [NODE_FAILURE] = {.direct = true, .noflush = true},
    [NODE_EXCHANGE] = {.direct = true, .noflush = true},
    [NODE_ASK] = {.direct = true, .noflush = true},
    [NODE_MODEL_FILE] = {.keep = true, .noflush = true},
};

static void open_by_kind(struct fuse_file_info *file, const struct tree_open *opened) {
    struct open_mode mode = {.direct = true};
    if ((size_t)opened->kind < sizeof MODES / sizeof *MODES)
        mode = MODES[opened->kind];
    file->fh = opened->handle;
    file->direct_io = mode.direct;
    file->keep_cache = mode.keep;
    file->noflush = mode.noflush;
}

/* A complete file, opened in the tree: registers it with the kernel. The tree's handle is not needed then. */
static int pass_opened(struct face *face, uint64_t node, const struct tree_open *opened, int32_t *ret_id) {
    struct blob *blob;
    int error = tree_blob(face->tree, node, opened->handle, &blob);
    if (error)
        return error;
    error = backing_register(face->backing, node, blob, ret_id);
    blob_put(blob);
    return error;
}

/* 0 with `file` filled in, or the error. */
static int open_through_tree(const struct call *call, struct fuse_file_info *file, bool *ret_stream) {
    struct face *face = call->face;
    struct tree_caller caller = caller_of(call);
    struct tree_open opened;
    int error = tree_open(face->tree, call->node, file->flags, &caller, &opened);
    if (error)
        return error;
    if (opened.kind == NODE_MODEL_FILE && may_change(file->flags)) {
        tree_release(face->tree, call->node, opened.handle);
        return -EROFS;
    }
    int32_t id;
    error = -ENOTSUP;
    if (opened.kind == NODE_MODEL_FILE && opened.generation % 2 == 0)
        error = pass_opened(face, call->node, &opened, &id);
    if (error == -ENOTSUP) {
        open_by_kind(file, &opened);
        *ret_stream = opened.is_stream;
        return 0;
    }
    tree_release(face->tree, call->node, opened.handle);
    if (!error)
        pass_through(file, face->mark, id);
    return error;
}

static void release(struct face *face, uint64_t node, uint64_t handle) {
    if (!is_mark(handle))
        tree_release(face->tree, node, handle);
    else if (handle == face->mark)
        backing_release(face->backing, node);
}

static void open_node(const struct call *call, struct fuse_file_info *file) {
    struct face *face = call->face;
    int32_t id;
    bool is_stream = false;
    /* Hot: a node that is passed through already needs nothing of the tree. */
    int error = may_change(file->flags) ? -ENOENT : tree_may_open(face->tree, call->node);
    if (!error)
        error = backing_open(face->backing, call->node, &id);
    if (!error)
        pass_through(file, face->mark, id);
    else if (error == -ENOENT)
        error = open_through_tree(call, file, &is_stream);
    if (!error && is_mark(file->fh))
        metric_add(&face_metrics[FACE_PASSED_OPENS], 0, 1);
    if (error)
        answer_error(call, error);
    else if (!(is_stream ? answer_open_stream(call, file->fh) : answer_open(call, file)))
        release(face, call->node, file->fh);
}

/* --- opens that may wait: of a card, whose reading has a deadline of its own --- */

static uint64_t open_patience_ms(const struct face *face) {
    return (uint64_t)options_number(face->options, "discover_timeout_s") * 1000 + OPEN_GRACE_MS;
}

static void open_again(struct parked *parked, int result) {
    struct fuse_file_info file = {.flags = (int)parked->offset};
    if (result)
        answer_error(&parked->call, result);
    else
        open_node(&parked->call, &file);
    parked_free(parked);
}

static const struct parked_kind OPEN = {
    .name = "open",
    .answer = open_again,
    .refuse = answer_error,
    .patience_ms = open_patience_ms,
    .verdict = -ERR_DEADLINE,
};

/* true: it is parked. */
static bool open_parked(const struct call *call, int flags) {
    if (node_kind(call->node) != NODE_TEXT)
        return false;
    struct parked *parked = parked_new(call, &OPEN);
    parked->offset = (uint64_t)flags;
    if (tree_open_await(call->face->tree, call->node, flags, &parked->wait) == PARKED) {
        park_admit(call->face->park, parked);
        return true;
    }
    parked_free(parked); /* an error is found again by the open itself */
    return false;
}

void open_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file) {
    struct call call = call_of(req, OPERATION_OPEN, node);
    if (!open_parked(&call, file->flags))
        open_node(&call, file);
}

void open_release(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file) {
    struct call call = call_of(req, OPERATION_RELEASE, node);
    if (node_kind(node) == NODE_STREAM || node_is_answer(node))
        polls_forget(call.face->polls, file->fh);
    release(call.face, node, file->fh);
    answer_error(&call, 0);
}
