/* SPDX-License-Identifier: Apache-2.0 */

/* Writing commands, and values of settings, which become commands. Lines count, offsets don't: `>>` and `>`
 * are the same, and a line may come in two writes. */

#include <string.h>

#include "base/log.h"
#include "tree/ask.h"
#include "tree/chat.h"
#include "tree/document.h"
#include "tree/inside.h"
#include "tree/open.h"
#include "tree/permission.h"
#include "tree/question.h"
#include "tree/run.h"
#include "tree/setting.h"
#include "tree/version.h"

#define PENDING_LIMIT (64u << 10)

static bool row_is_written(const struct row *row) {
    return row->kind == NODE_CONTROL || row->kind == NODE_VALUE || row->kind == NODE_DOCUMENT ||
           row->kind == NODE_QUESTION || row->kind == NODE_EXCHANGE || row->kind == NODE_ASK;
}

static int control_adopt(struct tree *tree, node_number node, uint64_t number, struct handle **ret_handle) {
    const struct row *row = row_of(node_row(node));
    if (!row)
        return -ERR_STALE;
    if (!row_is_written(row))
        return tree_refuse(tree, node);
    return handle_adopt(tree, node, number, ret_handle);
}

/* A copy of what the handle has pending, with `data` behind it. */
static int pending_join(struct tree *tree, struct handle *handle, const void *data, size_t size,
    struct buf *ret_text) {
    LOCK_SCOPE(&tree->handles.lock);
    int result = buf_add(ret_text, buf_text(&handle->pending), handle->pending.len);
    return result < 0 ? result : buf_add(ret_text, data, size);
}

static void pending_set(struct tree *tree, struct handle *handle, const char *text, size_t len) {
    LOCK_SCOPE(&tree->handles.lock);
    buf_clear(&handle->pending);
    (void)buf_add(&handle->pending, text, len); /* has no limit of its own */
}

static size_t whole_lines(const struct buf *text) {
    const char *last = text->len ? memrchr(text->data, '\n', text->len) : NULL;
    return last ? (size_t)(last - text->data) + 1 : 0;
}

/* A value of several lines: each is a command, and the first write through a descriptor that does not append
 * takes away what was there. */
static int lines_command(struct tree *tree, struct handle *handle, const char *text, size_t len,
    struct buf *ret_command) {
    const char *command = row_of(node_row(handle->node))->command;
    lock_take(&tree->handles.lock);
    bool replaces = !handle->append && !handle->written;
    handle->written = true;
    lock_drop(&tree->handles.lock);
    int result = replaces ? buf_format(ret_command, "%s none\n", command) : 0;
    for (size_t at = 0, end; result == 0 && at < len; at = end + 1) {
        const char *stop = memchr(text + at, '\n', len - at);
        end = stop ? (size_t)(stop - text) : len;
        bool blank = strspn(text + at, " \t\r") >= end - at || text[at] == '#';
        if (!blank)
            result = buf_format(ret_command, "%s %.*s\n", command, (int)(end - at), text + at);
    }
    return result;
}

/* Whole lines for the handle's node: commands as they are, of a value the one that sets it. */
static int run_lines(struct tree *tree, struct handle *handle, const char *text, size_t len,
    const struct tree_caller *caller, struct wait *wait) {
    if (chat_is_about(handle->node))
        return chat_params_write(tree, handle, text, len, wait);
    if (row_of(node_row(handle->node))->kind != NODE_VALUE)
        return run_await(tree, handle, text, len, caller, wait);
    struct buf command BUF_CLEANUP = BUF_INIT;
    int result = row_of(node_row(handle->node))->command
                     ? lines_command(tree, handle, text, len, &command)
                     : setting_command(tree, handle->node, text, len, &command);
    return result < 0 ? result : run_await(tree, handle, command.data, command.len, caller, wait);
}

