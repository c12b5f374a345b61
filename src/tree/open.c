/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/open.h"

#include <fcntl.h>

#include "base/log.h"
#include "outside/child_service.h"
#include "tree/ask.h"
#include "tree/chat.h"
#include "tree/document.h"
#include "tree/file.h"
#include "tree/inside.h"
#include "tree/question.h"

/* --- What opening means for each kind: the handle gets what its reads need. --- */

static int open_text(struct tree *tree, struct handle *handle, bool reading,
    const struct tree_caller *caller) {
    (void)caller;
    if (!reading)
        return 0;
    struct place place;
    int result = place_load(tree, handle->node, &place);
    return result < 0 ? result : snapshot_get(&place, SNAPSHOT_OPEN, &handle->snapshot);
}

/* A file has one size for all who have it open: offsets begin for this one where they do for the oldest, so
 * that its end is where stat says (`tail -n 1`). What has left the ring since is skipped when it is read. */
static int open_stream(struct tree *tree, struct handle *handle, bool reading,
    const struct tree_caller *caller) {
    (void)caller;
    (void)reading;
    handle->base = handle_lowest_base(tree, handle->node, events_begin(tree->settings.manage));
    return 0;
}

/* Its text is made when there is an answer: by the read. */
static int open_wait(struct tree *tree, struct handle *handle, bool reading,
    const struct tree_caller *caller) {
    (void)caller;
    (void)reading;
    struct place place;
    return place_load(tree, handle->node, &place);
}

/* Of a gated model what is here may be read; to wait for the rest would end in an error without a reason. */
static int use(const struct file_view *view, uint32_t generation) {
    struct blob_info info;
    blob_look(view->blob, &info);
    if (view->is_locked && info.state != BLOB_COMPLETE)
        return -EACCES;
    return blob_use(view->blob, generation);
}

static int open_file(struct tree *tree, struct handle *handle, bool reading,
    const struct tree_caller *caller) {
    (void)reading;
    struct file_view view;
    int result = file_may_open(tree, node_object(handle->node));
    if (!result)
        result = file_look(tree, node_object(handle->node), file_of_any_revision(handle->node), &view);
    if (result < 0)
        return result;
    result = use(&view, node_generation(handle->node));
    if (result < 0) {
        blob_put(view.blob);
        return result;
    }
    handle->blob = view.blob;
    handle->size = view.size;
    /* Of a complete file nothing is waited for; a predecessor's engines ended with it. */
    handle->patient = node_generation(handle->node) % 2 && caller && service_owns(caller->pid);
    return 0;
}

static int open_answer(struct tree *tree, struct handle *handle, bool reading,
    const struct tree_caller *caller) {
    (void)reading;
    return reply_open(tree, handle, caller);
}

static int open_failure(struct tree *tree, struct handle *handle, bool reading,
    const struct tree_caller *caller) {
    (void)reading;
    return failure_open(tree, handle, caller);
}

static int open_ask(struct tree *tree, struct handle *handle, bool reading,
    const struct tree_caller *caller) {
    int result = ask_open(tree, handle, caller);
    return result < 0 || handle->talks ? result : open_text(tree, handle, reading, caller);
}

struct opening {
    /* `caller` NULL: taken up from a predecessor. NULL: is not opened. */
    int (*open)(struct tree *tree, struct handle *handle, bool reading, const struct tree_caller *caller);
    int write_refusal; /* 0: may be written */
};
static const struct opening openings[] = {
    [NODE_FOLDER] = {NULL, -EISDIR},
    [NODE_TEXT] = {open_text, -EPERM},
    [NODE_CONTROL] = {open_text, 0},
    [NODE_STREAM] = {open_stream, -EPERM},
    [NODE_WAIT] = {open_wait, -EPERM},
    [NODE_MODEL_FILE] = {open_file, -EROFS},
    [NODE_LINK] = {NULL, -ELOOP},
    [NODE_VALUE] = {open_text, 0},
    [NODE_DOCUMENT] = {open_text, 0},
    [NODE_QUESTION] = {open_text, 0},
    [NODE_ANSWER] = {open_answer, -EPERM},
    [NODE_FAILURE] = {open_failure, -EPERM},
    [NODE_EXCHANGE] = {open_answer, 0},
    [NODE_ASK] = {open_ask, 0},
};

static int opening_of(node_number node, const struct opening **ret_opening) {
    const struct row *row = row_of(node_row(node));
    if (!row)
        return -ERR_STALE;
    *ret_opening = &openings[row->kind];
    return 0;
}

