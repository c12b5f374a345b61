/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/question.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "infer/infer.h"
#include "tree/chat.h"
#include "tree/inside.h"
#include "tree/place.h"

/* ---- asking */

struct infer_asking question_asking(node_number node, const struct tree_caller *caller) {
    return (struct infer_asking){.model_id = (int64_t)node_object(node),
        .uid = caller->uid,
        .shape = row_of(node_row(node))->shape};
}

/* The same where the node may be of a conversation. */
static int asking_of(struct tree *tree, node_number node, const struct tree_caller *caller,
    struct infer_asking *ret_asking) {
    if (chat_is_about(node))
        return chat_asking(tree, node, caller->uid, ret_asking);
    *ret_asking = question_asking(node, caller);
    return 0;
}

static int begin(struct tree *tree, struct handle *handle, const struct tree_caller *caller) {
    uint64_t number = 0;
    if (!tree->settings.infer)
        return -EOPNOTSUPP;
    struct infer_asking asking;
    int result = asking_of(tree, handle->node, caller, &asking);
    if (result == 0)
        result = infer_begin(tree->settings.infer, &asking, &number, NULL);
    if (result < 0)
        return result;
    LOCK_SCOPE(&tree->handles.lock);
    handle->question = number;
    return 0;
}

static int spoil(struct tree *tree, struct handle *handle, int error, const char *sentence) {
    lock_take(&tree->handles.lock);
    handle->spoilt = true;
    buf_done(&handle->pending);
    uint64_t number = handle->question;
    lock_drop(&tree->handles.lock);
    infer_drop(tree->settings.infer, number, error, sentence);
    return error;
}

int question_write(struct tree *tree, struct handle *handle, uint64_t offset, const void *data, size_t size,
    const struct tree_caller *caller) {
    lock_take(&tree->handles.lock);
    bool is_first = !handle->question;
    lock_drop(&tree->handles.lock);
    int result = is_first ? begin(tree, handle, caller) : 0;
    if (result < 0)
        return result;
    lock_take(&tree->handles.lock);
    bool follows = !handle->spoilt && (handle->append || offset == handle->pending.len);
    bool fits = handle->pending.len + size <= PROMPT_LIMIT;
    bool has_room = handle_has_room(tree, handle, size);
    uint64_t number = handle->question;
    if (follows && fits && has_room)
        (void)buf_add(&handle->pending, data, size); /* has no limit of its own */
    lock_drop(&tree->handles.lock);
    if (!follows)
        return spoil(tree, handle, -EIO,
            "it was not written from its beginning to its end; nothing was asked");
    if (!fits)
        return spoil(tree, handle, -E2BIG, "it is longer than 16 MiB; nothing was asked");
    if (!has_room)
        return spoil(tree, handle, -EAGAIN, "too much is being written at once; ask again later");
    infer_touch(tree->settings.infer, number);
    return 0;
}

void question_submit(struct tree *tree, struct handle *handle) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    lock_take(&tree->handles.lock);
    uint64_t number = handle->spoilt ? 0 : handle->question;
    handle->spoilt = true; /* once */
    (void)buf_add(&text, buf_text(&handle->pending), handle->pending.len);
    buf_clear(&handle->pending);
    lock_drop(&tree->handles.lock);
    if (number) /* an error is the answer's end */
        (void)infer_submit(tree->settings.infer, number, buf_text(&text), text.len);
}

/* ---- reading the answer */

/* A reference; NULL: there is none. */
static struct answer *answer_of(struct tree *tree, node_number node, const struct tree_caller *caller) {
    struct infer_asking which;
    if (!tree->settings.infer || !caller || asking_of(tree, node, caller, &which) < 0)
        return NULL;
    return node_kind(node) == NODE_FAILURE
               ? infer_newest(tree->settings.infer, which.model_id, which.chat_id, which.uid)
               : infer_reply(tree->settings.infer, &which);
}

int reply_open(struct tree *tree, struct handle *handle, const struct tree_caller *caller) {
    handle->answer = answer_of(tree, handle->node, caller);
    return 0;
}

static void print_failure(struct tree *tree, node_number node, const struct answer_info *info,
    struct buf *to) {
    if (tree->settings.infer)
        chat_print_trouble(tree, node, to);
    if (info->error && !to->len)
        (void)buf_format(to, "%s\n", err_text(&info->reason, info->error)); /* no limit */
}

/* A text of the row's own for this user. */
static int tell(struct tree *tree, node_number node, const struct tree_caller *caller, struct buf *to) {
    struct place place;
    int result = place_load(tree, node, &place);
    return result < 0 || !caller ? result : place.row->tell(&place, caller->uid, to);
}

int failure_open(struct tree *tree, struct handle *handle, const struct tree_caller *caller) {
    struct answer_info info = {.error = 0};
    if (row_of(node_row(handle->node))->tell)
        return tell(tree, handle->node, caller, &handle->pending);
    int result = reply_open(tree, handle, caller);
    if (handle->answer)
        answer_look(handle->answer, &info);
    print_failure(tree, handle->node, &info, &handle->pending);
    return result;
}

bool question_size(struct tree *tree, node_number node, const struct tree_caller *caller,
    uint64_t *ret_size) {
    enum node_kind kind = node_kind(node);
    struct buf text BUF_CLEANUP = BUF_INIT;
    struct answer_info info = {.error = 0};
    if (kind != NODE_ANSWER && kind != NODE_EXCHANGE && kind != NODE_FAILURE)
        return false;
    if (row_of(node_row(node))->tell) {
        int result = tell(tree, node, caller, &text);
        *ret_size = text.len;
        return result == 0;
    }
    struct answer *answer = answer_of(tree, node, caller);
    if (!answer && kind != NODE_FAILURE)
        return false;
    if (answer)
        answer_look(answer, &info);
    answer_put(answer);
    print_failure(tree, node, &info, &text);
    *ret_size = kind == NODE_FAILURE ? text.len : info.len || info.ended ? info.len : 1;
    return true;
}

int reply_await(struct handle *handle, uint64_t offset, struct wait *wait) {
    return handle->answer ? answer_await(handle->answer, offset, wait) : -ENODATA;
}

ssize_t reply_read(struct handle *handle, uint64_t offset, void *data, size_t size) {
    return handle->answer ? answer_read(handle->answer, offset, data, size) : -ENODATA;
}
