/* SPDX-License-Identifier: Apache-2.0 */
#include "manage/checks.h"

#include <stdlib.h>
#include <unistd.h>

#include "manage/check.h"

#define THREADS_MOST 64

struct checks {
    struct pool *pool, *slow; /* NULL: not needed yet */
    atomic_bool closing;
    struct lock lock; /* QUEUE: for pauses only */
    pthread_cond_t wake;
    unsigned wakes;
};

unsigned checks_width(void) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > THREADS_MOST ? THREADS_MOST : (unsigned)cores;
}

static struct checks *checks_of(struct manage *manage) {
    if (manage->checks)
        return manage->checks;
    struct checks *checks = mem_new(sizeof *checks);
    lock_init(&checks->lock, LOCK_QUEUE);
    lock_condition_init(&checks->wake);
    manage->checks = checks;
    return checks;
}

int checks_submit(struct manage *manage, struct work *work, bool slow) {
    struct checks *checks = checks_of(manage);
    struct pool **pool = slow ? &checks->slow : &checks->pool;
    int error = *pool ? 0 : pool_start(slow ? "scrub" : "check", slow ? 1 : checks_width(), pool);
    if (!error)
        pool_submit(*pool, work);
    return error;
}

bool checks_are_closing(const struct checks *checks) {
    return atomic_load(&checks->closing);
}

void checks_pause(struct checks *checks, uint64_t ms) {
    uint64_t until_ms = clock_ms() + ms;
    LOCK_SCOPE(&checks->lock);
    unsigned wakes = checks->wakes;
    while (wakes == checks->wakes && !atomic_load(&checks->closing) &&
           lock_wait(&checks->lock, &checks->wake, until_ms))
        continue;
}

void checks_wake(struct checks *checks) {
    if (!checks)
        return;
    LOCK_SCOPE(&checks->lock);
    checks->wakes++;
    pthread_cond_broadcast(&checks->wake);
}

void checks_stop(struct manage *manage) {
    struct checks *checks = manage->checks;
    if (!checks)
        return;
    atomic_store(&checks->closing, true);
    checks_wake(checks);
    pool_stop(checks->pool);
    pool_stop(checks->slow);
    checks->pool = checks->slow = NULL;
}

void checks_free(struct manage *manage) {
    struct checks *checks = manage->checks;
    if (!checks)
        return;
    pthread_cond_destroy(&checks->wake);
    lock_done(&checks->lock);
    free(checks);
    manage->checks = NULL;
}
