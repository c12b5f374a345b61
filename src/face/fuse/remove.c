/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/inside.h"

#include "face/fuse/park.h"

/* rmdir of a model is a command: it waits for its commit. */

enum { REMOVE_MOST_MS = 30000 };

static uint64_t remove_patience_ms(const struct face *face) {
    (void)face;
    return REMOVE_MOST_MS;
}

static void remove_done(struct parked *parked, int result) {
    answer_error(&parked->call, result < 0 ? result : 0);
    parked_free(parked);
}

static const struct parked_kind RMDIR = {
    .name = "rmdir",
    .answer = remove_done,
    .refuse = answer_error,
    .patience_ms = remove_patience_ms,
    .verdict = -ERR_DEADLINE,
};

void remove_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name) {
    struct call call = call_of(req, OPERATION_RMDIR, parent);
    struct tree_caller caller = caller_of(&call);
    struct parked *parked = parked_new(&call, &RMDIR);
    int result = tree_rmdir(call.face->tree, parent, name, &caller, &parked->wait);
    if (result == PARKED)
        park_admit(call.face->park, parked);
    else
        remove_done(parked, result);
}
