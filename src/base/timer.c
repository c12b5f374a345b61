/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timer.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/thread.h"

struct timers {
    struct lock lock;
    pthread_cond_t wake; /* the thread's: the first timer is another one, or it shall end */
    pthread_cond_t done; /* a fire() returned */
    struct list armed;   /* by at_ms, the earliest first */
    struct timer *firing;
    bool stopping;
    pthread_t thread;
};

static struct timer *first_locked(struct timers *timers) {
    lock_assert(&timers->lock);
    return list_empty(&timers->armed) ? NULL : list_entry(timers->armed.next, struct timer, link);
}

/* Waits for the first timer's time and takes it out; NULL at the end. */
static struct timer *next_due_locked(struct timers *timers) {
    while (!timers->stopping) {
        struct timer *first = first_locked(timers);
        if (!first) {
            lock_wait(&timers->lock, &timers->wake, 0);
        } else if (first->at_ms > clock_ms()) {
            lock_wait(&timers->lock, &timers->wake, first->at_ms);
        } else {
            list_remove(&first->link);
            return first;
        }
    }
    return NULL;
}

static void *run(void *context) {
    struct timers *timers = context;
    LOCK_SCOPE(&timers->lock);
    for (struct timer *timer; (timer = next_due_locked(timers));) {
        timers->firing = timer;
        lock_drop(&timers->lock);
        timer->fire(timer); /* may free it: from here on it is a number to compare with */
        lock_take(&timers->lock);
        timers->firing = NULL;
        pthread_cond_broadcast(&timers->done);
    }
    return NULL;
}

int timers_start(struct timers **ret_timers) {
    struct timers *timers = mem_new(sizeof *timers);
    lock_init(&timers->lock, LOCK_QUEUE);
    lock_condition_init(&timers->wake);
    lock_condition_init(&timers->done);
    list_init(&timers->armed);
    int error = thread_start("timers", run, timers, &timers->thread);
    if (error) {
        free(timers);
        return error;
    }
    *ret_timers = timers;
    return 0;
}

void timers_stop(struct timers *timers) {
    if (!timers)
        return;
    lock_assert_none(); /* it waits for a fire() that may take any lock */
    lock_take(&timers->lock);
    timers->stopping = true;
    pthread_cond_signal(&timers->wake);
    lock_drop(&timers->lock);
    pthread_join(timers->thread, NULL);
    while (list_shift(&timers->armed))
        ;
    pthread_cond_destroy(&timers->wake);
    pthread_cond_destroy(&timers->done);
    lock_done(&timers->lock);
    free(timers);
}

void timer_arm(struct timers *timers, struct timer *timer, uint64_t at_ms) {
    LOCK_SCOPE(&timers->lock);
    if (list_linked(&timer->link))
        list_remove(&timer->link);
    timer->at_ms = at_ms;
    /* From the end: deadlines are mostly armed in the order in which they come. Equal ones fire in the
     * order of arming. */
    struct list *before = timers->armed.prev;
    while (before != &timers->armed && list_entry(before, struct timer, link)->at_ms > at_ms)
        before = before->prev;
    list_append(before->next, &timer->link);
    if (first_locked(timers) == timer)
        pthread_cond_signal(&timers->wake);
}

void timer_cancel(struct timers *timers, struct timer *timer) {
    const uint64_t STEP_MS = 1000;
    LOCK_SCOPE(&timers->lock);
    for (;;) {
        if (list_linked(&timer->link))
            list_remove(&timer->link);
        /* While it waits fire() may have armed it again: look once more. */
        if (timers->firing != timer || pthread_equal(pthread_self(), timers->thread))
            return;
        lock_wait(&timers->lock, &timers->done, clock_ms() + STEP_MS);
    }
}
