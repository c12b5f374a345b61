/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model's place, one step at a time on the desk:
 *
 *      cold ──asked, files are here──────────────▶ starting ──answers──▶ ready
 *        │ ▲ asked, some are not                     │                     │ unload, keep_alive,
 *        ▼ │ failed                                  │ failed              │ room for another
 *      fetching ──all here──▶ (starting)             ▼                     ▼
 *        ▲                                          cold ◀──────────── ending
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bus.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "infer/auto.h"
#include "infer/numbers.h"
#include "model/name.h"

static const char *const state_names[SEAT_STATE_COUNT] = {
    [SEAT_COLD] = "unloaded",
    [SEAT_FETCHING] = "fetching",
    [SEAT_STARTING] = "loading",
    [SEAT_READY] = "loaded",
    [SEAT_ENDING] = "unloading",
};

const char *seat_state_name(enum seat_state state) {
    return (size_t)state < SEAT_STATE_COUNT ? state_names[state] : "unknown";
}

struct seat *seat_of(struct infer *infer, int64_t model_id) {
    lock_assert(&infer->lock);
    list_each (link, &infer->seats)
        if (list_entry(link, struct seat, link)->model_id == model_id)
            return list_entry(link, struct seat, link);
    struct seat *seat = mem_new(sizeof *seat);
    seat->infer = infer;
    seat->model_id = model_id;
    (void)text_copy(seat->name, sizeof seat->name, model_id == AUTO_MODEL ? "auto" : "");
    list_init(&seat->waiting);
    list_init(&seat->asked);
    list_append(&infer->seats, &seat->link);
    return seat;
}

struct seat *seat_after(struct infer *infer, const struct seat *seat) {
    LOCK_SCOPE(&infer->lock);
    struct list *next = seat ? seat->link.next : infer->seats.next;
    return next == &infer->seats ? NULL : list_entry(next, struct seat, link);
}

static void set_state(struct seat *seat, enum seat_state state, uint64_t deadline_ms) {
    lock_take(&seat->infer->lock);
    trace(engine, "%s: %s, was %s", seat->name, seat_state_name(state), seat_state_name(seat->state));
    seat->state = state;
    seat->figures.state = state;
    seat->deadline_ms = deadline_ms;
    lock_drop(&seat->infer->lock);
    bus_publish(&(struct news){.kind = NEWS_MODEL, .id = seat->model_id});
}

/* It can't be loaded: all who wait are told, the next question tries again. */
static void fail(struct seat *seat, int error, const char *sentence) {
    lock_take(&seat->infer->lock);
    seat->figures.error = error;
    (void)err_because(&seat->figures.reason, error, "%s", sentence);
    seat->load_wanted = seat->load_forced = seat->load_gently = seat->fetched = false;
    lock_drop(&seat->infer->lock);
    numbers_note_load(error);
    log_warning("%s: %s", seat->name, sentence);
    seat_tell(seat, "model.load_failed", error, sentence);
    questions_fail(seat, error, sentence);
    set_state(seat, SEAT_COLD, 0);
}

/* ---- what comes from other threads */

static void on_ready(void *context, const struct engine_endpoint *endpoint) {
    struct seat *seat = context;
    lock_take(&seat->infer->lock);
    seat->ready_endpoint = *endpoint;
    seat->is_ready = true;
    lock_drop(&seat->infer->lock);
    infer_look(seat->infer);
}

void seat_moved(struct seat *seat) {
    LOCK_SCOPE(&seat->infer->lock);
    list_each (link, &seat->waiting)
        answer_moved(list_entry(link, struct question, link)->answer);
}

static void on_moved(void *context) {
    seat_moved(context);
}

static void on_ended(void *context, int error, const char *sentence) {
    struct seat *seat = context;
    lock_take(&seat->infer->lock);
    seat->has_ended = true;
    seat->end_error = error;
    (void)err_because(&seat->end_reason, error, "%s", sentence);
    lock_drop(&seat->infer->lock);
    infer_look(seat->infer);
}

static void on_fetched(struct wait *wait, int result) {
    struct seat *seat = list_entry(wait, struct seat, fetch);
    lock_take(&seat->infer->lock);
    seat->fetch_over = true;
    seat->fetch_result = result;
    lock_drop(&seat->infer->lock);
    infer_look(seat->infer);
}

static bool take_flag(struct seat *seat, bool *flag) {
    LOCK_SCOPE(&seat->infer->lock);
    bool was = *flag;
    *flag = false;
    return was;
}

/* ---- fetching: a pull, and then its end */

