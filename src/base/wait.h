/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_WAIT_H
#define WEIGHTFS_BASE_WAIT_H

/*
 * A parked request, as the floors below see it: one-shot, and always ended exactly once.
 *
 * Two parties. The *asker* (face) owns the memory, fills in `finish`, and hands the wait down with a call
 * such as blob_await() or discover_await(). If that call answers PARKED, the wait belongs to the *keeper*
 * (store, manage) until the keeper calls finish(), or the asker takes it back with withdraw(). Whatever else
 * the call answers (0: there already; negative: failed), finish() will not be called.
 *
 *   keeper is done:       under its lock it unlinks the wait; without any lock it calls
 *                         wait->finish(wait, result)
 *   asker loses patience: wait_withdraw(wait): under the keeper's lock, if the wait is still linked it is
 *                         unlinked and the answer is true: it is the asker's again and finish() will never
 *                         come. false: finish() was called, is being called, or the keeper has not linked it
 *                         yet (look again in some milliseconds).
 *
 * finish() runs on any thread, must not block, and may free the wait. `link`, `where`, `number`, `length`,
 * withdraw and progress are the keeper's, set before the wait is linked; withdraw is read with an acquire
 * load since the asker may look while the keeper is parking.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define PARKED 1

struct wait {
    struct list link;
    void *where;     /* the keeper's object */
    uint64_t number; /* the keeper's: an offset, an id */
    uint64_t length; /* the keeper's */
    _Atomic(bool (*)(struct wait *)) withdraw;
    /* When (clock_ms) something last moved for this wait: its stall clock starts there. NULL: no such
     * thing, the wait's own start counts. Called with no lock held, only between parking and
     * finish/withdraw by the asker's sweeper, which holds its own reference. */
    _Atomic(uint64_t (*)(struct wait *)) progress;
    void (*finish)(struct wait *, int result);
    bool
        patient; /* the keeper's: of an engine's loader, which has a deadline of its own, and which no failure
                   * that may heal is told to */
};

static inline bool wait_withdraw(struct wait *wait) {
    bool (*withdraw)(struct wait *) = atomic_load_explicit(&wait->withdraw, memory_order_acquire);
    return withdraw && withdraw(wait);
}

#endif
