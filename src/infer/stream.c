/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading while the weights arrive (load=stream): the engine reads the mount's own files, whose reads wait
 * for the bytes, and a pull runs beside it. Desk.
 *
 * A mapping that gets an error asks for its page again at once and for ever: so these reads are not told what
 * went wrong (store.h, `patient`), and it is we who look, and end the engine when the bytes will not come.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "infer/inside.h"

#define PULLS_MOST 3

static bool is_mounted(const struct infer *infer) {
    return *infer->mountpoint && infer->settings.is_mounted &&
           infer->settings.is_mounted(infer->settings.context);
}

bool stream_is_on(struct seat *seat) {
    char load[16];
    (void)seat_text(seat, "load", load, sizeof load);
    return strcmp(load, "stream") == 0 && is_mounted(seat->infer) &&
           options_bool(seat->infer->settings.options, "lazy");
}

/* Somebody unmounted it lazily: it would live on for this engine alone, unseen. */
void stream_mind_the_mount(struct seat *seat) {
    bool uses_it = false;
    for (size_t i = 0; i < seat->file_count; i++)
        uses_it = uses_it || seat->files[i].is_coming;
    if (!uses_it || is_mounted(seat->infer))
        return;
    LOCK_SCOPE(&seat->infer->lock);
    seat->unload_wanted = seat->unload_forced = true;
}

/* ---- the pull beside it */

static void on_pulled(struct wait *wait, int result) {
    struct seat *seat = list_entry(wait, struct seat, pull);
    lock_take(&seat->infer->lock);
    seat->pull_over = true;
    seat->pull_result = result;
    lock_drop(&seat->infer->lock);
    infer_look(seat->infer);
}

static void pull_done(struct seat *seat, int result) {
    LOCK_SCOPE(&seat->infer->lock);
    seat->pull_over = true;
    seat->pull_result = result;
}

static void await_jobs(struct seat *seat) {
    seat->pull = (struct wait){.finish = on_pulled};
    seat->pull_state = PULL_RUNS;
    int result = model_wait_await(seat->infer->settings.manage, seat->model_id, &seat->pull);
    if (result != PARKED)
        pull_done(seat, result);
}

void stream_begin(struct seat *seat) {
    static const char pull[] = "pull\n";
    const struct command_request request = {.place = COMMAND_MODEL,
        .id = seat->model_id,
        .text = pull,
        .len = sizeof pull - 1,
        .allowed = true,
        .pid = getpid()};
    if (seat->pull_state != PULL_NONE) /* of the last time: it still runs */
        return;
    seat->pull = (struct wait){.finish = on_pulled};
    seat->pull_state = PULL_ASKED;
    int result = command_await(seat->infer->settings.manage, &request, &seat->pull);
    if (result != PARKED)
        pull_done(seat, result);
}

/* What became of it: 0, or the error that ended it. */
static int follow_pull(struct seat *seat) {
    lock_take(&seat->infer->lock);
    bool over = seat->pull_over;
    int result = seat->pull_result;
    seat->pull_over = false;
    lock_drop(&seat->infer->lock);
    if (!over)
        return 0;
    bool was_asked = seat->pull_state == PULL_ASKED;
    seat->pull_state = PULL_NONE;
    if (!was_asked)
        return result;
    if (result < 0 && result != -ERR_BUSY)
        return result;
    await_jobs(seat); /* whoever is at it */
    return 0;
}

bool stream_is_idle(struct seat *seat) {
    if (seat->pull_state != PULL_NONE && wait_withdraw(&seat->pull))
        seat->pull_state = PULL_NONE;
    LOCK_SCOPE(&seat->infer->lock);
    if (seat->pull_over)
        seat->pull_state = PULL_NONE;
    return seat->pull_state == PULL_NONE;
}

/* ---- the bytes */

/* Is it still the file that the engine has open? */
static int judge(const struct seat_file *file, const struct blob_info *info, struct reason *reason) {
    bool same = info->generation == file->generation ||
                (info->generation == file->generation + 1 && info->state == BLOB_COMPLETE);
    if (info->state == BLOB_CORRUPT)
        return err_because(reason, -ERR_CORRUPT,
            "%s came with a wrong digest, twice; `echo retry > ctl` fetches it again", file->name);
    if (!same)
        return err_because(reason, -ERR_MISMATCH,
            "%s came with a wrong digest: what the engine had of it is given up; it is fetched again",
            file->name);
    return 0;
}

static int look_at_files(struct seat *seat, uint64_t *ret_here, bool *ret_all, struct reason *reason) {
    uint64_t here = 0;
    bool all = true;
    for (size_t i = 0; i < seat->file_count; i++) {
        struct seat_file *file = &seat->files[i];
        struct blob_info info;
        if (!file->is_coming)
            continue;
        blob_look(file->blob, &info);
        int error = judge(file, &info, reason);
        if (error < 0)
            return error;
        here += info.bytes_here;
        all = all && info.state == BLOB_COMPLETE;
    }
    *ret_here = here;
    *ret_all = all;
    return 0;
}

/* Does anybody wait for it? Else whoever ended the pull has cancelled what he asked, too. */
static bool seat_is_wanted(struct seat *seat) {
    LOCK_SCOPE(&seat->infer->lock);
    return seat->waiting_count || seat->load_wanted;
}

/* Nothing is under way any more, and not all is here: the model's report says why. When it knows nothing,
 * jobs ended that had begun before ours, as a retry does: once more, a few times. */
static int pull_again(struct seat *seat, struct reason *reason) {
    struct manage *manage = seat->infer->settings.manage;
    struct catalog_model model;
    struct model_report report = {.error = 0};
    if (catalog_model(manage_catalog(manage), seat->model_id, &model) == 0)
        (void)model_report(manage, &model, &report);
    bool is_wanted = seat_is_wanted(seat);
    if (is_wanted && !report.error && !*report.reason.text && seat->pull_tries++ < PULLS_MOST) {
        stream_begin(seat);
        return 0;
    }
    int error = report.error ? report.error : is_wanted ? -ENODATA : -ERR_CANCELLED;
    return err_because(reason, error, "%s", err_text(&report.reason, error));
}

/* 0 (*ret_moved: bytes came), or why the rest will not come. is_coming ends when all is here. */
static int look(struct seat *seat, bool *ret_moved, struct reason *reason) {
    uint64_t here;
    bool all;
    int pulled = follow_pull(seat); /* before the look: what it brought last is seen */
    int error = look_at_files(seat, &here, &all, reason);
    *ret_moved = error == 0 && (here != seat->here_bytes || all);
    if (error < 0)
        return error;
    seat->here_bytes = here;
    if (all)
        seat->is_coming = false; /* from here on it is a load like any other */
    else if (pulled < 0)
        return err_because(reason, pulled, "%s", err_sentence(pulled));
    else if (seat->pull_state == PULL_NONE)
        return pull_again(seat, reason);
    return 0;
}

bool stream_gives_up(struct seat *seat) {
    struct reason reason = {""};
    bool moved;
    int error = look(seat, &moved, &reason);
    if (error < 0) {
        seat->give_up_error = error;
        seat->give_up = reason;
        seat->is_coming = false;
    } else if (moved) {
        seat->deadline_ms = clock_ms() + seat_load_ms(seat);
        seat_moved(seat);
    }
    return error < 0;
}
