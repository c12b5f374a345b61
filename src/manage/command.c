/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands: a write to ctl is parsed as a whole, then runs on the desk line by line. What a line
 * did to the catalogue, its row in the audit and the answer that is recorded for a request that the
 * kernel may send again are one transaction.
 */

#include "manage/audit.h"
#include "manage/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command *command_of(const struct command_request *request) {
    return (struct command *)((char *)request - offsetof(struct command, request));
}

void command_set_context(struct manage *manage, void *context) {
    atomic_store(&manage->context, context);
}

void *command_context(struct manage *manage) {
    return atomic_load(&manage->context);
}

static void free_command(struct command *command) {
    jobs_drop(&command->jobs);
    items_done(&command->items);
    free(command->lines);
    free(command->text);
    free(command);
}

/* ---- running, on the desk ---- */

static void run(struct work *work);

int command_begin(struct command *command) {
    int result = catalog_begin(command->manage->settings.catalog);
    command->in_transaction = result == 0;
    return result;
}

static void ask_answered(struct discover_ask *ask, int result) {
    struct command *command = list_entry(ask, struct command, ask);
    command->asked = true;
    command->ask_result = result;
    desk_submit(command->manage, &command->work);
}

static int ask(struct command *command, const struct source *source, const char *model, const char *revision,
    bool hold) {
    command->ask = (struct discover_ask){.finish = ask_answered, .hold = hold};
    int result = discover_refresh(command->manage, source, model, revision, &command->ask);
    return result < 0 ? result : COMMAND_ASKED;
}

int command_ask(struct command *command, const struct source *source, const char *model,
    const char *revision) {
    return ask(command, source, model, revision, false);
}

int command_ask_held(struct command *command, const struct source *source, const char *model,
    const char *revision) {
    return ask(command, source, model, revision, true);
}

static void again(struct timer *timer) {
    struct command *command = list_entry(timer, struct command, timer);
    struct manage *manage = command->manage;
    lock_take(&manage->lock);
    bool mine = list_linked(&command->delay_link); /* else commands_shut() has it */
    if (mine)
        list_remove(&command->delay_link);
    lock_drop(&manage->lock);
    if (mine)
        desk_submit(manage, &command->work);
}

static void delay(struct command *command) {
    struct manage *manage = command->manage;
    command->tries++;
    command->timer.fire = again;
    LOCK_SCOPE(&manage->lock);
    list_append(&manage->delayed, &command->delay_link);
    timer_arm(manage->settings.timers, &command->timer, clock_ms() + COMMAND_AGAIN_MS);
}

void commands_shut(struct manage *manage) {
    for (;;) {
        lock_take(&manage->lock);
        struct list *link = list_shift(&manage->delayed);
        lock_drop(&manage->lock);
        if (!link)
            return;
        struct command *command = list_entry(link, struct command, delay_link);
        timer_cancel(manage->settings.timers, &command->timer);
        desk_submit(manage, &command->work); /* it sees that we are shut */
    }
}

/* "hf:acme/tiny", "root", "job 12". */
static void name_target(const struct command *command, char to[static NAME_KEY_SIZE]) {
    struct catalog_model model;
    const struct command_request *request = &command->request;
    if (request->place == COMMAND_MODEL &&
        catalog_model(command->manage->settings.catalog, request->id, &model) == 0)
        name_format(model.source, model.name, to);
    else if (request->place == COMMAND_ROOT)
        (void)snprintf(to, NAME_KEY_SIZE, "root");
    else
        (void)snprintf(to, NAME_KEY_SIZE, "%s %lld", request->place == COMMAND_JOB ? "job" : "model",
            (long long)request->id);
}

static void tell(struct command *command, const char *target, const char *line, int result) {
    struct manage *manage = command->manage;
    const struct command_request *request = &command->request;
    const char *sentence = result ? err_text(&command->sentence, result) : command->sentence.text;
    struct buf more BUF_CLEANUP = BUF_INIT;
    (void)buf_text_add(&more, ",\"command\":"); /* no limit: none of these can fail */
    (void)buf_json_string(&more, line);
    (void)buf_format(&more, ",\"uid\":%u,\"gid\":%u,\"pid\":%d,\"result\":\"%s\"", (unsigned)request->uid,
        (unsigned)request->gid, (int)request->pid, err_name(result));
    if (*sentence) {
        (void)buf_text_add(&more, ",\"reason\":");
        (void)buf_json_string(&more, sentence);
    }
    events_add(manage, "command", request->place == COMMAND_MODEL ? target : NULL, buf_text(&more));
    metric_add(&manage_metrics[MANAGE_COMMANDS], metric_error(result), 1);
    log_notice("%s: \"%s\" of uid %u, pid %d: %s%s%s", target, line, (unsigned)request->uid,
        (int)request->pid, result ? err_name(result) : "done", *sentence ? ": " : "", sentence);
}

