/* SPDX-License-Identifier: Apache-2.0 */

/* Reading what is open: first await, then read; both by kind. */

#include <string.h>

#include "base/log.h"
#include "tree/ask.h"
#include "tree/inside.h"
#include "tree/open.h"
#include "tree/question.h"

struct span {
    uint64_t offset;
    size_t size;
};

static size_t span_clip(struct span span, uint64_t end) {
    if (span.offset >= end)
        return 0;
    return span.size < end - span.offset ? span.size : (size_t)(end - span.offset);
}

/* --- Texts: from the handle's snapshot. A control file has none after a write: what is read then
 * tells of the result. --- */

static int snapshot_of(struct tree *tree, struct handle *handle, struct snapshot **ret_snapshot) {
    struct snapshot *snapshot = handle_snapshot(tree, handle);
    if (!snapshot) {
        struct place place;
        int result = place_load(tree, handle->node, &place);
        if (result < 0)
            return result;
        result = snapshot_get(&place, SNAPSHOT_OPEN, &snapshot);
        if (result < 0)
            return result;
        handle_set_snapshot(tree, handle, snapshot_ref(snapshot));
    }
    *ret_snapshot = snapshot;
    return 0;
}

static ssize_t read_text(struct tree *tree, struct handle *handle, struct span span, void *data) {
    struct snapshot *snapshot;
    int result = snapshot_of(tree, handle, &snapshot);
    if (result < 0)
        return result;
    size_t count = span_clip(span, snapshot->len);
    if (count)
        memcpy(data, snapshot->text + span.offset, count);
    snapshot_put(snapshot);
    return (ssize_t)count;
}

/* --- wait --- */

static int await_end(struct tree *tree, struct handle *handle, struct span span,
    const struct tree_caller *caller, struct wait *wait) {
    (void)span, (void)caller;
    struct snapshot *snapshot = handle_snapshot(tree, handle);
    if (snapshot) { /* it was answered already: what follows is the rest of that answer */
        snapshot_put(snapshot);
        return 0;
    }
    struct place place;
    int result = place_load(tree, handle->node, &place);
    return result < 0 ? result : place.row->await(&place, wait);
}

/* --- events --- */

/* Where the handle's `offset` lies now. A handle that was left behind by the ring skips to the oldest
 * line that is kept; its offset 0 moves with it, so that the next read goes on where this one ended. */
static uint64_t stream_position(struct tree *tree, struct handle *handle, uint64_t offset) {
    uint64_t begin = events_begin(tree->settings.manage);
    LOCK_SCOPE(&tree->handles.lock);
    if (handle->adopted) { /* its predecessor read up to here: go on with the oldest that this daemon has */
        handle->adopted = false;
        handle->base = begin - offset;
    }
    uint64_t position = handle->base + offset;
    if ((int64_t)(position - begin) < 0) {
        handle->base += begin - position;
        position = begin;
    }
    return position;
}

/* Who is left behind shall not have been given half a line: a read that is full ends behind a whole one, if
 * it has room for one. */
static size_t whole_lines(const char *data, size_t count, size_t size) {
    const char *end = count == size ? memrchr(data, '\n', count) : NULL;
    return end ? (size_t)(end - data) + 1 : count;
}

static ssize_t read_stream(struct tree *tree, struct handle *handle, struct span span, void *data) {
    for (unsigned attempt = 0; attempt < 8; attempt++) { /* the ring may turn between the two calls */
        uint64_t position = stream_position(tree, handle, span.offset);
        size_t count = events_read(tree->settings.manage, position, data, span.size);
        if ((int64_t)(events_begin(tree->settings.manage) - position) > 0)
            continue;
        count = whole_lines(data, count, span.size);
        LOCK_SCOPE(&tree->handles.lock);
        handle->read_to = position + count;
        return (ssize_t)count;
    }
    return 0; /* more comes than can be read: the reader asks again */
}

/* A reader that stands elsewhere is told to read: it learns at once that there is no more. */
bool tree_is_readable(struct tree *tree, node_number node, uint64_t number) {
    struct handle *handle = node_kind(node) == NODE_STREAM ? handle_find(tree, node, number) : NULL;
    if (!handle)
        return true;
    uint64_t end = events_end(tree->settings.manage);
    lock_take(&tree->handles.lock);
    bool readable = handle->read_to != end;
    lock_drop(&tree->handles.lock);
    handle_unref(tree, handle);
    return readable;
}

/* --- Model files --- */

static int await_file(struct tree *tree, struct handle *handle, struct span span,
    const struct tree_caller *caller, struct wait *wait) {
    (void)tree, (void)caller;
    size_t count = span_clip(span, handle->size);
    if (!count)
        return 0;
    return blob_await(handle->blob, node_generation(handle->node), span.offset, count, handle->patient, wait);
}

