/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "infer/infer.h"
#include "tree/inside.h"
#include "tree/question.h"

#define TOO_LONG "the prompt is longer than 16 MiB; nothing was asked"

int ask_open(struct tree *tree, struct handle *handle, const struct tree_caller *caller) {
    int mode = handle->flags & O_ACCMODE;
    handle->adopted = !caller;
    handle->talks = !caller || mode == O_RDWR;
    if (caller && mode == O_WRONLY)
        return -EINVAL;
    return handle->talks && !tree->settings.infer ? -EOPNOTSUPP : 0;
}

/* ---- turns */

static void turn_begin_locked(struct handle *handle) {
    handle->answer = NULL;
    handle->question = handle->read_to = 0;
    handle->told = handle->watched = false;
    handle->written = true;
    buf_clear(&handle->pending);
}

int ask_write(struct tree *tree, struct handle *handle, const void *data, size_t size,
    const struct tree_caller *caller) {
    lock_take(&tree->handles.lock);
    struct answer *former = NULL;
    uint64_t former_number = 0;
    int result = handle->adopted ? -EIO : handle->spoilt ? -E2BIG : 0;
    if (result == 0 && !handle->written) {
        former = handle->answer;
        former_number = handle->question;
        turn_begin_locked(handle);
    }
    if (result == 0 && handle->pending.len + size > PROMPT_LIMIT) {
        handle->spoilt = true;
        buf_done(&handle->pending);
        result = -E2BIG;
    }
    if (result == 0 && !handle_has_room(tree, handle, size))
        result = -EAGAIN; /* what was written so far is still there */
    if (result == 0) {
        (void)buf_add(&handle->pending, data, size); /* has no limit of its own */
        handle->writer = *caller;
    }
    lock_drop(&tree->handles.lock);
    if (former_number) /* nothing happens when it is over */
        (void)infer_cancel(tree->settings.infer, former_number);
    answer_put(former);
    return result;
}

/* What a turn has come to: a reference of its answer (NULL: there is none), and where it is read on. */
struct turn {
    struct answer *answer;
    uint64_t number, offset;
    bool watched;
};

/* The document becomes a question under the lock, so that no other reader finds a turn without an answer; it
 * is memory that changes hands, no more. */
static int begin_locked(struct tree *tree, struct handle *handle, struct buf *ret_text) {
    if (handle->adopted)
        return -EIO;
    if (!handle->written)
        return 0;
    handle->asking = question_asking(handle->node, &handle->writer);
    handle->asking.is_private = true;
    handle->written = false;
    if (handle->spoilt) {
        handle->spoilt = false;
        return -E2BIG;
    }
    *ret_text = handle->pending;
    handle->pending = (struct buf)BUF_INIT;
    return infer_begin(tree->settings.infer, &handle->asking, &handle->question, &handle->answer);
}

/* What was written is asked, once. */
static int ask(struct tree *tree, struct handle *handle, struct turn *ret_turn) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    lock_take(&tree->handles.lock);
    bool first = handle->written;
    int result = begin_locked(tree, handle, &text);
    struct turn turn = {.number = handle->question, .offset = handle->read_to, .watched = handle->watched};
    if (result == 0 && handle->answer)
        turn.answer = answer_ref(handle->answer);
    handle->watched = false;
    struct infer_asking asking = handle->asking;
    lock_drop(&tree->handles.lock);
    if (result == -E2BIG)
        infer_tell(tree->settings.infer, &asking, result, TOO_LONG);
    if (result == 0 && first) /* an error is the answer's end */
        (void)infer_submit(tree->settings.infer, turn.number, buf_text(&text), text.len);
    if (result == 0)
        *ret_turn = turn;
    return result;
}

/* ---- waiting: the answer may go while somebody waits for it, by the next turn. So between the answer's wait
 * and the asker's stands one of ours, which holds a reference of both; as run.c has it. */

struct turn_wait {
    struct wait inner;
    struct wait *outer;
    struct tree *tree;
    struct handle *handle;
    struct answer *answer;
    uint64_t number;
    pid_t pid;
};

static void turn_free(struct turn_wait *turn) {
    answer_put(turn->answer);
    handle_unref(turn->tree, turn->handle);
    free(turn);
}

/* The reader goes: by a signal, as far as anybody knows. */
static bool take_back(struct wait *outer) {
    struct tree *tree = outer->where;
    struct turn_wait *turn = NULL;
    lock_take(&tree->handles.lock);
    if (list_linked(&outer->link)) {
        turn = (struct turn_wait *)(uintptr_t)outer->number;
        if (wait_withdraw(&turn->inner))
            list_remove(&outer->link);
        else
            turn = NULL;
    }
    lock_drop(&tree->handles.lock);
    if (!turn)
        return false;
    infer_watch(tree->settings.infer, turn->number, turn->pid);
    lock_take(&tree->handles.lock);
    turn->handle->watched = true;
    lock_drop(&tree->handles.lock);
    turn_free(turn);
    return true;
}

