/* SPDX-License-Identifier: Apache-2.0 */
#include "base/lock.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#ifdef WEIGHTFS_FAULTS

static const char *const NAMES[] = {
#define LOCK_NAME(name, protects) #name,
    LOCK_TABLE(LOCK_NAME)
#undef LOCK_NAME
};

/* What this thread holds, in the order in which it was taken: ranks rise. */
enum { MOST_HELD = LOCK_END };
static _Thread_local const struct lock *held[MOST_HELD];
static _Thread_local unsigned held_count;

/* Standard error alone, since the log has a lock too; the crash handler prints the rest. */
static _Noreturn void fail(const char *what, const struct lock *lock, const struct lock *other) {
    char line[160];
    int len = snprintf(line, sizeof line, "weightfs: lock %s: %s%s%s\n", NAMES[lock->rank], what,
        other ? " " : "", other ? NAMES[other->rank] : "");
    (void)!write(STDERR_FILENO, line, (size_t)len);
    abort();
}

static unsigned position(const struct lock *lock) {
    unsigned at = 0;
    while (at < held_count && held[at] != lock)
        at++;
    return at;
}

static void check_take(const struct lock *lock) {
    if (position(lock) < held_count)
        fail("is taken twice", lock, NULL);
    /* Ranks rise strictly, hence there are never more than there are ranks. */
    if (held_count && held[held_count - 1]->rank >= lock->rank)
        fail("is taken while holding", lock, held[held_count - 1]);
    held[held_count++] = lock;
}

static void check_drop(const struct lock *lock) {
    unsigned at = position(lock);
    if (at == held_count)
        fail("is dropped but not held", lock, NULL);
    memmove(&held[at], &held[at + 1], (--held_count - at) * sizeof *held);
}

static void check_wait(const struct lock *lock) {
    lock_assert(lock);
    if (held_count > 1)
        fail("is waited on while holding", lock, held[held[0] == lock]);
}

void lock_assert(const struct lock *lock) {
    if (position(lock) == held_count)
        fail("is not held where it must be", lock, NULL);
}

void lock_assert_none(void) {
    if (held_count)
        fail("is held where none may be", held[held_count - 1], NULL);
}

#else

static void check_take(const struct lock *lock) {
    (void)lock;
}

static void check_drop(const struct lock *lock) {
    (void)lock;
}

static void check_wait(const struct lock *lock) {
    (void)lock;
}

void lock_assert(const struct lock *lock) {
    (void)lock;
}

void lock_assert_none(void) {}

#endif

void lock_init(struct lock *lock, enum lock_rank rank) {
    pthread_mutex_init(&lock->mutex, NULL); /* a default mutex: cannot fail here */
    lock->rank = rank;
}

void lock_done(struct lock *lock) {
    pthread_mutex_destroy(&lock->mutex);
}

void lock_take(struct lock *lock) {
    check_take(lock);
    pthread_mutex_lock(&lock->mutex);
}

void lock_drop(struct lock *lock) {
    check_drop(lock);
    pthread_mutex_unlock(&lock->mutex);
}

void lock_condition_init(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool lock_wait(struct lock *lock, pthread_cond_t *condition, unsigned long long until_ms) {
    check_wait(lock);
    if (!until_ms) {
        pthread_cond_wait(condition, &lock->mutex);
        return true;
    }
    /* clock_ms() may be shifted by a test, the condition's clock is not: only the difference can be handed
     * over. */
    const uint64_t YEAR_MS = UINT64_C(365) * 24 * 3600 * 1000; /* keeps "never" out of an overflow */
    uint64_t now_ms = clock_ms();
    uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
    left_ms = left_ms < YEAR_MS ? left_ms : YEAR_MS;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(left_ms / 1000);
    until.tv_nsec += (long)(left_ms % 1000) * 1000 * 1000;
    if (until.tv_nsec >= 1000 * 1000 * 1000) {
        until.tv_sec++;
        until.tv_nsec -= 1000 * 1000 * 1000;
    }
    return pthread_cond_timedwait(condition, &lock->mutex, &until) != ETIMEDOUT;
}