/* Everything but plain reading: the kernel would let root write through to a blob that it passes through. */
static bool is_writing(int flags) {
    return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_TRUNC | O_APPEND | O_CREAT));
}

/* A setting that can be given only when mounting. */
static bool is_fixed(struct tree *tree, node_number node) {
    struct place place;
    return node_row(node) == ROW_OPTION && place_load(tree, node, &place) == 0 &&
           options_row(tree->options, place.option)->fixed;
}

int tree_open_await(struct tree *tree, node_number node, int flags, struct wait *wait) {
    const struct row *row = row_of(node_row(node));
    if (!row || !row->ready || is_writing(flags))
        return 0;
    struct place place;
    int result = place_load(tree, node, &place);
    return result < 0 ? result : row->ready(&place, wait);
}

/* The kernel has judged by modes, which root passes. */
static int is_open_to(struct tree *tree, node_number node, const struct tree_caller *caller) {
    struct place place;
    if (row_of(node_row(node))->about != ABOUT_CHAT)
        return 0;
    int result = place_load(tree, node, &place);
    return result < 0 ? result : place_is_open_to(&place, caller) ? 0 : -EACCES;
}

int tree_open(struct tree *tree, node_number node, int flags, const struct tree_caller *caller,
    struct tree_open *ret_open) {
    /* Who may write is asked at each write: a descriptor can be handed on. */
    const struct opening *opening;
    int result = opening_of(node, &opening);
    if (result < 0)
        return result;
    if (opening->write_refusal && is_writing(flags))
        return opening->write_refusal;
    if (is_writing(flags) && is_fixed(tree, node))
        return -EPERM;
    if (!opening->open)
        return -EINVAL;
    result = is_open_to(tree, node, caller);
    if (result < 0)
        return result;
    struct handle *handle = handle_new(node);
    handle->append = flags & O_APPEND;
    handle->flags = flags;
    if (caller)
        handle->writer = *caller;
    result = opening->open(tree, handle, (flags & O_ACCMODE) != O_WRONLY, caller);
    if (result < 0) {
        handle_unref(tree, handle);
        return result;
    }
    handle = handle_enter(tree, handle, 0);
    ret_open->handle = handle->number;
    ret_open->kind = row_of(node_row(node))->kind;
    ret_open->generation = node_generation(node);
    ret_open->is_stream = handle->talks;
    handle_unref(tree, handle);
    return 0;
}

int tree_may_open(struct tree *tree, node_number node) {
    return node_kind(node) == NODE_MODEL_FILE ? file_may_open(tree, node_object(node)) : 0;
}

int handle_adopt(struct tree *tree, node_number node, uint64_t number, struct handle **ret_handle) {
    struct handle *handle = handle_find(tree, node, number);
    if (handle) {
        *ret_handle = handle;
        return 0;
    }
    if (!number)
        return -EBADF;
    const struct opening *opening;
    int result = opening_of(node, &opening);
    if (result < 0)
        return result;
    if (!opening->open)
        return -EBADF;
    handle = handle_new(node);
    handle->adopted = true;
    result = opening->open(tree, handle, true, NULL);
    if (result < 0) {
        handle_unref(tree, handle);
        return result;
    }
    trace(tree, "handle %llx of a predecessor is taken up", (unsigned long long)number);
    handle = handle_enter(tree, handle, number);
    if (handle->node != node) {
        handle_unref(tree, handle);
        return -EBADF;
    }
    *ret_handle = handle;
    return 0;
}

int tree_blob(struct tree *tree, node_number node, uint64_t number, struct blob **ret_blob) {
    struct handle *handle;
    int result = handle_adopt(tree, node, number, &handle);
    if (result < 0)
        return result;
    struct blob *blob = handle->blob ? blob_ref(handle->blob) : NULL;
    handle_unref(tree, handle);
    if (!blob)
        return -EBADF;
    *ret_blob = blob;
    return 0;
}

void tree_release(struct tree *tree, node_number node, uint64_t number) {
    struct handle *handle = handle_find(tree, node, number);
    enum node_kind kind = node_kind(node);
    bool is_lines = kind == NODE_VALUE && row_of(node_row(node))->command; /* run by now: maybe emptied */
    if (handle && chat_is_about(node)) /* each flush set what was written */
        chat_release(tree, handle);
    else if (handle && (kind == NODE_DOCUMENT || is_lines))
        document_submit(tree, handle);
    if (handle && (kind == NODE_QUESTION || kind == NODE_EXCHANGE))
        question_submit(tree, handle);
    if (handle && kind == NODE_ASK)
        ask_close(tree, handle);
    if (handle)
        handle_unref(tree, handle);
    handle_remove(tree, node, number);
}
