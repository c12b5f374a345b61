/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to auto/: each goes to the seat of the model that fits it best. Desk, but for auto_report(). */

#include "infer/auto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "infer/auto_inside.h"

#define NOTES_MOST 64

struct auto_note {    /* what was decided for a user's last question; under the lock */
    struct list link; /* infer->auto_notes, the oldest first */
    uid_t uid;
    struct auto_report report;
};

/* ---- what was decided */

static struct auto_note *find_note(struct infer *infer, uid_t uid) {
    list_each (link, &infer->auto_notes)
        if (list_entry(link, struct auto_note, link)->uid == uid)
            return list_entry(link, struct auto_note, link);
    return NULL;
}

static void keep_report(struct infer *infer, uid_t uid, const struct auto_report *report) {
    LOCK_SCOPE(&infer->lock);
    struct auto_note *note = find_note(infer, uid);
    if (note)
        list_remove(&note->link);
    else if (infer->auto_note_count == NOTES_MOST)
        note = list_entry(list_shift(&infer->auto_notes), struct auto_note, link);
    else {
        note = mem_new(sizeof *note);
        infer->auto_note_count++;
    }
    note->uid = uid;
    note->report = *report;
    list_append(&infer->auto_notes, &note->link);
}

void auto_report(struct infer *infer, uid_t uid, struct auto_report *ret_report) {
    LOCK_SCOPE(&infer->lock);
    const struct auto_note *note = find_note(infer, uid);
    if (note)
        *ret_report = note->report;
    else
        *ret_report = (struct auto_report){.asked = false};
}

void auto_forget(struct infer *infer) {
    struct list *link;
    while ((link = list_shift(&infer->auto_notes)))
        free(list_entry(link, struct auto_note, link));
}

/* ---- deciding */

struct decision {
    struct auto_candidate *candidates;
    struct auto_verdict *verdicts;
    size_t count;
};

static void decision_done(struct decision *decision) {
    free(decision->candidates);
    free(decision->verdicts);
}
#define DECISION_CLEANUP __attribute__((cleanup(decision_done)))

/* The best of those that are not told of yet. */
static size_t find_next(const struct decision *decision, const bool *told) {
    size_t best = decision->count;
    for (size_t i = 0; i < decision->count; i++)
        if (!told[i] &&
            (best == decision->count || auto_is_better(&decision->candidates[i], &decision->verdicts[i],
                                            &decision->candidates[best], &decision->verdicts[best])))
            best = i;
    return best;
}

static void tell(const struct decision *decision, struct auto_report *report) {
    bool told[AUTO_CANDIDATES_MOST] = {false};
    report->looked_at = decision->count;
    while (report->line_count < AUTO_LINES_MOST && report->line_count < decision->count) {
        size_t next = find_next(decision, told);
        struct auto_line *line = &report->lines[report->line_count++];
        told[next] = true;
        (void)text_copy(line->key, sizeof line->key, decision->candidates[next].key);
        line->is_out = decision->verdicts[next].standing == AUTO_OUT;
        line->points = decision->verdicts[next].points;
        snprintf(line->why, sizeof line->why, "%s", decision->verdicts[next].why);
    }
}

static int choose(struct infer *infer, const struct question *question, struct decision *decision,
    struct auto_report *report, int64_t *ret_model_id) {
    struct auto_limits_room room;
    struct auto_limits limits;
    size_t index;
    enum auto_task task =
        auto_task_of(question->asking.shape, question->text, question->len, report->because);
    int count = auto_gather(infer, &decision->candidates);
    report->asked = true;
    report->task = auto_task_name(task);
    if (count < 0)
        return count;
    decision->count = (size_t)count;
    decision->verdicts = mem_array(decision->count + 1, sizeof *decision->verdicts);
    auto_set_limits(infer, task, &room, &limits);
    limits.prompt_bytes = task == AUTO_VISION ? 0 : question->len; /* base64 is no text */
    int error = auto_choose(&limits, decision->candidates, decision->count, decision->verdicts, &index,
        &report->reason);
    tell(decision, report);
    if (error < 0)
        return error;
    (void)text_copy(report->picked, sizeof report->picked, decision->candidates[index].key);
    *ret_model_id = decision->candidates[index].model_id;
    return 0;
}

/* ---- moving */

static struct question *take_next(struct seat *seat) {
    LOCK_SCOPE(&seat->infer->lock);
    struct list *link = list_shift(&seat->waiting);
    seat->waiting_count -= link != NULL;
    return link ? list_entry(link, struct question, link) : NULL;
}

static int move(struct seat *seat, struct question *question, int64_t model_id, struct reason *reason) {
    struct infer *infer = seat->infer;
    unsigned most = (unsigned)options_number(infer->settings.options, "queue_length");
    LOCK_SCOPE(&infer->lock);
    struct seat *to = seat_of(infer, model_id);
    if (to->waiting_count >= most)
        return err_because(reason, -EAGAIN, "too many questions wait (queue_length); ask again later");
    question->asking.model_id = model_id;
    question->seat = to;
    list_append(&to->waiting, &question->link);
    to->waiting_count++;
    to->figures.asked++;
    return 0;
}

static void place(struct seat *seat, struct question *question) {
    struct infer *infer = seat->infer;
    struct auto_report *report = mem_new(sizeof *report);
    struct decision decision DECISION_CLEANUP = {.count = 0};
    uid_t uid = question->asking.uid;
    int64_t model_id = 0;
    report->error = choose(infer, question, &decision, report, &model_id);
    if (!report->error) {
        trace(engine, "auto: %s, by %s", report->picked, report->because);
        report->error = move(seat, question, model_id, &report->reason);
    }
    keep_report(infer, uid, report); /* before its answer can end */
    if (report->error) {
        lock_take(&infer->lock);
        seat->figures.failed++;
        lock_drop(&infer->lock);
        question_end(question, report->error, err_text(&report->reason, report->error));
    }
    free(report);
}

void auto_step(struct seat *seat) {
    struct question *question;
    bool any = false;
    questions_clear(seat);
    while (!atomic_load(&seat->infer->shut) && (question = take_next(seat))) {
        place(seat, question);
        any = true;
    }
    if (any)
        infer_look(seat->infer); /* the seats that they went to may have had their turn */
}