static void fetch_done(struct seat *seat, int result) {
    struct reason reason = {""};
    if (result >= 0)
        result = files_take(seat, false, &reason);
    if (result == 0) {
        files_put(seat); /* taken again when there is room: nothing is held meanwhile */
        set_state(seat, SEAT_COLD, 0);
        return;
    }
    struct catalog_model model;
    struct model_report report = {.error = 0};
    if (result == -ENODATA &&
        catalog_model(manage_catalog(seat->infer->settings.manage), seat->model_id, &model) == 0)
        (void)model_report(seat->infer->settings.manage, &model, &report);
    if (report.error)
        fail(seat, report.error, err_text(&report.reason, report.error));
    else
        fail(seat, result, *reason.text ? reason.text : err_sentence(result));
}

static void wait_for_pull(struct seat *seat) {
    seat->fetch = (struct wait){.finish = on_fetched};
    int result = model_wait_await(seat->infer->settings.manage, seat->model_id, &seat->fetch);
    if (result != PARKED)
        fetch_done(seat, result);
}

static void fetch(struct seat *seat) {
    static const char pull[] = "pull\n";
    if (!options_bool(seat->infer->settings.options, "lazy")) {
        fail(seat, -ENODATA, "the model's files are not here, and lazy=off: `echo pull > ctl` fetches them");
        return;
    }
    struct command_request request = {.place = COMMAND_MODEL,
        .id = seat->model_id,
        .text = pull,
        .len = sizeof pull - 1,
        .allowed = true,
        .pid = getpid()};
    set_state(seat, SEAT_FETCHING, 0);
    seat->fetched = true;
    seat->fetch = (struct wait){.finish = on_fetched};
    int result = command_await(seat->infer->settings.manage, &request, &seat->fetch);
    if (result == 0 || result == -ERR_BUSY) /* busy: what is under way may bring it */
        wait_for_pull(seat);
    else if (result < 0)
        fetch_done(seat, result);
}

/* ---- starting */

/* 0, or what seat_start() said. */
static int start(struct seat *seat, struct reason *reason) {
    const struct engine_events events = {.ready = on_ready,
        .moved = on_moved,
        .ended = on_ended,
        .context = seat};
    seat->is_lost = seat->is_ready = seat->has_ended = false; /* of nobody: no engine runs */
    int error = seat_start(seat, &events, reason);
    if (error) {
        seat_put_back(seat); /* nothing is held while it waits */
        return error;
    }
    lock_take(&seat->infer->lock);
    seat->figures.error = 0;
    snprintf(seat->figures.engine, sizeof seat->figures.engine, "%s",
        seat->engine->name_of ? seat->engine->name_of(seat->instance) : seat->engine->name);
    lock_drop(&seat->infer->lock);
    set_state(seat, SEAT_STARTING, clock_ms() + seat_load_ms(seat));
    seat->give_up_error = 0;
    seat->here_bytes = seat->pull_tries = 0;
    if (seat->is_coming)
        stream_begin(seat);
    return 0;
}

/* ---- ending */

void seat_end(struct seat *seat) {
    set_state(seat, SEAT_ENDING, 0);
    seat->engine->stop(seat->instance);
}

/* ---- the steps, by state */

static void step_cold(struct seat *seat) {
    struct reason reason = {""};
    lock_take(&seat->infer->lock);
    bool wanted = seat->waiting_count || seat->load_wanted;
    seat->unload_wanted = false;
    lock_drop(&seat->infer->lock);
    if (!wanted || atomic_load(&seat->infer->shut)) {
        seat->memory.since_ms = 0;
        return;
    }
    if (!seat_may_start(seat) || !seat_may_find_room(seat))
        return;
    int error = start(seat, &reason);
    if (error == -ENODATA && !seat->fetched)
        fetch(seat);
    else if (error < 0)
        fail(seat, error, err_text(&reason, error));
}

static void step_fetching(struct seat *seat) {
    if (!take_flag(seat, &seat->fetch_over))
        return;
    if (seat->fetch_result < 0 && seat->fetch_result != -ERR_BUSY)
        fetch_done(seat, seat->fetch_result);
    else
        wait_for_pull(seat); /* answers at once when the pull has ended meanwhile */
}

/* Why it ended while it started: what the bytes did, our deadline, or as it says itself. */
static int blame(struct seat *seat, int error, struct reason *reason) {
    if (seat->give_up_error || (error < 0 && seat->is_coming && stream_gives_up(seat)))
        return err_because(reason, seat->give_up_error, "%s", seat->give_up.text);
    if (error >= 0 && clock_ms() >= seat->deadline_ms)
        return err_because(reason, -ETIMEDOUT, "the engine did not answer within load_timeout_s");
    return error;
}

