/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_LOCK_H
#define WEIGHTFS_BASE_LOCK_H

/*
 * Locks with ranks. A thread takes locks in rising rank only; in builds with -DWEIGHTFS_FAULTS (asan, tsan,
 * faults) taking one out of order, or twice, aborts with both names. Nothing that can block (network,
 * condition, another process) is called under one; disk reads and writes of our own small files are allowed
 * where the row says so.
 */

#include <pthread.h>
#include <stdbool.h>

#define LOCK_TABLE(ROW)                                                                                \
    ROW(PARK, "face: the table of parked requests")                                                    \
    ROW(BACKING,                                                                                       \
        "face: which nodes are passed through, and as what (its own small state file may be written)") \
    ROW(HANDLE, "tree: open handles and text snapshots")                                               \
    ROW(INFER, "infer: seats, boxes, and the questions that wait in them")                             \
    ROW(ANSWER, "infer: one answer: its text and who waits for more")                                  \
    ROW(GATEWAY, "infer: which sockets are bound (they are made and unlinked)")                        \
    ROW(MANAGE, "manage: jobs, discoveries, selections under way")                                     \
    ROW(BLOB, "store: one blob: its blocks, waiters, fetches (its part's small files may be written)") \
    ROW(STORE, "store: the table of blobs, the budget's figures")                                      \
    ROW(CATALOG_WRITE, "model: the catalogue's writing connection (disk)")                             \
    ROW(CATALOG_READ, "model: the catalogue's reading connection (disk)")                              \
    ROW(MAIL, "store: the mailbox of the loop, and whether it may still be posted to")                 \
    ROW(QUEUE, "any queue whose holder calls nothing: pool, bus, loop mailbox, timers")                \
    ROW(OPTION, "base: the options' values (may be read under any lock above)")                        \
    ROW(LOG, "base: the log's ring")

enum lock_rank {
#define LOCK_ENUM(name, protects) LOCK_##name,
    LOCK_TABLE(LOCK_ENUM)
#undef LOCK_ENUM
        LOCK_END
};

struct lock {
    pthread_mutex_t mutex;
    enum lock_rank rank;
};

void lock_init(struct lock *lock, enum lock_rank rank);
void lock_done(struct lock *lock);
void lock_take(struct lock *lock);
void lock_drop(struct lock *lock);
/* Aborts (in checking builds) unless this thread holds it. For _locked functions. */
void lock_assert(const struct lock *lock);
/* Aborts (in checking builds) when this thread holds any lock. For what may wait, or calls out. */
void lock_assert_none(void);
/* Waits on `condition` (CLOCK_MONOTONIC, made with lock_condition_init) until `until_ms` of clock_ms(), or
 * 0 for without end (allowed only to a thread's own idle loop). true when woken, false on the deadline. */
void lock_condition_init(pthread_cond_t *condition);
bool lock_wait(struct lock *lock, pthread_cond_t *condition, unsigned long long until_ms);

/* Holds `lock` to the end of the enclosing scope. */
static inline void lock_scope_end(struct lock **lock) {
    lock_drop(*lock);
}
#define LOCK_JOIN2(a, b) a##b
#define LOCK_JOIN(a, b)  LOCK_JOIN2(a, b)
#define LOCK_SCOPE(held)                                                                             \
    __attribute__((cleanup(lock_scope_end), unused)) struct lock *LOCK_JOIN(lock_scope_, __LINE__) = \
        (lock_take(held), (held))

#endif
