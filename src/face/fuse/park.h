/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_FACE_FUSE_PARK_H
#define WEIGHTFS_FACE_FUSE_PARK_H

/*
 * Requests that wait for something, without a thread waiting for them. README.md in this folder has the
 * rules.
 *
 * A handler makes a `struct parked`, asks the tree with its wait, and if the answer was PARKED admits it.
 * From then on it is the park's: when the wait has finished, a reply thread calls its kind's answer();
 * when it lost patience (a signal, a deadline, too many, the end) the wait is withdrawn first and refuse()
 * is called. Exactly one of them is called, once, on a reply thread, holding no lock.
 *
 * Everything here may be called from any thread.
 */

#include "base/wait.h"
#include "face/fuse/inside.h"

struct parked;

/* What a kind of request does when its time has come. A row each. */
struct parked_kind {
    const char *name;
    /* The wait ended with `result`. Answers and frees, or admits it again. */
    void (*answer)(struct parked *parked, int result);
    void (*refuse)(const struct call *call, int error);
    /* How long it may wait without progress, in milliseconds; 0: without end. Asked at each sweep. */
    uint64_t (*patience_ms)(const struct face *face);
    int verdict; /* then: a negative error */
    /* How long the verdict also ends others of this node that would have to wait for any of the same
     * bytes. The kernel asks for the pages of a failed read once more, one by one, and each would be
     * patient anew. */
    uint64_t memory_ms;
    /* It is a command on its way into the catalogue, which mostly ends soon: an interrupt (a shell's child
     * has ended) counts a second later, else he is told EINTR and the command was given all the same. */
    bool commits;
};

struct parked {
    struct wait wait;
    struct call call;
    const struct parked_kind *kind;
    uint64_t handle, offset;
    size_t size;
    char *name;                /* of a lookup; freed with it */
    struct tree_caller caller; /* of a read */
    bool nonblocking;

    /* The park's, under its lock. */
    struct list all, bucket, queue;
    uint64_t number, start_ms, moved_ms, look_ms;
    int result, doubt; /* doubt: the error to refuse it with, if the wait can be withdrawn; 0 */
    bool admitted, finished, examined, doubted;
};

int park_start(struct face *face, struct park **ret_park);
/* All that is parked, and all that comes, is refused with EIO (`silent`: given up without an answer). */
void park_close(struct park *park, bool silent);
/* After park_close(): waits (some seconds at most) until nothing is parked, ends the reply threads and
 * frees. false: a keeper did not let go, so that the park, which it may still call, stays; so must the
 * face. */
bool park_stop(struct park *park);
uint64_t park_count(struct park *park);

struct parked *parked_new(const struct call *call, const struct parked_kind *kind);
void parked_free(struct parked *parked);
/* The same once more, for another wait: its patience goes on from where it was. */
void parked_renew(struct parked *parked);
void park_admit(struct park *park, struct parked *parked);
/* What a call of the tree answered: PARKED admits it, everything else is answered by its kind at once. */
void park_or_answer(struct parked *parked, int result);
/* Ends what has waited for too long. Called four times a second. */
void park_sweep(struct park *park);

#endif