static void finish(struct wait *inner, int result) {
    struct turn_wait *turn = list_entry(inner, struct turn_wait, inner);
    struct tree *tree = turn->tree;
    struct wait *outer = turn->outer;
    lock_take(&tree->handles.lock);
    list_remove(&outer->link);
    if (turn->handle->answer != turn->answer)
        result = -ERR_CANCELLED; /* by the next turn, of which this reader knows nothing */
    lock_drop(&tree->handles.lock);
    turn_free(turn);
    outer->finish(outer, result);
}

static int turn_await(struct turn_wait *turn, uint64_t offset) {
    struct tree *tree = turn->tree;
    struct wait *outer = turn->outer;
    lock_take(&tree->handles.lock);
    turn->handle->refs++;
    outer->where = tree;
    outer->number = (uintptr_t)turn;
    atomic_store_explicit(&outer->progress, NULL, memory_order_relaxed);
    list_append(&tree->handles.waits, &outer->link);
    atomic_store_explicit(&outer->withdraw, take_back, memory_order_release);
    lock_drop(&tree->handles.lock);
    int result = answer_await(turn->answer, offset, &turn->inner);
    if (result == PARKED)
        return PARKED;
    lock_take(&tree->handles.lock);
    list_remove(&outer->link);
    atomic_store_explicit(&outer->withdraw, NULL, memory_order_release);
    lock_drop(&tree->handles.lock);
    turn_free(turn);
    return result;
}

int ask_await(struct tree *tree, struct handle *handle, const struct tree_caller *caller, struct wait *wait) {
    struct turn turn = {.answer = NULL};
    int result = ask(tree, handle, &turn);
    if (result < 0 || !turn.answer)
        return result;
    if (turn.watched)
        infer_watch(tree->settings.infer, turn.number, 0); /* there is a reader again */
    struct turn_wait *waits = mem_new(sizeof *waits);
    waits->inner.finish = finish;
    waits->outer = wait;
    waits->tree = tree;
    waits->handle = handle;
    waits->answer = turn.answer;
    waits->number = turn.number;
    waits->pid = caller ? caller->pid : 0;
    return turn_await(waits, turn.offset);
}

/* ---- reading */

/* `error` tells of it as of what was asked through `prompt`: once. */
static void tell(struct tree *tree, struct handle *handle, struct answer *answer) {
    struct answer_info info;
    answer_look(answer, &info);
    lock_take(&tree->handles.lock);
    bool first = handle->answer == answer && !handle->told && info.ended;
    handle->told |= first;
    struct infer_asking asking = handle->asking;
    lock_drop(&tree->handles.lock);
    if (first)
        infer_tell(tree->settings.infer, &asking, info.error, err_text(&info.reason, info.error));
}

/* 1: the bytes are ours; 0: another reader was quicker; negative: the turn is over, nothing was taken. */
static int claim(struct tree *tree, struct handle *handle, struct answer *answer, uint64_t offset,
    size_t count) {
    LOCK_SCOPE(&tree->handles.lock);
    if (handle->answer != answer)
        return -ERR_CANCELLED;
    if (handle->read_to != offset)
        return 0;
    handle->read_to = offset + count;
    return 1;
}

ssize_t ask_read(struct tree *tree, struct handle *handle, void *data, size_t size) {
    for (;;) {
        lock_take(&tree->handles.lock);
        struct answer *answer = handle->answer ? answer_ref(handle->answer) : NULL;
        uint64_t offset = handle->read_to;
        lock_drop(&tree->handles.lock);
        if (!answer)
            return 0; /* nothing was written */
        struct answer_info info;
        answer_look(answer, &info); /* before: an end that is seen has all its text before it */
        ssize_t count = answer_read(answer, offset, data, size);
        int claimed = count > 0 ? claim(tree, handle, answer, offset, (size_t)count) : 1;
        if (count <= 0 && info.ended)
            tell(tree, handle, answer);
        else if (count == 0)
            count = TREE_READ_AGAIN;
        answer_put(answer);
        if (claimed)
            return claimed < 0 ? claimed : count;
    }
}

void ask_close(struct tree *tree, struct handle *handle) {
    lock_take(&tree->handles.lock);
    uint64_t number = handle->question;
    lock_drop(&tree->handles.lock);
    if (number) /* nothing happens when it is over */
        (void)infer_cancel(tree->settings.infer, number);
}
