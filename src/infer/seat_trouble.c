/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went wrong with a model's engine, remembered for a while, so that nothing is started in a loop: what
 * could not be loaded is not tried again at once with the same files and settings, and an engine that crashes
 * again and again, and answers nothing between, is started after longer and longer pauses, and then not at
 * all for a minute. `load` forgets it all. Desk.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "infer/inside.h"

#define REFUSED_MS    30000 /* so long what can't be loaded is not tried again … */
#define TIRED_MS      60000 /* … and what crashes all the time */
#define RESTARTS_MOST 3     /* in a row */
#define PAUSE_MS      500   /* before the second of them; twice that before the third */

bool seat_may_start(struct seat *seat) {
    struct seat_trouble *trouble = &seat->trouble;
    lock_take(&seat->infer->lock);
    bool fresh = seat->load_fresh;
    seat->load_fresh = false;
    lock_drop(&seat->infer->lock);
    if (fresh)
        *trouble = (struct seat_trouble){.error = 0};
    return trouble->error || clock_ms() >= trouble->until_ms;
}

int seat_recall_trouble(struct seat *seat, struct reason *reason) {
    struct seat_trouble *trouble = &seat->trouble;
    uint64_t now_ms = clock_ms();
    if (!trouble->error)
        return 0;
    if (trouble->stamp != seat->memory.stamp || now_ms >= trouble->until_ms) {
        trouble->error = 0;
        trouble->until_ms = 0; /* else what is tried now, and fails before it is remembered, waits for it */
        return 0;
    }
    return err_because(reason, trouble->error,
        "%.250s (%" PRIu64 " s ago; it is tried again in %" PRIu64 " s, or at once by `echo load > ctl`)",
        trouble->reason.text, (now_ms - trouble->at_ms) / 1000, (trouble->until_ms - now_ms) / 1000 + 1);
}

static void remember(struct seat *seat, int error, const char *sentence, uint64_t for_ms) {
    struct seat_trouble *trouble = &seat->trouble;
    trouble->error = error;
    (void)err_because(&trouble->reason, error, "%s", sentence);
    trouble->stamp = seat->memory.stamp;
    trouble->at_ms = clock_ms();
    trouble->until_ms = trouble->at_ms + for_ms;
}

/* Is another model loaded that does nothing? */
static bool others_are_idle(struct seat *seat) {
    struct infer *infer = seat->infer;
    for (struct seat *other = seat_after(infer, NULL); other; other = seat_after(infer, other))
        if (other != seat && seat_is_loaded(other) && other->state == SEAT_READY && !seat_has_work(other))
            return true;
    return false;
}

bool seat_tries_again(struct seat *seat, int error, struct reason *reason) {
    bool was_alone = seat->trouble.wants_all;
    seat->trouble.wants_all = false;
    if (!seat->engine->needs_files)
        return false; /* it holds no memory here, and costs nothing to try */
    if (error == -ENOMEM && !was_alone && others_are_idle(seat)) {
        log_warning("%s: %s; once more, with nothing idle loaded beside it", seat->name, reason->text);
        seat->trouble.wants_all = true;
        return true;
    }
    if (was_alone) {
        struct reason first = *reason;
        (void)err_because(reason, error, "%.300s; so it was with all that was idle unloaded", first.text);
    }
    remember(seat, error, reason->text, REFUSED_MS);
    return false;
}

void seat_note_crash(struct seat *seat, int error, const struct reason *reason) {
    struct seat_trouble *trouble = &seat->trouble;
    lock_take(&seat->infer->lock);
    uint64_t answered = seat->figures.answered;
    lock_drop(&seat->infer->lock);
    if (answered != trouble->answered)
        trouble->crashes = 0;
    trouble->answered = answered;
    trouble->crashes++;
    if (trouble->crashes > RESTARTS_MOST) {
        struct reason all;
        (void)err_because(&all, error, "its engine ended %u times in a row, the last time so: %.200s",
            trouble->crashes, reason->text);
        remember(seat, error, all.text, TIRED_MS);
        trouble->crashes = RESTARTS_MOST; /* then once more */
    } else if (trouble->crashes > 1) {
        trouble->until_ms = clock_ms() + (PAUSE_MS << (trouble->crashes - 2));
    }
}

void seat_note_ready(struct seat *seat) {
    seat->trouble.error = 0;
    seat->trouble.wants_all = false;
    lock_take(&seat->infer->lock);
    seat->load_wanted = seat->load_forced = seat->load_gently = false;
    seat->figures.is_outdated = false;
    lock_drop(&seat->infer->lock);
    seat->memory.looked_ms = 0; /* what it had while it was loaded says little */
    seat_measure(seat);
}
