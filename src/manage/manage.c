/* SPDX-License-Identifier: Apache-2.0 */
/* Starting and stopping the manager, its desk, its ear for news, and its tick. */

#include "manage/card.h"
#include "manage/check.h"
#include "manage/checks.h"
#include "manage/collect.h"
#include "manage/job.h"
#include "manage/remote.h"
#include "manage/revision.h"
#include "manage/unsafe.h"
#include "manage/setting_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STOP_PATIENCE_MS 10000 /* what is in flight has been cancelled: this is for bugs */

struct catalog *manage_catalog(const struct manage *manage) {
    return manage->settings.catalog;
}

struct store *manage_store(const struct manage *manage) {
    return manage->settings.store;
}

const struct options *manage_options_of(const struct manage *manage) {
    return manage->settings.options;
}

void desk_submit(struct manage *manage, struct work *work) {
    pool_submit(manage->desk, work);
}

bool manage_write(struct manage *manage, struct work *work) {
    if (atomic_load(&manage->shut))
        return false;
    desk_submit(manage, work);
    return true;
}

void flight_begin(struct manage *manage) {
    LOCK_SCOPE(&manage->lock);
    manage->in_flight++;
}

void flight_end(struct manage *manage) {
    LOCK_SCOPE(&manage->lock);
    if (!--manage->in_flight)
        pthread_cond_broadcast(&manage->calm);
}

bool wait_take_back(struct wait *wait) {
    struct manage *manage = wait->where;
    LOCK_SCOPE(&manage->lock);
    if (!list_linked(&wait->link))
        return false;
    list_remove(&wait->link);
    return true;
}

/* ---- the tick ---- */

/* An earlier tick that is due already stays: else a stream of news would put it off for ever. */
void tick_soon(struct manage *manage, uint64_t delay_ms) {
    uint64_t at_ms = clock_ms() + delay_ms;
    LOCK_SCOPE(&manage->lock);
    if (manage->tick_at_ms && manage->tick_at_ms <= at_ms)
        return;
    manage->tick_at_ms = at_ms;
    if (!atomic_load(&manage->shut))
        timer_arm(manage->settings.timers, &manage->tick_timer, at_ms);
}

static void tick_due(struct timer *timer) {
    struct manage *manage = list_entry(timer, struct manage, tick_timer);
    lock_take(&manage->lock);
    manage->tick_at_ms = 0;
    lock_drop(&manage->lock);
    if (!atomic_load(&manage->shut) && !atomic_exchange(&manage->tick_queued, true))
        desk_submit(manage, &manage->tick_work);
}

static void tick(struct work *work) {
    struct manage *manage = list_entry(work, struct manage, tick_work);
    atomic_store(&manage->tick_queued, false);
    if (atomic_load(&manage->shut))
        return;
    jobs_mark(manage, NULL);
    jobs_step(manage);
    if (state_look(manage) || !list_empty(&manage->jobs))
        tick_soon(manage, TICK_MS);
}

/* ---- life ---- */

struct start_work {
    struct work work;
    struct manage *manage;
};

/* Jobs and pins are looked up on the desk: the mount need not wait for it. */
static void begin_desk(struct work *work) {
    struct start_work *start = list_entry(work, struct start_work, work);
    struct manage *manage = start->manage;
    if (!atomic_load(&manage->shut)) {
        if (jobs_take_up(manage) < 0)
            log_error("the jobs that were open can't be read from the catalogue");
        holds_renew(manage);
        labels_at_start(manage);
        ensure_at_start(manage);
        auto_update_start(manage);
        remote_renew(manage);
    }
    flight_end(manage);
    free(start);
}

static void init(struct manage *manage, const struct manage_settings *settings) {
    manage->settings = *settings;
    manage->held_by = -1;
    lock_init(&manage->lock, LOCK_MANAGE);
    lock_condition_init(&manage->calm);
    struct list *const heads[] = {&manage->jobs, &manage->looks, &manage->discoveries, &manage->failures,
        &manage->outcomes, &manage->delayed, &manage->reports, &manage->card_reads};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        list_init(heads[i]);
    news_init(manage);
    manage->tick_work.run = tick;
    manage->tick_timer.fire = tick_due;
    events_init(&manage->events);
    remote_init(manage);
}

