/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which models may be loaded at once, and who goes for whom. Desk.
 *
 * Whoever wants a place stands in a line, in the order in which they came. The first one has others that do
 * nothing unloaded, the least recently used one first, one after the other, as long as that helps. Who stands
 * behind may go before when there is room for him without that, and the first one still has to wait for
 * somebody who answers. One model is loaded at a time, so that what it takes is seen before the next one.
 */

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "infer/inside.h"
#include "infer/memory.h"

#define MEASURE_MS 1000
#define NO_LIMIT   UINT64_MAX

struct budget {
    uint64_t ram, vram;
};

/* What all that are loaded take, and what of that could be given back at once. */
struct sums {
    uint64_t ram, vram, own, idle_ram, idle_vram;
    unsigned loaded, idle;
    bool is_starting, is_ending;
    struct seat *oldest, *busy; /* idle; at work: NULL when there is none */
};

bool seat_is_loaded(const struct seat *seat) {
    return (seat->state == SEAT_STARTING || seat->state == SEAT_READY || seat->state == SEAT_ENDING) &&
           seat->engine->needs_files;
}

bool seat_has_work(struct seat *seat) {
    LOCK_SCOPE(&seat->infer->lock);
    return seat->waiting_count || seat->asked_count || seat->load_wanted;
}

int64_t infer_next_loaded(struct infer *infer, int64_t after) {
    int64_t next = 0;
    LOCK_SCOPE(&infer->lock);
    list_each (link, &infer->seats) {
        const struct seat *seat = list_entry(link, struct seat, link);
        if (seat->state == SEAT_READY && seat->engine->needs_files && seat->model_id > after &&
            (!next || seat->model_id < next))
            next = seat->model_id;
    }
    return next;
}

/* ---- figures */

static uint64_t sum(uint64_t a, uint64_t b) {
    return a > NO_LIMIT - b ? NO_LIMIT : a + b;
}

static uint64_t less(uint64_t a, uint64_t b) {
    return a > b ? a - b : 0;
}

/* What was measured is better than what was estimated; while it is loaded, that is not all yet. */
static uint64_t ram_of(const struct seat *seat) {
    uint64_t measured = seat->memory.resident, need = seat->memory.need.ram;
    return measured && (seat->state != SEAT_STARTING || measured > need) ? measured : need;
}

void seat_measure(struct seat *seat) {
    struct memory_use use = {0};
    int pid =
        seat->engine && seat->engine->process && seat->instance ? seat->engine->process(seat->instance) : 0;
    uint64_t now_ms = clock_ms();
    if (!pid || (seat->memory.looked_ms && now_ms - seat->memory.looked_ms < MEASURE_MS) ||
        memory_of_process("", pid, &use) < 0)
        return;
    seat->memory.looked_ms = now_ms;
    seat->memory.own = use.own;
    if (seat->state == SEAT_READY && use.resident > seat->memory.resident)
        seat->memory.resident = use.resident;
    LOCK_SCOPE(&seat->infer->lock);
    seat->figures.memory_used = use.resident;
}

static void survey(struct infer *infer, struct sums *ret_sums) {
    struct sums sums = {.ram = 0};
    for (struct seat *other = seat_after(infer, NULL); other; other = seat_after(infer, other)) {
        if (!seat_is_loaded(other))
            continue;
        seat_measure(other);
        bool idle = other->state == SEAT_READY && !seat_has_work(other);
        sums.loaded++;
        sums.ram = sum(sums.ram, ram_of(other));
        sums.vram = sum(sums.vram, other->memory.need.vram);
        sums.own = sum(sums.own, other->memory.own);
        sums.is_starting = sums.is_starting || other->state == SEAT_STARTING;
        sums.is_ending = sums.is_ending || other->state == SEAT_ENDING;
        if (!idle) {
            sums.busy = other;
            continue;
        }
        sums.idle++;
        sums.idle_ram = sum(sums.idle_ram, ram_of(other));
        sums.idle_vram = sum(sums.idle_vram, other->memory.need.vram);
        if (!sums.oldest || other->used_ms < sums.oldest->used_ms)
            sums.oldest = other;
    }
    *ret_sums = sums;
}