static ssize_t read_file(struct tree *tree, struct handle *handle, struct span span, void *data) {
    (void)tree;
    size_t count = span_clip(span, handle->size);
    return count ? blob_read(handle->blob, node_generation(handle->node), data, count, span.offset) : 0;
}

/* --- Answers --- */

static int await_answer(struct tree *tree, struct handle *handle, struct span span,
    const struct tree_caller *caller, struct wait *wait) {
    (void)tree, (void)caller;
    return reply_await(handle, span.offset, wait);
}

static ssize_t read_answer(struct tree *tree, struct handle *handle, struct span span, void *data) {
    ssize_t count = reply_read(handle, span.offset, data, span.size);
    LOCK_SCOPE(&tree->handles.lock);
    handle->read_to = span.offset + (count > 0 ? (size_t)count : 0);
    return count;
}

/* Without offsets, but where it is a text. */
static int await_ask(struct tree *tree, struct handle *handle, struct span span,
    const struct tree_caller *caller, struct wait *wait) {
    (void)span;
    return handle->talks ? ask_await(tree, handle, caller, wait) : 0;
}

static ssize_t read_ask(struct tree *tree, struct handle *handle, struct span span, void *data) {
    return handle->talks ? ask_read(tree, handle, data, span.size) : read_text(tree, handle, span, data);
}

static ssize_t read_failure(struct tree *tree, struct handle *handle, struct span span, void *data) {
    LOCK_SCOPE(&tree->handles.lock);
    size_t count = span_clip(span, handle->pending.len);
    if (count)
        memcpy(data, handle->pending.data + span.offset, count);
    return (ssize_t)count;
}

/* --- By kind --- */

struct reading {
    int (*await)(struct tree *tree, struct handle *handle, struct span span, const struct tree_caller *caller,
        struct wait *wait); /* NULL: never waits */
    ssize_t (*read)(struct tree *tree, struct handle *handle, struct span span, void *data);
};
static const struct reading readings[] = {
    [NODE_FOLDER] = {NULL, NULL},
    [NODE_TEXT] = {NULL, read_text},
    [NODE_CONTROL] = {NULL, read_text},
    [NODE_STREAM] = {NULL, read_stream},
    [NODE_WAIT] = {await_end, read_text},
    [NODE_MODEL_FILE] = {await_file, read_file},
    [NODE_LINK] = {NULL, NULL},
    [NODE_VALUE] = {NULL, read_text},
    [NODE_DOCUMENT] = {NULL, read_text},
    [NODE_QUESTION] = {NULL, read_text},
    [NODE_ANSWER] = {await_answer, read_answer},
    [NODE_FAILURE] = {NULL, read_failure},
    [NODE_EXCHANGE] = {await_answer, read_answer},
    [NODE_ASK] = {await_ask, read_ask},
};

static int reading_of(struct tree *tree, node_number node, uint64_t number,
    const struct reading **ret_reading, struct handle **ret_handle) {
    const struct row *row = row_of(node_row(node));
    if (!row)
        return -ERR_STALE;
    if (!readings[row->kind].read)
        return -EBADF;
    *ret_reading = &readings[row->kind];
    return handle_adopt(tree, node, number, ret_handle);
}

int tree_read_await(struct tree *tree, node_number node, uint64_t number, uint64_t offset, size_t size,
    const struct tree_caller *caller, struct wait *wait) {
    const struct reading *reading;
    struct handle *handle;
    int result = reading_of(tree, node, number, &reading, &handle);
    if (result < 0)
        return result;
    if (reading->await)
        result = reading->await(tree, handle, (struct span){offset, size}, caller, wait);
    handle_unref(tree, handle);
    return result;
}

int tree_poll_await(struct tree *tree, node_number node, uint64_t number, const struct tree_caller *caller,
    struct wait *wait) {
    struct handle *handle = node_is_answer(node) ? handle_find(tree, node, number) : NULL;
    if (!handle)
        return 0; /* a read will say what is wrong */
    lock_take(&tree->handles.lock);
    uint64_t offset = handle->read_to;
    lock_drop(&tree->handles.lock);
    handle_unref(tree, handle);
    int result = tree_read_await(tree, node, number, offset, 1, caller, wait);
    return result < 0 ? 0 : result;
}

ssize_t tree_read(struct tree *tree, node_number node, uint64_t number, uint64_t offset, void *data,
    size_t size) {
    const struct reading *reading;
    struct handle *handle;
    int result = reading_of(tree, node, number, &reading, &handle);
    if (result < 0)
        return result;
    ssize_t count = reading->read(tree, handle, (struct span){offset, size}, data);
    handle_unref(tree, handle);
    return count;
}