/* The audit's row, and what a repeat of the request is answered: a positive number says how many
 * lines are done. */
static int record(struct command *command, const char *target, const char *line, int result) {
    struct manage *manage = command->manage;
    const struct command_request *request = &command->request;
    bool last = result < 0 || command->at + 1 == command->count;
    int recorded = audit_line(manage, request, target, line, result);
    if (recorded == 0 && manage->settings.session && request->unique) /* 0: nobody waits for an answer */
        recorded = catalog_set_answer(manage->settings.catalog, manage->settings.session, request->unique,
            last ? result : (int)command->at + 1);
    return recorded;
}

#define SHOWN_MOST 1000

/* The line as audit, events and log tell it: one line, and not without end. */
static void show_line(const struct command_line *line, struct buf *to) {
    (void)buf_format(to, "%s%s%.*s%s", line->row->name, *line->arguments ? " " : "", SHOWN_MOST,
        line->arguments, strlen(line->arguments) > SHOWN_MOST ? "…" : ""); /* no limit: it can't fail */
    for (size_t i = 0; i < to->len; i++)
        if (strchr("\n\r\t", to->data[i]))
            to->data[i] = ' ';
}

/* Commits the line; the result of it in the end. */
static int end_line(struct command *command, int result) {
    struct manage *manage = command->manage;
    struct catalog *catalog = manage->settings.catalog;
    const struct command_line *line = &command->lines[command->at];
    struct buf text BUF_CLEANUP = BUF_INIT;
    char target[NAME_KEY_SIZE];
    show_line(line, &text);
    name_target(command, target);
    if (command->in_transaction && result < 0) {
        catalog_rollback(catalog);
        command->in_transaction = false;
    }
    int written = command->in_transaction ? 0 : catalog_begin(catalog);
    if (written == 0) {
        written = record(command, target, buf_text(&text), result);
        if (written == 0)
            written = catalog_commit(catalog);
        else
            catalog_rollback(catalog);
    }
    if (written < 0 && result == 0) /* nothing was done, or nobody would know of it */
        result = err_because(&command->sentence, written, "it can't be written to the catalogue");
    if (result == 0 && command->after)
        command->after(command);
    if (result == 0)
        jobs_open(manage, &command->jobs);
    else
        jobs_drop(&command->jobs);
    outcome_set(manage, &command->request, buf_text(&text), result,
        result ? err_text(&command->sentence, result) : command->sentence.text);
    tell(command, target, buf_text(&text), result);
    return result;
}

static void begin_line(struct command *command) {
    items_done(&command->items);
    command->sentence.text[0] = 0;
    command->in_transaction = command->asked = command->flag = false;
    command->after = NULL;
    command->tries = 0;
}

static void finish(struct command *command, int result) {
    struct manage *manage = command->manage;
    lock_take(&manage->lock);
    struct list *link = list_shift(&command->waits);
    lock_drop(&manage->lock);
    free_command(command);
    if (link) {
        struct wait *wait = list_entry(link, struct wait, link);
        wait->finish(wait, result);
    }
    flight_end(manage);
}

static void run(struct work *work) {
    struct command *command = list_entry(work, struct command, work);
    struct manage *manage = command->manage;
    while (command->at < command->count) {
        const struct command_line *line = &command->lines[command->at];
        if (atomic_load(&manage->shut)) {
            finish(command, -ERR_CANCELLED);
            return;
        }
        int result = command->refusal
                         ? command->refusal
                         : line->row->run(manage, &command->request, line->arguments, &command->sentence);
        if (result == COMMAND_ASKED)
            return;
        if (result == COMMAND_AGAIN) {
            delay(command);
            return;
        }
        result = end_line(command, result);
        if (result < 0) {
            finish(command, result);
            return;
        }
        begin_line(command);
        command->at++;
    }
    finish(command, 0);
}

/* ---- the door ---- */