/* 0 is no limit. What our engines have counts as free: they could give it back. */
static uint64_t share(const struct infer *infer, const char *name, uint64_t whole) {
    uint64_t bytes = options_share(infer->settings.options, name, whole ? whole : 1);
    return bytes ? bytes : NO_LIMIT;
}

static void find_budget(struct infer *infer, const struct sums *sums, const struct gpu_figures *gpus,
    struct budget *ret_budget) {
    uint64_t available;
    bool is_known = memory_available("", &available) == 0;
    ret_budget->ram = is_known ? share(infer, "memory_budget", sum(available, sums->own)) : NO_LIMIT;
    uint64_t vram = sum(gpus->free, sums->vram);
    ret_budget->vram = share(infer, "vram_budget", vram < gpus->total ? vram : gpus->total);
}

static bool fits(const struct seat *seat, const struct sums *sums, const struct budget *budget,
    bool without_idle) {
    uint64_t ram = without_idle ? less(sums->ram, sums->idle_ram) : sums->ram;
    uint64_t vram = without_idle ? less(sums->vram, sums->idle_vram) : sums->vram;
    unsigned loaded = without_idle ? sums->loaded - sums->idle : sums->loaded;
    if (loaded >= (unsigned)options_number(seat->infer->settings.options, "max_loaded_models"))
        return false;
    return seat->memory.is_forced ||
           (sum(ram, ram_of(seat)) <= budget->ram &&
               (!seat->memory.need.vram || sum(vram, seat->memory.need.vram) <= budget->vram));
}

uint64_t seats_room(struct infer *infer) {
    struct gpu_figures gpus = {0};
    struct sums sums;
    struct budget budget;
    if (!gpu_watch_look(infer->gpus, &gpus)) /* it is being asked: until then nobody is kept out */
        return NO_LIMIT;
    survey(infer, &sums);
    find_budget(infer, &sums, &gpus, &budget);
    if (budget.ram == NO_LIMIT)
        return NO_LIMIT;
    uint64_t room = less(budget.ram, less(sums.ram, sums.idle_ram));
    return gpus.total ? sum(room, less(budget.vram, less(sums.vram, sums.idle_vram))) : room;
}

/* ---- the line */

static struct seat *first_in_line(struct infer *infer) {
    struct seat *first = NULL;
    for (struct seat *other = seat_after(infer, NULL); other; other = seat_after(infer, other))
        if (other->state == SEAT_COLD && other->memory.since_ms && seat_has_work(other) &&
            (!first || other->memory.since_ms < first->memory.since_ms))
            first = other;
    return first;
}

enum decision { GOES, WAITS, EVICTS };

static enum decision decide(struct seat *seat, const struct sums *sums, const struct budget *budget) {
    struct seat *first = first_in_line(seat->infer);
    bool is_first = !first || first == seat;
    if (sums->is_starting)
        return WAITS;
    if (seat->trouble.wants_all && (sums->oldest || sums->is_ending))
        return sums->oldest ? EVICTS : WAITS;
    if (fits(seat, sums, budget, false))
        return is_first || (!sums->is_ending && !fits(first, sums, budget, true)) ? GOES : WAITS;
    return is_first && !sums->is_ending && sums->oldest && fits(seat, sums, budget, true) ? EVICTS : WAITS;
}

static void tell(struct seat *seat, const struct budget *budget, const struct sums *sums,
    enum decision decision) {
    const struct seat *other = decision == EVICTS ? sums->oldest : sums->busy;
    const char *does = decision == EVICTS           ? "unloading"
                       : !other                     ? ""
                       : other->state == SEAT_READY ? "answering"
                                                    : seat_state_name(other->state);
    LOCK_SCOPE(&seat->infer->lock);
    struct infer_report *figures = &seat->figures;
    figures->memory_needed = ram_of(seat);
    figures->memory_budget = budget->ram == NO_LIMIT ? 0 : budget->ram;
    figures->vram_needed = seat->memory.need.vram;
    figures->vram_budget = budget->vram == NO_LIMIT || !seat->memory.need.vram ? 0 : budget->vram;
    *figures->waits_for = '\0';
    if (decision != GOES)
        (void)snprintf(figures->waits_for, sizeof figures->waits_for, "%.120s, which is %s",
            other ? other->name : "memory", other ? does : "short");
}

