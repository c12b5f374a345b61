/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/document.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "tree/inside.h"
#include "tree/version.h"
#include "tree/permission.h"
#include "tree/rows.h"
#include "tree/run.h"

#define DOCUMENT_LIMIT (60u << 10) /* with its command it is below what a command may have */

static struct command_request request_of(const struct handle *handle, const struct tree_caller *who) {
    return (struct command_request){
        .place = row_of(node_row(handle->node))->commands,
        .id = run_object(handle->node),
        .whole = true,
        .uid = who->uid,
        .gid = who->gid,
        .pid = who->pid,
    };
}

/* From now on nothing of the handle is submitted. */
static int spoil(struct tree *tree, struct handle *handle, const struct tree_caller *caller, int error,
    const char *sentence) {
    lock_take(&tree->handles.lock);
    bool again = handle->spoilt;
    handle->spoilt = true;
    buf_clear(&handle->pending);
    lock_drop(&tree->handles.lock);
    struct command_request request = request_of(handle, caller);
    request.allowed = true; /* else nothing would have been spoilt */
    if (!again)
        (void)command_refuse(tree->settings.manage, &request, "set {…}", error, sentence);
    version_raise(tree);
    return error;
}

int document_write(struct tree *tree, struct handle *handle, uint64_t offset, const void *data, size_t size,
    const struct tree_caller *caller) {
    if (!permission_allows(tree, caller)) { /* what others wrote through the descriptor stays */
        struct command_request request = request_of(handle, caller);
        return command_refuse(tree->settings.manage, &request, "set {…}", -ERR_NOT_ALLOWED, "");
    }
    lock_take(&tree->handles.lock);
    uint64_t len = handle->pending.len;
    bool follows = !handle->spoilt && (handle->append || offset == len);
    bool fits = len + size <= DOCUMENT_LIMIT;
    if (follows && fits) {
        (void)buf_add(&handle->pending, data, size); /* has no limit of its own */
        handle->writer = *caller;
    }
    lock_drop(&tree->handles.lock);
    if (!follows)
        return spoil(tree, handle, caller, -EIO,
            "the document was not written from its beginning to its end; nothing of it counts");
    if (!fits)
        return spoil(tree, handle, caller, -EFBIG, "the document is too long; nothing of it counts");
    return 0;
}

struct submission {
    struct wait wait;
    struct tree *tree;
};

static void finish(struct wait *wait, int result) {
    struct submission *submission = list_entry(wait, struct submission, wait);
    (void)result; /* ctl tells of it, and the events do */
    version_raise(submission->tree);
    free(submission);
}

/* `writer` may. */
static void submit(struct tree *tree, const struct handle *handle, const char *value, size_t len,
    const struct tree_caller *writer) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    const char *command = row_of(node_row(handle->node))->command;
    (void)buf_format(&text, "%s ", command ? command : "set"); /* no limit: none of these can fail */
    (void)buf_add(&text, value, len);
    struct command_request request = request_of(handle, writer);
    request.text = buf_text(&text);
    request.len = text.len;
    request.allowed = true;
    struct submission *submission = mem_new(sizeof(*submission));
    submission->wait.finish = finish;
    submission->tree = tree;
    int result = command_await(tree->settings.manage, &request, &submission->wait);
    if (result == PARKED)
        return;
    version_raise(tree);
    free(submission);
}

/* Opened to be emptied, and nothing was written: that is what is meant. Only who wrote has been asked whether
 * he may. */
static bool empties_locked(const struct handle *handle) {
    return (handle->flags & O_TRUNC) && !handle->spoilt && !handle->written;
}

void document_submit(struct tree *tree, struct handle *handle) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    bool has_command = row_of(node_row(handle->node))->command;
    lock_take(&tree->handles.lock);
    (void)buf_add(&text, buf_text(&handle->pending), handle->pending.len); /* no limit */
    buf_clear(&handle->pending);
    struct tree_caller writer = handle->writer;
    bool any = text.len > 0, empties = empties_locked(handle);
    lock_drop(&tree->handles.lock);
    while (text.len && strchr(" \t\r\n", text.data[text.len - 1]))
        text.len--;
    if (text.len || (any && !has_command))
        submit(tree, handle, buf_text(&text), text.len, &writer);
    else if (has_command && (any || (empties && permission_allows(tree, &writer))))
        submit(tree, handle, "none", 4, &writer);
}