static void ended(struct seat *seat) {
    struct reason reason = seat->end_reason;
    int error = seat->end_error;
    if (seat->state == SEAT_STARTING)
        error = blame(seat, error, &reason);
    seat->engine->free(seat->instance);
    seat->instance = NULL;
    seat_put_back(seat);
    seat->fetched = false;
    seat->memory.own = 0;
    if (error < 0 && seat->state == SEAT_STARTING) {
        if (!seat->give_up_error && seat_tries_again(seat, error, &reason))
            set_state(seat, SEAT_COLD, 0);
        else
            fail(seat, error, reason.text);
        return;
    }
    if (error < 0 && seat->state == SEAT_READY)
        seat_note_crash(seat, error, &reason);
    seat_tell(seat, "model.unloaded", error, reason.text);
    if (error < 0) { /* what was being answered has failed by itself; who waits is asked by the next one */
        log_warning("%s: %s", seat->name, reason.text);
        LOCK_SCOPE(&seat->infer->lock);
        seat->figures.error = error;
        seat->figures.reason = reason;
    }
    set_state(seat, SEAT_COLD, 0);
}

static void note_memory(struct seat *seat) {
    LOCK_SCOPE(&seat->infer->lock);
    seat->figures.server_memory_bytes = seat->endpoint.memory_bytes;
    seat->figures.server_vram_bytes = seat->endpoint.vram_bytes;
}

/* Unloading waits for what was asked before. */
static bool is_unwanted(struct seat *seat) {
    LOCK_SCOPE(&seat->infer->lock);
    bool is_asked = seat->waiting_count || seat->asked_count;
    return atomic_load(&seat->infer->shut) || (seat->unload_wanted && (!is_asked || seat->unload_forced));
}

static void step_starting(struct seat *seat) {
    if (take_flag(seat, &seat->has_ended)) {
        ended(seat);
    } else if (take_flag(seat, &seat->is_ready)) {
        seat->endpoint = seat->ready_endpoint;
        if (!seat->endpoint.slots)
            seat->endpoint.slots = (unsigned)seat_number(seat, "slots");
        note_memory(seat);
        seat->used_ms = clock_ms();
        seat->loaded++;
        seat->fetched = false;
        numbers_note_load(0);
        set_state(seat, SEAT_READY, 0);
        seat_note_ready(seat);
        seat_tell(seat, "model.loaded", 0, "");
        questions_ask(seat);
    } else if (clock_ms() >= seat->deadline_ms || is_unwanted(seat)) {
        seat->engine->stop(seat->instance);
    } else if (seat->is_coming && stream_gives_up(seat)) {
        seat->engine->stop(seat->instance);
    } else {
        seat_measure(seat);
    }
}

/* Other settings are in force when nobody needs it any more with those that it was started with. */
static bool should_end(struct seat *seat) {
    if (is_unwanted(seat))
        return true;
    seat_read_settings(seat);
    LOCK_SCOPE(&seat->infer->lock);
    seat->figures.is_outdated = seat->settings.stamp != seat->started_with;
    seat->load_wanted = seat->load_forced = false; /* it is */
    if (seat->asked_count || seat->waiting_count)
        return false;
    if (seat->figures.is_outdated)
        return seat->load_wanted = true;
    return seat->settings.keep_s >= 0 && clock_ms() - seat->used_ms >= (uint64_t)seat->settings.keep_s * 1000;
}

static void step_ready(struct seat *seat) {
    if (take_flag(seat, &seat->has_ended))
        ended(seat);
    else if (seat->is_lost || should_end(seat))
        seat_end(seat);
    else
        questions_ask(seat);
    seat_measure(seat);
}

static void step_ending(struct seat *seat) {
    if (take_flag(seat, &seat->has_ended))
        ended(seat);
}

void seat_step(struct seat *seat) {
    static void (*const steps[SEAT_STATE_COUNT])(struct seat *) = {
        [SEAT_COLD] = step_cold,
        [SEAT_FETCHING] = step_fetching,
        [SEAT_STARTING] = step_starting,
        [SEAT_READY] = step_ready,
        [SEAT_ENDING] = step_ending,
    };
    enum seat_state before;
    if (seat->model_id == AUTO_MODEL) {
        auto_step(seat);
        return;
    }
    do {
        questions_clear(seat); /* also those of an engine that has just ended */
        before = seat->state;
        steps[before](seat);
    } while (seat->state != before);
}

bool seat_is_idle(struct seat *seat) {
    if (seat->state == SEAT_FETCHING && wait_withdraw(&seat->fetch))
        set_state(seat, SEAT_COLD, 0);
    questions_clear(seat);
    bool quiet = stream_is_idle(seat);
    LOCK_SCOPE(&seat->infer->lock);
    return seat->state == SEAT_COLD && !seat->asked_count && quiet;
}

void seat_free(struct seat *seat) {
    list_remove(&seat->link);
    free(seat);
}
