/* SPDX-License-Identifier: Apache-2.0 */
/* Which models may be loaded at once, and who goes for whom. Desk. */

#include "infer/inside.h"

bool seat_is_loaded(const struct seat *seat) {
    if (seat->engine && !seat->engine->needs_files)
        return false;
    return seat->state == SEAT_STARTING || seat->state == SEAT_READY || seat->state == SEAT_ENDING;
}

bool seat_has_work(struct seat *seat) {
    LOCK_SCOPE(&seat->infer->lock);
    return seat->waiting_count || seat->asked_count || seat->load_wanted;
}

bool seat_make_room(struct seat *seat) {
    struct infer *infer = seat->infer;
    struct seat *oldest = NULL;
    unsigned loaded = 0, ending = 0;
    for (struct seat *other = seat_after(infer, NULL); other; other = seat_after(infer, other)) {
        loaded += seat_is_loaded(other);
        ending += other->state == SEAT_ENDING && seat_is_loaded(other);
        if (other->state == SEAT_READY && seat_is_loaded(other) && !seat_has_work(other) &&
            (!oldest || other->used_ms < oldest->used_ms))
            oldest = other;
    }
    if (loaded < (unsigned)options_number(infer->settings.options, "max_loaded_models"))
        return true;
    if (oldest && !ending)
        seat_end(oldest);
    return false; /* when it has gone, all are looked at again */
}