/* The commands of one who may not give them: they are refused and written down. */
static int refuse_await(struct tree *tree, struct handle *handle, const struct buf *text,
    const struct tree_caller *caller, struct wait *wait) {
    pending_set(tree, handle, "", 0);
    int result = run_lines(tree, handle, buf_text(text), text->len, caller, wait);
    return result == 0 ? -ERR_NOT_ALLOWED : result; /* nothing but blanks and comments */
}

/* Conversations were asked for at the open: who got a descriptor of one was given it by its owner. */
static bool may_write(struct tree *tree, node_number node, const struct tree_caller *caller) {
    return chat_is_about(node) || permission_allows(tree, caller);
}

static int write_lines(struct tree *tree, struct handle *handle, const void *data, size_t size,
    const struct tree_caller *caller, struct wait *wait) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    text.limit = PENDING_LIMIT;
    int result = pending_join(tree, handle, data, size, &text);
    if (result < 0)
        return -E2BIG;
    size_t former = text.len - size, whole = whole_lines(&text);
    /* The rest first: the outcome may be here before run_await() returns. */
    pending_set(tree, handle, buf_text(&text) + whole, text.len - whole);
    if (!may_write(tree, handle->node, caller)) /* also for half a line: else the flush alone would say so */
        result = refuse_await(tree, handle, &text, caller, wait);
    else if (whole)
        result = run_lines(tree, handle, text.data, whole, caller, wait);
    if (result < 0)
        pending_set(tree, handle, buf_text(&text), former);
    return result;
}

int tree_write(struct tree *tree, node_number node, uint64_t number, uint64_t offset, const void *data,
    size_t size, const struct tree_caller *caller, struct wait *wait) {
    struct handle *handle;
    int result = control_adopt(tree, node, number, &handle);
    if (result < 0)
        return result;
    enum node_kind kind = node_kind(node);
    if (kind == NODE_ASK)
        result = ask_write(tree, handle, data, size, caller);
    else if (kind == NODE_QUESTION || kind == NODE_EXCHANGE)
        result = question_write(tree, handle, offset, data, size, caller);
    else if (kind == NODE_DOCUMENT && chat_is_about(node))
        result = chat_system_write(tree, handle, offset, data, size);
    else if (kind == NODE_DOCUMENT)
        result = document_write(tree, handle, offset, data, size, caller);
    else
        result = write_lines(tree, handle, data, size, caller, wait);
    handle_unref(tree, handle);
    return result;
}

int tree_flush(struct tree *tree, node_number node, uint64_t number, const struct tree_caller *caller,
    struct wait *wait) {
    const struct row *row = row_of(node_row(node));
    if (row && row->kind == NODE_DOCUMENT && chat_is_about(node))
        return chat_system_flush(tree, node, number, wait);
    if (!row || (row->kind != NODE_CONTROL && row->kind != NODE_VALUE))
        return 0;
    /* What was written has been run by now, and whoever closes may look at once: nothing printed
     * before is young any more. */
    version_command(tree, node);
    struct handle *handle = handle_find(tree, node, number);
    if (!handle)
        return 0; /* of a predecessor: half a line is not known here, and a whole one was run */
    struct buf line BUF_CLEANUP = BUF_INIT;
    (void)pending_join(tree, handle, "\n", 1, &line); /* is bounded already */
    int result = 0;
    if (line.len > 1) {
        pending_set(tree, handle, "", 0);
        result = run_lines(tree, handle, line.data, line.len, caller, wait);
    }
    handle_unref(tree, handle);
    return result;
}

int tree_truncate(struct tree *tree, node_number node, uint64_t size) {
    const struct row *row = row_of(node_row(node));
    if (!row)
        return -ERR_STALE;
    if (!row_is_written(row))
        return tree_refuse(tree, node);
    return size ? -EINVAL : 0;
}

/* The model's own files are a picture of another place: read-only. What is ours is a file that can't
 * be changed like that. */
int tree_refuse(struct tree *tree, node_number node) {
    (void)tree;
    const struct row *row = row_of(node_row(node));
    if (!row)
        return -ERR_STALE;
    return row->in == IN_FILES || row->holds == IN_FILES ? -EROFS : -EPERM;
}
