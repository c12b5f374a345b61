/* SPDX-License-Identifier: Apache-2.0 */
/* Starting and stopping the manager, its desk, its ear for news, and its tick. */

#include "manage/card.h"
#include "manage/check.h"
#include "manage/checks.h"
#include "manage/collect.h"
#include "manage/job.h"
#include "manage/revision.h"
#include "manage/unsafe.h"
#include "manage/setting_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STOP_PATIENCE_MS 10000 /* what is in flight has been cancelled: this is for bugs */

const struct option_row manage_options[] = {
    {.name = "discover",
        .type = OPTION_BOOL,
        .value = "on",
        .live = true,
        .help = "off: walking into a model that is not known asks nobody; only `add` does"},
    {.name = "discover_timeout_s",
        .type = OPTION_NUMBER,
        .value = "10",
        .least = 1,
        .most = 300,
        .live = true,
        .help = "seconds that the first step into an unknown model may take"},
    {.name = "absence_s",
        .type = OPTION_NUMBER,
        .value = "300",
        .least = 0,
        .most = 86400,
        .live = true,
        .help = "seconds for which it is remembered that a source knows no such model"},
    {.name = "offline",
        .type = OPTION_BOOL,
        .value = "off",
        .environment = "HF_HUB_OFFLINE",
        .live = true,
        .help = "on: not one packet is sent; what is here works"},
    {.name = "admin_group",
        .type = OPTION_TEXT,
        .live = true,
        .guarded = true,
        .help = "members of this group may give commands, beside root and the owner of the mount"},
    {.name = "audit_history",
        .type = OPTION_NUMBER,
        .value = "1000",
        .least = 1,
        .most = 100000,
        .live = true,
        .guarded = true,
        .help = "how many commands `audit` remembers"},
    {.name = "command_rate",
        .type = OPTION_NUMBER,
        .value = "600",
        .least = 0,
        .most = 1000000,
        .live = true,
        .guarded = true,
        .help = "commands that a user other than root may give in a minute, also all at once; 0: any number"},
    {.name = "job_history",
        .type = OPTION_NUMBER,
        .value = "100",
        .least = 0,
        .most = 10000,
        .live = true,
        .help = "how many ended jobs are kept under jobs/"},
    {.name = "max_concurrent_downloads",
        .type = OPTION_NUMBER,
        .value = "4",
        .environment = "MAX_CONCURRENT_DOWNLOADS",
        .least = 1,
        .most = 64,
        .live = true,
        .help = "how many models are pulled at once; the others are queued"},
    {.name = "auto_update",
        .type = OPTION_WORD,
        .value = "off",
        .words = "off|check|daily",
        .live = true,
        .help =
            "check: models' `status` tells once a day whether there is a newer revision; daily: goes to it"},
    {.name = "update_interval_s",
        .type = OPTION_NUMBER,
        .value = "86400",
        .least = 1,
        .most = 31536000,
        .live = true,
        .help = "seconds between two looks of auto_update at one model, a tenth more or less"},
    {.name = "keep_revisions",
        .type = OPTION_NUMBER,
        .value = "2",
        .least = 1,
        .most = 1000,
        .live = true,
        .help = "how many revisions of a model are kept under revisions/, the one that is shown counted"},
    {.name = "model_download_timeout_s",
        .type = OPTION_NUMBER,
        .value = "0",
        .environment = "MODEL_DOWNLOAD_TIMEOUT",
        .least = 0,
        .most = 30 * 86400,
        .live = true,
        .help =
            "seconds after which a pull that is not complete fails, counted from its turn on and anew when "
            "it is resumed; 0: never"},
    {.name = "unsafe_formats",
        .type = OPTION_WORD,
        .value = "warn",
        .words = "warn|refuse",
        .live = true,
        .help = "files that can run code when they are loaded (pickles): warn: looked into when they are "
                "complete, and told; refuse: not opened unless nothing dangerous was found in them"},
    {.name = "kept_settings",
        .type = OPTION_BOOL,
        .value = "on",
        .fixed = true,
        .help =
            "off: this mount begins without what was written into config/, when that keeps it from starting"},
    {.name = "catalogue",
        .type = OPTION_TEXT,
        .guarded = true,
        .help =
            "the catalogue of known models; without one it is the installed share/weightfs/catalogue.json"},
    {.name = "catalogue_dir",
        .type = OPTION_TEXT,
        .value = "/etc/weightfs/catalogue.d",
        .guarded = true,
        .help = "folder of *.json files that add to the catalogue of known models and change it"},
    {.name = "required",
        .type = OPTION_TEXT,
        .live = true,
        .help = "keys of models that must be here, parted by blanks or commas: `ensure` fetches them, health "
                "tells"},
    {.name = "download_models_on_start",
        .type = OPTION_BOOL,
        .value = "off",
        .environment = "DOWNLOAD_MODELS_ON_START",
        .help = "on: `ensure` runs when the mount begins"},
    {.name = "disable_downloads",
        .type = OPTION_BOOL,
        .value = "off",
        .environment = "DISABLE_MODEL_DOWNLOADS",
        .live = true,
        .help = "on: pull and ensure are refused; what is here works (what reading fetches: see lazy)"},
    {.name = NULL},
};

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
}

static void done(struct manage *manage) {
    news_done(manage);
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