static int refuse(struct seat *seat, const struct budget *budget, bool is_vram, struct reason *reason) {
    char need[HUMAN_SIZE], weights[HUMAN_SIZE], cache[HUMAN_SIZE], most[HUMAN_SIZE];
    const struct card_need *parts = &seat->memory.need;
    (void)human_bytes(need, is_vram ? parts->vram : ram_of(seat));
    (void)human_bytes(most, is_vram ? budget->vram : budget->ram);
    (void)human_bytes(weights, sum(parts->weights, parts->repacked));
    (void)human_bytes(cache, parts->cache);
    return err_because(reason, -ENOMEM,
        "it needs %s of memory%s (weights %s, context %s), %s allows %s: a smaller context_tokens or fewer "
        "slots need less, `echo load force > ctl` loads it all the same",
        need, is_vram ? " of the GPU" : "", weights, cache, is_vram ? "vram_budget" : "memory_budget", most);
}

/* Figures of now; false: the GPU is asked, and all are looked at again. */
static bool look(struct seat *seat, struct gpu_figures *ret_gpus, struct sums *ret_sums,
    struct budget *ret_budget) {
    *ret_gpus = (struct gpu_figures){0};
    lock_take(&seat->infer->lock);
    seat->memory.is_forced = seat->load_forced;
    seat->memory.is_gentle = seat->load_gently && !seat->waiting_count;
    lock_drop(&seat->infer->lock);
    if (seat_wants_gpu(seat) && !gpu_watch_look(seat->infer->gpus, ret_gpus))
        return false;
    survey(seat->infer, ret_sums);
    find_budget(seat->infer, ret_sums, ret_gpus, ret_budget);
    return true;
}

static bool is_too_much(const struct seat *seat, const struct budget *budget) {
    return !seat->memory.is_forced && (ram_of(seat) > budget->ram || seat->memory.need.vram > budget->vram);
}

/* Could it only be loaded if another one went? One that is being loaded may turn out to be smaller. */
static bool is_in_the_way(const struct seat *seat, const struct sums *sums, const struct budget *budget,
    enum decision decision) {
    return decision == EVICTS ||
           (decision == WAITS && !sums->is_starting && !sums->is_ending && !fits(seat, sums, budget, false));
}

/* What comes of it, figures and need being known. */
static int settle(struct seat *seat, const struct sums *sums, const struct budget *budget,
    struct reason *reason) {
    int error = seat_recall_trouble(seat, reason);
    if (!error && is_too_much(seat, budget))
        error = refuse(seat, budget, ram_of(seat) <= budget->ram, reason);
    enum decision decision = error ? GOES : decide(seat, sums, budget);
    tell(seat, budget, sums, decision);
    if (seat->memory.is_gentle && is_in_the_way(seat, sums, budget, decision))
        error = err_because(reason, -ENOMEM, "there is no room to preload it beside what is loaded");
    else if (decision == EVICTS)
        seat_end(sums->oldest);
    return error ? error : decision == GOES ? 0 : SEAT_WAITS;
}

int seat_make_room(struct seat *seat, struct reason *reason) {
    struct gpu_figures gpus;
    struct budget budget;
    struct sums sums;
    seat->settings.version = 0; /* the engine may be another one than last time */
    seat_read_settings(seat);
    seat->started_with = seat->settings.stamp;
    if (!seat->engine->needs_files)
        return 0;
    if (!seat->memory.since_ms)
        seat->memory.since_ms = clock_ms();
    if (!look(seat, &gpus, &sums, &budget))
        return SEAT_WAITS;
    seat_find_need(seat, &gpus, budget.vram);
    int result = settle(seat, &sums, &budget, reason);
    if (result == SEAT_WAITS)
        return result;
    seat->memory.since_ms = 0;
    seat->memory.looked_ms = 0; /* of another process */
    return result;
}

bool seat_may_find_room(struct seat *seat) {
    struct gpu_figures gpus;
    struct budget budget;
    struct sums sums;
    if (!seat->memory.since_ms || !seat->memory.stamp ||
        seat->settings.version != atomic_load(&seat->infer->settings_version))
        return true; /* it has to be found out */
    return look(seat, &gpus, &sums, &budget) &&
           (is_too_much(seat, &budget) || decide(seat, &sums, &budget) != WAITS);
}
