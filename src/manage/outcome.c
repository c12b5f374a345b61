/* SPDX-License-Identifier: Apache-2.0 */
/* What the last command at a place had to say: ctl shows it, since shells show no more than an errno. */

#include "manage/internal.h"

#include <stdio.h>
#include <stdlib.h>

#define OUTCOMES_MOST 64

struct outcome {
    struct list link; /* manage->outcomes, under lock, oldest first */
    enum command_place place;
    int64_t id;
    int64_t at_ms;
    int result;
    char command[128];
    struct reason sentence;
};

static struct outcome *find_locked(struct manage *manage, enum command_place place, int64_t id) {
    list_each (at, &manage->outcomes) {
        struct outcome *outcome = list_entry(at, struct outcome, link);
        if (outcome->place == place && outcome->id == id)
            return outcome;
    }
    return NULL;
}

static struct outcome *take_locked(struct manage *manage, enum command_place place, int64_t id) {
    struct outcome *outcome = find_locked(manage, place, id);
    if (!outcome && manage->outcome_count == OUTCOMES_MOST)
        outcome = list_entry(manage->outcomes.next, struct outcome, link);
    if (outcome) {
        list_remove(&outcome->link);
        return outcome;
    }
    manage->outcome_count++;
    return mem_new(sizeof *outcome);
}

void outcome_set(struct manage *manage, const struct command_request *request, const char *command,
    int result, const char *sentence) {
    LOCK_SCOPE(&manage->lock);
    struct outcome *outcome = take_locked(manage, request->place, request->id);
    outcome->place = request->place;
    outcome->id = request->id;
    outcome->at_ms = clock_wall_ms();
    outcome->result = result;
    struct reason shown;
    (void)err_because(&shown, 0, "%.120s", command); /* printable, UTF-8 whole */
    (void)snprintf(outcome->command, sizeof outcome->command, "%.127s", shown.text);
    (void)err_because(&outcome->sentence, result, "%s", sentence);
    list_append(&manage->outcomes, &outcome->link);
}

void outcome_print(struct manage *manage, enum command_place place, int64_t id, struct buf *to) {
    char stamp[CLOCK_STAMP_SIZE];
    LOCK_SCOPE(&manage->lock);
    const struct outcome *outcome = find_locked(manage, place, id);
    if (!outcome)
        return;
    /* The buffer's owner set its limit, if any: what does not fit is left out. */
    (void)buf_format(to, "\nlast: %s (%s): %s", outcome->command, clock_stamp(stamp, outcome->at_ms),
        outcome->result ? err_name(outcome->result) : "done");
    const char *text =
        outcome->result ? err_text(&outcome->sentence, outcome->result) : outcome->sentence.text;
    (void)buf_format(to, "%s%s\n", *text ? ": " : "", text);
}

void outcomes_done(struct manage *manage) {
    for (struct list *link; (link = list_shift(&manage->outcomes));)
        free(list_entry(link, struct outcome, link));
    manage->outcome_count = 0;
}