/* 1: it was answered before, in *ret_result; else 0, and so many lines are done already. */
static int recall(struct manage *manage, const struct command_request *request, int *ret_result,
    size_t *ret_lines) {
    int recorded;
    *ret_lines = 0;
    if (!request->resent || !manage->settings.session ||
        catalog_answer(manage->settings.catalog, manage->settings.session, request->unique, &recorded) < 0)
        return 0;
    *ret_result = recorded;
    *ret_lines = recorded > 0 ? (size_t)recorded : 0;
    return recorded <= 0;
}

static bool is_for_anybody(const struct command *command) {
    bool all = command->request.place == COMMAND_MODEL;
    for (size_t i = 0; i < command->count; i++)
        all = all && (command->lines[i].row->places & COMMAND_ANYBODY);
    return all;
}

/* Before anything is done: who may not, or too often. 0: he may; negative: refused on the desk, where it is
 * written down; or at once (*ret_now), when that was done a moment ago. */
static int judge(struct manage *manage, const struct command *command, bool *ret_now) {
    bool first = true;
    int result = command_rate_take(manage, command->request.uid, command->count, &first);
    *ret_now = !first;
    if (result == 0 && !command->request.allowed && !is_for_anybody(command))
        result = -ERR_NOT_ALLOWED;
    return result;
}

int command_await(struct manage *manage, const struct command_request *request, struct wait *wait) {
    struct reason reason = {""};
    int result = 0;
    size_t lines_done;
    if (recall(manage, request, &result, &lines_done))
        return result;
    struct command *command = mem_new(sizeof *command);
    command->manage = manage;
    command->request = *request;
    command->work.run = run;
    list_init(&command->waits);
    list_init(&command->jobs);
    result = command_parse(command, &reason);
    if (result < 0)
        result = command_refuse(manage, request, command->shown, result, err_text(&reason, result));
    bool now = false;
    if (result == 0 && lines_done < command->count)
        command->refusal = judge(manage, command, &now);
    if (now)
        result = command->refusal;
    if (result < 0 || lines_done >= command->count) {
        if (now)
            metric_add(&manage_metrics[MANAGE_COMMANDS], metric_error(result), 1);
        free_command(command);
        return result;
    }
    command->at = lines_done;
    lock_take(&manage->lock);
    bool shut = atomic_load(&manage->shut);
    if (!shut) {
        manage->in_flight++;
        wait->where = manage;
        atomic_store_explicit(&wait->progress, NULL, memory_order_relaxed);
        atomic_store_explicit(&wait->withdraw, wait_take_back, memory_order_release);
        list_append(&command->waits, &wait->link);
        desk_submit(manage, &command->work);
    }
    lock_drop(&manage->lock);
    if (!shut)
        return PARKED;
    free_command(command);
    return -ERR_CANCELLED;
}

/* ---- refused before it reaches the desk ---- */

/* Its outcome was set when it was refused: by now a later command's may be there. */
static void write_refusal(struct work *work) {
    struct command *command = list_entry(work, struct command, work);
    struct manage *manage = command->manage;
    char target[NAME_KEY_SIZE];
    name_target(command, target);
    if (audit_line(manage, &command->request, target, command->shown, command->refusal) < 0)
        log_warning("a command that was refused can't be written to the catalogue");
    tell(command, target, command->shown, command->refusal);
    free_command(command);
    flight_end(manage);
}

int command_refuse(struct manage *manage, const struct command_request *request, const char *command,
    int error, const char *sentence) {
    bool first = true;
    int rate = command_rate_take(manage, request->uid, 1, &first);
    error = rate < 0 ? rate : request->allowed ? error : -ERR_NOT_ALLOWED; /* whatever it was meant to be */
    if (rate < 0 && !first)
        return error;
    struct command *refused = mem_new(sizeof *refused);
    refused->manage = manage;
    refused->request = *request;
    refused->request.text = NULL;
    refused->refusal = error;
    refused->work.run = write_refusal;
    list_init(&refused->jobs);
    (void)snprintf(refused->shown, sizeof refused->shown, "%s", command); /* may be cut */
    (void)err_because(&refused->sentence, error, "%s",
        rate < 0 || !request->allowed ? err_sentence(error) : sentence);
    outcome_set(manage, request, refused->shown, error, refused->sentence.text);
    lock_take(&manage->lock);
    bool shut = atomic_load(&manage->shut);
    manage->in_flight += !shut;
    lock_drop(&manage->lock);
    if (shut)
        free_command(refused);
    else
        desk_submit(manage, &refused->work);
    return error;
}
