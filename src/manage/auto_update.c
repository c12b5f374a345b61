/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auto_update: rounds over the models, each of which asks the source about those whose time has come, a few
 * at a time. When a model is next looked at is kept in the catalogue, written before it is asked: whatever
 * happens, a restart does not ask the hub about everything at once.
 */

#include <stdlib.h>
#include <string.h>

#include "manage/remote_inside.h"
#include "manage/revision.h"
#include "manage/setting.h"

#define LOOKS_AT_ONCE  2
#define ROUND_LEAST_MS 250
#define ROUND_MOST_MS  60000
#define AGAIN_MS       (3600 * INT64_C(1000)) /* after a failure, at most */
#define MODELS_A_PAGE  32

struct auto_update {
    struct manage *manage;
    struct timer timer;
    struct work work;
    atomic_bool queued; /* `work` is: the timer may fire again before the desk comes to it */
    unsigned under_way; /* desk */
};

static void round_soon(struct auto_update *self, uint64_t delay_ms) {
    LOCK_SCOPE(&self->manage->lock);
    if (!atomic_load(&self->manage->shut))
        timer_arm(self->manage->settings.timers, &self->timer, clock_ms() + delay_ms);
}

static int64_t interval_ms(const struct manage *manage) {
    return options_number(manage->settings.options, "update_interval_s") * 1000;
}

/* A tenth more or less, so that what was added together is not asked together. */
static int64_t with_jitter(int64_t ms) {
    uint32_t span = (uint32_t)(ms / 5 < INT32_MAX ? ms / 5 : INT32_MAX);
    return ms - ms / 10 + (span ? (int64_t)random_below(span) : 0);
}

static void looked(struct manage *manage, int64_t owner, int64_t model_id, int result,
    const struct reason *reason) {
    (void)owner;
    struct auto_update *self = manage->auto_update;
    self->under_way--;
    if (result < 0 && result != -ERR_CANCELLED) {
        int64_t again_ms = interval_ms(manage) < AGAIN_MS ? interval_ms(manage) : AGAIN_MS;
        log_notice("auto_update: model %lld: %s", (long long)model_id, err_text(reason, result));
        if (catalog_set_next_check(manage->settings.catalog, model_id,
                clock_wall_ms() + with_jitter(again_ms)) < 0)
            log_warning("auto_update: when to ask again can't be written to the catalogue");
    }
    round_soon(self, 0);
}

/* Asks when it is time: false: all places are taken. */
static bool consider(struct auto_update *self, const struct catalog_model *model) {
    struct manage *manage = self->manage;
    struct catalog_following following;
    char mode[16];
    if (remote_is(model) || !model_setting_text(manage, model, "auto_update", mode, sizeof mode) ||
        strcmp(mode, "off") == 0 || catalog_following(manage->settings.catalog, model->id, &following) < 0)
        return true;
    int64_t now_ms = clock_wall_ms();
    int64_t due_ms =
        following.next_check_ms ? following.next_check_ms : model->checked_ms + interval_ms(manage);
    /* A clock that was set back must not put it off for years. */
    if (due_ms > now_ms && due_ms < now_ms + 2 * interval_ms(manage))
        return true;
    if (self->under_way == LOOKS_AT_ONCE)
        return false;
    if (job_of_model(manage, model->id, NULL, NULL) ||
        catalog_set_next_check(manage->settings.catalog, model->id,
            now_ms + with_jitter(interval_ms(manage))) < 0)
        return true; /* busy, or our disk: another time */
    bool go = strcmp(mode, "daily") == 0 && !following.stays;
    if (revision_look(manage, model, go, looked, 0) == 0)
        self->under_way++;
    return true;
}

static void consider_all(struct auto_update *self) {
    struct catalog_model *page = mem_array(MODELS_A_PAGE, sizeof *page);
    int64_t after_id = 0;
    int count;
    bool more = true;
    while (more && (count = catalog_list_models(self->manage->settings.catalog, 0, after_id, page,
                        MODELS_A_PAGE)) > 0) {
        for (int i = 0; more && i < count; i++)
            more = consider(self, &page[i]);
        after_id = page[count - 1].id;
    }
    free(page);
}

static void look_round(struct work *work) {
    struct auto_update *self = list_entry(work, struct auto_update, work);
    struct manage *manage = self->manage;
    char mode[16];
    atomic_store(&self->queued, false);
    if (atomic_load(&manage->shut))
        return;
    bool wanted =
        options_text(manage->settings.options, "auto_update", mode, sizeof mode) && strcmp(mode, "off") != 0;
    if ((wanted || catalog_any_auto_update(manage->settings.catalog) > 0) &&
        !options_bool(manage->settings.options, "offline"))
        consider_all(self);
    int64_t delay_ms = interval_ms(manage) / 4;
    round_soon(self, delay_ms < ROUND_LEAST_MS  ? ROUND_LEAST_MS
                     : delay_ms > ROUND_MOST_MS ? ROUND_MOST_MS
                                                : (uint64_t)delay_ms);
}

static void round_due(struct timer *timer) {
    struct auto_update *self = list_entry(timer, struct auto_update, timer);
    if (!atomic_exchange(&self->queued, true))
        desk_submit(self->manage, &self->work);
}

void auto_update_start(struct manage *manage) {
    struct auto_update *self = mem_new(sizeof *self);
    self->manage = manage;
    self->timer.fire = round_due;
    self->work.run = look_round;
    manage->auto_update = self;
    round_soon(self, ROUND_LEAST_MS);
}

void auto_update_shut(struct manage *manage) {
    if (manage->auto_update)
        timer_cancel(manage->settings.timers, &manage->auto_update->timer);
}

void auto_update_stop(struct manage *manage) {
    free(manage->auto_update);
    manage->auto_update = NULL;
}