static void done(struct manage *manage) {
    news_done(manage);
    remote_done(manage);
    events_done(&manage->events);
    pthread_cond_destroy(&manage->calm);
    lock_done(&manage->lock);
    free(manage);
}

int manage_start(const struct manage_settings *settings, struct manage **ret_manage, struct reason *reason) {
    struct manage *manage = mem_new(sizeof *manage);
    init(manage, settings);
    struct reason why = {""};
    int result = settings_take_up(manage);
    /* What was not there for us may be there now: the token may be another. A full disk is no reason not to
     * mount. */
    if (catalog_clear_absences(settings->catalog) < 0)
        log_warning("what was not there is still remembered: the catalogue can't be written");
    if (result == 0)
        result = pool_start("desk", 1, &manage->desk);
    if (result == 0)
        known_load(manage);
    if (result < 0) {
        done(manage);
        return err_because(reason, result, "the manager can't start: %s", err_text(&why, result));
    }
    unsafe_watch(manage);
    scrub_start(manage);
    bus_listen(news_hear, manage);
    struct start_work *start = mem_new(sizeof *start);
    *start = (struct start_work){.work.run = begin_desk, .manage = manage};
    flight_begin(manage);
    desk_submit(manage, &start->work);
    *ret_manage = manage;
    return 0;
}

struct barrier {
    struct work work;
    struct manage *manage;
    bool reached;
};

static void reach_barrier(struct work *work) {
    struct barrier *barrier = list_entry(work, struct barrier, work);
    struct manage *manage = barrier->manage;
    LOCK_SCOPE(&manage->lock);
    barrier->reached = true;
    pthread_cond_broadcast(&manage->calm);
}

/* Everything that was submitted to the desk before has run when it returns. */
static void pass_desk(struct manage *manage) {
    struct barrier *barrier = mem_new(sizeof *barrier);
    *barrier = (struct barrier){.work.run = reach_barrier, .manage = manage};
    desk_submit(manage, &barrier->work);
    uint64_t until_ms = clock_ms() + STOP_PATIENCE_MS;
    lock_take(&manage->lock);
    while (!barrier->reached && lock_wait(&manage->lock, &manage->calm, until_ms))
        continue;
    bool reached = barrier->reached;
    lock_drop(&manage->lock);
    if (reached)
        free(barrier);
    else
        log_error("stopping: the desk is stuck");
}

void manage_shut(struct manage *manage) {
    if (!manage)
        return;
    lock_take(&manage->lock); /* whoever starts a request looks at it under the lock */
    bool again = atomic_exchange(&manage->shut, true);
    lock_drop(&manage->lock);
    if (again)
        return;
    discover_shut(manage);
    cards_shut(manage);
    commands_shut(manage);
    pass_desk(manage);
    checks_stop(manage); /* it uses the store and its pool, which end next */
    auto_update_shut(manage);
    remote_shut(manage);
    /* Nobody arms them any more. */
    scrub_stop(manage);
    timer_cancel(manage->settings.timers, &manage->tick_timer);
    timer_cancel(manage->settings.timers, &manage->news_timer);
}

static void free_list(struct list *head, size_t link_offset) {
    for (struct list *link; (link = list_shift(head));)
        free((char *)link - link_offset);
}

void manage_stop(struct manage *manage) {
    if (!manage)
        return;
    manage_shut(manage);
    lock_take(&manage->lock);
    uint64_t until_ms = clock_ms() + STOP_PATIENCE_MS;
    while (manage->in_flight && lock_wait(&manage->lock, &manage->calm, until_ms))
        continue;
    if (manage->in_flight)
        log_error("stopping: %u discoveries or commands did not end", manage->in_flight);
    lock_drop(&manage->lock);
    pool_stop(manage->desk);
    /* news may have come while we were shutting */
    timer_cancel(manage->settings.timers, &manage->news_timer);
    jobs_leave(manage);
    checks_free(manage);
    state_done(manage);
    failures_forget(manage);
    auto_update_stop(manage);
    outcomes_done(manage);
    free_list(&manage->reports, offsetof(struct cached_report, link));
    known_done(manage);
    done(manage);
}
