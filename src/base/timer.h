/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_TIMER_H
#define WEIGHTFS_BASE_TIMER_H

/*
 * One thread that calls functions at a time. A timer is embedded in the caller's structure and is the timers'
 * between timer_arm() and the call, or timer_cancel(). fire() runs on the timer thread with no lock held; it
 * must be quick (submit work, mark, wake) and may arm its timer again.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct timers;

struct timer {
    struct list link;
    uint64_t at_ms;
    void (*fire)(struct timer *);
};

int timers_start(struct timers **ret_timers);
void timers_stop(struct timers *timers); /* armed timers do not fire any more; waits for one that is firing */
/* Arms, or moves, `timer` to `at_ms` of clock_ms(). */
void timer_arm(struct timers *timers, struct timer *timer, uint64_t at_ms);
/* After it the timer is not armed and fire() is not running (waits for it, unless called from within
 * fire() itself). */
void timer_cancel(struct timers *timers, struct timer *timer);

#endif
