/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/clock.h"
#include "base/lock.h"
#include "base/thread.h"

static struct lock low, high, other_high;

static void rising_ranks_are_allowed(void) {
    lock_take(&low);
    {
        LOCK_SCOPE(&high);
        lock_assert(&high);
        lock_assert(&low);
    }
    lock_take(&high);
    lock_drop(&low); /* not in the order of taking */
    lock_assert(&high);
    lock_drop(&high);
    lock_assert_none();
}

static struct lock wait_lock;
static pthread_cond_t condition;
static bool is_set;

static void *set_it(void *context) {
    LOCK_SCOPE(&wait_lock);
    is_set = true;
    pthread_cond_signal(&condition);
    return context;
}

static void a_wait_ends_when_woken_or_at_its_deadline(void) {
    lock_init(&wait_lock, LOCK_QUEUE);
    lock_condition_init(&condition);
    lock_take(&wait_lock);
    uint64_t before_ms = clock_ms();
    while (lock_wait(&wait_lock, &condition, before_ms + 30))
        ;
    CHECK(clock_ms() >= before_ms + 30);
    CHECK(clock_ms() < before_ms + 10 * 1000);
    CHECK(!lock_wait(&wait_lock, &condition, 1));

    pthread_t thread;
    CHECK_OK(thread_start("a name that is far too long", set_it, &is_set, &thread));
    while (!is_set && CHECK(lock_wait(&wait_lock, &condition, UINT64_MAX)))
        ;
    lock_assert(&wait_lock);
    lock_drop(&wait_lock);
    void *result;
    pthread_join(thread, &result);
    CHECK(result == &is_set);
    pthread_cond_destroy(&condition);
    lock_done(&wait_lock);
}

#ifdef WEIGHTFS_FAULTS
static void falling(void) {
    lock_take(&high);
    lock_take(&low);
}

static void equal(void) {
    lock_take(&high);
    lock_take(&other_high);
}

static void twice(void) {
    lock_take(&high);
    lock_take(&high);
}

static void dropped_unheld(void) {
    lock_drop(&high);
}

static void not_held(void) {
    lock_take(&low);
    lock_assert(&high);
}

static void held_where_none_may_be(void) {
    lock_take(&low);
    lock_assert_none();
}

static void waits_with_another(void) {
    lock_condition_init(&condition);
    lock_take(&low);
    lock_take(&high);
    lock_wait(&high, &condition, clock_ms());
}
#endif

int main(void) {
    lock_init(&low, (enum lock_rank)0);
    lock_init(&high, (enum lock_rank)(LOCK_END - 1));
    lock_init(&other_high, (enum lock_rank)(LOCK_END - 1));
    rising_ranks_are_allowed();
    a_wait_ends_when_woken_or_at_its_deadline();
#ifdef WEIGHTFS_FAULTS
    CHECK_ABORTS(falling);
    CHECK_ABORTS(equal);
    CHECK_ABORTS(twice);
    CHECK_ABORTS(dropped_unheld);
    CHECK_ABORTS(not_held);
    CHECK_ABORTS(held_where_none_may_be);
    CHECK_ABORTS(waits_with_another);
#endif
    lock_done(&low);
    lock_done(&high);
    lock_done(&other_high);
    return check_result();
}
