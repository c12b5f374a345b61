/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/run.h"

#include <stdlib.h>

#include "tree/inside.h"
#include "tree/permission.h"
#include "tree/rows.h"
#include "tree/version.h"

/* `inner` is the manager's while the command is under way; `outer` (the asker's) is linked in
 * tree->handles.waits for exactly that time, so that who takes it back and who finishes it agree under
 * handles.lock on who came first. */
struct run {
    struct wait inner;
    struct wait *outer;
    struct tree *tree;
    struct handle *handle;
};

static void run_free(struct run *run) {
    handle_unref(run->tree, run->handle);
    free(run);
}

static bool take_back(struct wait *outer) {
    struct tree *tree = outer->where;
    lock_take(&tree->handles.lock);
    struct run *run = NULL;
    if (list_linked(&outer->link)) {
        run = (struct run *)(uintptr_t)outer->number;
        if (wait_withdraw(&run->inner))
            list_remove(&outer->link);
        else
            run = NULL;
    }
    lock_drop(&tree->handles.lock);
    if (run)
        run_free(run);
    return run != NULL;
}

static void finish(struct wait *inner, int result) {
    struct run *run = list_entry(inner, struct run, inner);
    struct tree *tree = run->tree;
    struct wait *outer = run->outer;
    version_command(tree, run->handle->node);
    lock_take(&tree->handles.lock);
    list_remove(&outer->link);
    if (result < 0)
        buf_clear(&run->handle->pending);
    lock_drop(&tree->handles.lock);
    handle_set_snapshot(tree, run->handle, NULL); /* reading now tells of the result */
    run_free(run);
    outer->finish(outer, result);
}

int64_t run_object(node_number node) {
    return row_of(node_row(node))->commands == COMMAND_ROOT ? 0 : (int64_t)node_object(node);
}

static int start_command(struct tree *tree, const struct handle *handle, const void *context,
    struct wait *wait) {
    (void)handle;
    return command_await(tree->settings.manage, context, wait);
}

int run_await(struct tree *tree, struct handle *handle, const char *text, size_t len,
    const struct tree_caller *caller, struct wait *wait) {
    const struct row *row = row_of(node_row(handle->node));
    struct command_request request = {
        .place = row->commands,
        .id = run_object(handle->node),
        .text = text,
        .len = len,
        .whole = row->kind != NODE_CONTROL && !row->command, /* a setting's value, not lines of commands */
        .uid = caller->uid,
        .gid = caller->gid,
        .pid = caller->pid,
        .allowed = permission_allows(tree, caller),
        .unique = caller->unique,
        .resent = caller->resent,
    };
    return run_start_await(tree, handle, start_command, &request, wait);
}

int run_start_await(struct tree *tree, struct handle *handle, run_start *start, const void *context,
    struct wait *wait) {
    struct run *run = mem_new(sizeof(*run));
    run->inner.finish = finish;
    run->outer = wait;
    run->tree = tree;
    run->handle = handle;
    lock_take(&tree->handles.lock);
    handle->refs++;
    wait->where = tree;
    wait->number = (uintptr_t)run;
    atomic_store_explicit(&wait->progress, NULL, memory_order_relaxed);
    list_append(&tree->handles.waits, &wait->link);
    atomic_store_explicit(&wait->withdraw, take_back, memory_order_release);
    lock_drop(&tree->handles.lock);
    int result = start(tree, handle, context, &run->inner);
    if (result == PARKED)
        return PARKED;
    lock_take(&tree->handles.lock);
    list_remove(&wait->link);
    atomic_store_explicit(&wait->withdraw, NULL, memory_order_release);
    lock_drop(&tree->handles.lock);
    version_command(tree, handle->node);
    handle_set_snapshot(tree, handle, NULL); /* what is refused at once is told of as well */
    run_free(run);
    return result;
}
