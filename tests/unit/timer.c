/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/clock.h"
#include "base/lock.h"
#include "base/timer.h"

struct alarm {
    struct timer timer;
    int number;
    int again;
};

static struct timers *timers;
static struct lock lock;
static pthread_cond_t changed;
static int order[16];
static int fired;
static bool is_inside, may_leave;

static void note(struct timer *timer) {
    struct alarm *alarm = list_entry(timer, struct alarm, timer);
    CHECK(clock_ms() >= timer->at_ms);
    if (alarm->again--)
        timer_arm(timers, timer, clock_ms());
    LOCK_SCOPE(&lock);
    order[fired++ % 16] = alarm->number;
    pthread_cond_broadcast(&changed);
}

/* Waits for the thing, at most ten seconds. */
static bool await(const int *value, int wanted) {
    uint64_t until_ms = clock_ms() + 10 * 1000;
    LOCK_SCOPE(&lock);
    while (*value < wanted)
        if (!lock_wait(&lock, &changed, until_ms))
            return false;
    return true;
}

static void timers_fire_in_the_order_of_their_times(void) {
    struct alarm alarms[5];
    const int delay_ms[5] = {60, 20, 40, 20, 0};
    uint64_t now_ms = clock_ms();
    for (int i = 0; i < 5; i++) {
        alarms[i] = (struct alarm){.timer.fire = note, .number = i};
        timer_arm(timers, &alarms[i].timer, now_ms + (uint64_t)delay_ms[i]);
    }
    CHECK(await(&fired, 5));
    const int wanted[5] = {4, 1, 3, 2, 0};
    LOCK_SCOPE(&lock);
    CHECK(!memcmp(order, wanted, sizeof wanted));
}

static void a_timer_is_moved_or_taken_back(void) {
    struct alarm moved = {.timer.fire = note, .number = 1};
    struct alarm taken = {.timer.fire = note, .number = 2};
    struct alarm last = {.timer.fire = note, .number = 3};
    fired = 0;
    timer_arm(timers, &moved.timer, UINT64_MAX);
    timer_arm(timers, &taken.timer, clock_ms() + 20);
    timer_cancel(timers, &taken.timer);
    timer_cancel(timers, &taken.timer);
    CHECK(!list_linked(&taken.timer.link));
    timer_arm(timers, &last.timer, clock_ms() + 40);
    timer_arm(timers, &moved.timer, clock_ms());
    CHECK(await(&fired, 2));
    LOCK_SCOPE(&lock);
    CHECK(order[0] == 1 && order[1] == 3);
}

static void fire_may_arm_its_timer_again(void) {
    struct alarm alarm = {.timer.fire = note, .again = 9};
    fired = 0;
    timer_arm(timers, &alarm.timer, 0);
    CHECK(await(&fired, 10));
    timer_cancel(timers, &alarm.timer);
}

static void stay_inside(struct timer *timer) {
    timer_cancel(timers, timer); /* from within: does not wait for itself */
    lock_take(&lock);
    is_inside = true;
    pthread_cond_broadcast(&changed);
    while (!may_leave)
        lock_wait(&lock, &changed, 0);
    lock_drop(&lock);
    timer_arm(timers, timer, clock_ms() + 1000000);
    lock_take(&lock);
    fired = 100;
    lock_drop(&lock);
}

static void leave(struct timer *timer) {
    (void)timer;
}

static void *let_it_leave(void *context) {
    LOCK_SCOPE(&lock);
    may_leave = true;
    pthread_cond_broadcast(&changed);
    return context;
}

static void cancel_waits_for_a_fire_that_is_running(void) {
    struct timer timer = {.fire = stay_inside};
    fired = 0;
    timer_arm(timers, &timer, clock_ms());
    lock_take(&lock);
    while (!is_inside)
        lock_wait(&lock, &changed, 0);
    lock_drop(&lock);
    pthread_t thread;
    pthread_create(&thread, NULL, let_it_leave, NULL);
    timer_cancel(timers, &timer);
    lock_take(&lock);
    CHECK_NUMBER(fired, 100);
    lock_drop(&lock);
    CHECK(!list_linked(&timer.link));
    pthread_join(thread, NULL);
}

int main(void) {
    lock_init(&lock, LOCK_QUEUE);
    lock_condition_init(&changed);
    CHECK_OK(timers_start(&timers));
    timers_fire_in_the_order_of_their_times();
    a_timer_is_moved_or_taken_back();
    fire_may_arm_its_timer_again();
    cancel_waits_for_a_fire_that_is_running();
    struct timer armed = {.fire = leave};
    timer_arm(timers, &armed, clock_ms() + 1000000);
    timers_stop(timers);
    CHECK(!list_linked(&armed.link));
    timers_stop(NULL);
    return check_result();
}
