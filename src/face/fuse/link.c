/* SPDX-License-Identifier: Apache-2.0 */
/* symlink, rename, unlink and mkdir: the link `default` in the root, conversations. All else is the tree's to
 * refuse. */

#include "base/buf.h"
#include "face/fuse/inside.h"
#include "face/fuse/park.h"
#include "face/fuse/waker.h"

enum { COMMAND_MOST_MS = 30000 };

static uint64_t patience_ms(const struct face *face) {
    (void)face;
    return COMMAND_MOST_MS;
}

static void changed(struct parked *parked, int result) {
    answer_error(&parked->call, result < 0 ? result : 0);
    parked_free(parked);
}

/* What was made is answered with what a lookup would find. */
static void made(struct parked *parked, int result) {
    const struct call *call = &parked->call;
    struct tree_caller caller = caller_of(call);
    struct tree_entry entry;
    if (result >= 0)
        result = tree_lookup(call->face->tree, call->node, parked->name, &caller, &entry, &parked->wait);
    if (result < 0)
        answer_error(call, result);
    else
        answer_entry(call, &entry);
    parked_free(parked);
}

static const struct parked_kind MADE = {
    .name = "make",
    .answer = made,
    .refuse = answer_error,
    .patience_ms = patience_ms,
    .verdict = -ERR_DEADLINE,
};

static const struct parked_kind CHANGED = {
    .name = "rename",
    .answer = changed,
    .refuse = answer_error,
    .patience_ms = patience_ms,
    .verdict = -ERR_DEADLINE,
};

void link_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name) {
    struct call call = call_of(req, OPERATION_LINK, parent);
    struct tree_caller caller = caller_of(&call);
    struct parked *parked = parked_new(&call, &MADE);
    parked->name = mem_text(name);
    park_or_answer(parked, tree_symlink(call.face->tree, parent, name, target, &caller, &parked->wait));
}

void link_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode) {
    (void)mode; /* the owner's alone, whatever it says */
    struct call call = call_of(req, OPERATION_LINK, parent);
    if (waker_makes(call.face->waker, &call, name))
        return;
    struct tree_caller caller = caller_of(&call);
    struct parked *parked = parked_new(&call, &MADE);
    parked->name = mem_text(name);
    park_or_answer(parked, tree_mkdir(call.face->tree, parent, name, &caller, &parked->wait));
}

void link_unlink(fuse_req_t req, fuse_ino_t parent, const char *name) {
    struct call call = call_of(req, OPERATION_LINK, parent);
    struct tree_caller caller = caller_of(&call);
    struct parked *parked = parked_new(&call, &CHANGED);
    park_or_answer(parked, tree_unlink(call.face->tree, parent, name, &caller, &parked->wait));
}

void link_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
    const char *new_name, unsigned flags) {
    struct call call = call_of(req, OPERATION_LINK, parent);
    struct tree_caller caller = caller_of(&call);
    struct parked *parked = parked_new(&call, &CHANGED);
    park_or_answer(parked,
        tree_rename(call.face->tree, parent, name, new_parent, new_name, flags, &caller, &parked->wait));
}
