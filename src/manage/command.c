/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands: a write to ctl is parsed as a whole, then runs on the desk line by line. What a line did to the catalogue, its row in the audit and the answer that is
 * recorded for a request that the kernel may send again are one transaction.
 */

#include "manage/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MOST (64u << 10)
#define LINES_MOST 1000

static const struct command_row rows[] = {
    { .name = "pull", .arguments = "[VARIANT|FILE…]", .places = COMMAND_MODEL, .parse = parse_words, .run = run_pull,
        .help = "fetch what is wanted of the model, or this variant or file too" },
    { .name = "add", .arguments = "KEY…", .places = COMMAND_ROOT, .each = COMMAND_ROOT, .parse = parse_key, .run = run_add,
        .help = "make a model known: SOURCE:NAME[:VARIANT][@REVISION]" },
    { .name = "pull", .arguments = "KEY…", .places = COMMAND_ROOT, .each = COMMAND_ROOT, .parse = parse_key,
        .run = run_pull, .help = "make models known and fetch them" },
    { .name = "cancel", .arguments = "", .places = COMMAND_ROOT | COMMAND_MODEL | COMMAND_JOB, .parse = parse_nothing,
        .run = run_cancel, .help = "end the pull that is under way (in the root: all); what was fetched stays" },
    { .name = "retry", .arguments = "", .places = COMMAND_ROOT | COMMAND_MODEL | COMMAND_JOB, .parse = parse_nothing,
        .run = run_retry, .help = "forget failures and try again at once (in the root: all that failed)" },
    { .name = "evict", .arguments = "", .places = COMMAND_MODEL, .parse = parse_nothing, .run = run_evict,
        .help = "free the disk that the model's files take; they are fetched again when they are read" },
    { .name = "pin", .arguments = "", .places = COMMAND_MODEL, .parse = parse_nothing, .run = run_pin,
        .help = "never evict what is wanted of the model to make room" },
    { .name = "unpin", .arguments = "", .places = COMMAND_MODEL, .parse = parse_nothing, .run = run_unpin,
        .help = "let it be evicted again" },
    { .name = "update", .arguments = "", .places = COMMAND_MODEL, .parse = parse_nothing, .run = run_update,
        .help = "ask the source for the newest revision and show that one; what was pulled is pulled again" },
    { .name = "forget", .arguments = "", .places = COMMAND_MODEL, .parse = parse_nothing, .run = run_forget,
        .help = "evict the model and forget all about it" },
    { .name = "offline", .arguments = "on|off", .places = COMMAND_ROOT, .parse = parse_switch, .run = run_offline,
        .help = "on: send nothing over the network, what is here works; remembered over restarts" },
};

const struct command_row *command_row(size_t index) {
    return index < sizeof rows / sizeof *rows ? &rows[index] : NULL;
}

struct command *command_of(const struct command_request *request) {
    return (struct command *)((char *)request - offsetof(struct command, request));
}

void command_print(struct manage *manage, enum command_place place, int64_t id, struct buf *to) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char form[64];
        if (!(rows[i].places & place))
            continue;
        (void)snprintf(form, sizeof form, "%s%s%s", rows[i].name, *rows[i].arguments ? " " : "", rows[i].arguments);
        /* The ellipsis is three bytes and one column. The buffer's owner set its limit, if any. */
        int extra = strstr(form, "…") ? 2 : 0;
        (void)buf_format(to, "%-*s  %s\n", 22 + extra, form, rows[i].help);
    }
    outcome_print(manage, place, id, to);
}

/* ---- parsing ---- */

static const struct command_row *find_row(const char *name, enum command_place place, struct reason *reason) {
    const struct command_row *nearest = NULL;
    unsigned best = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!(rows[i].places & place))
            continue;
        if (strcmp(name, rows[i].name) == 0)
            return &rows[i];
        unsigned distance = text_distance(name, rows[i].name);
        if (!nearest || distance < best) {
            nearest = &rows[i];
            best = distance;
        }
    }
    (void)err_because(reason, -ERR_UNKNOWN_COMMAND, "there is no command \"%.64s\" here; the nearest is \"%s\"", name,
        nearest ? nearest->name : "");
    return NULL;
}

static char *trim(char *line) {
    line += strspn(line, " \t\r");
    for (size_t len = strlen(line); len && strchr(" \t\r", line[len - 1]); len--)
        line[len - 1] = 0;
    return line;
}

static void add_line(struct command *command, const struct command_row *row, char *arguments) {
    command->lines = mem_resize(command->lines, command->count + 1, sizeof *command->lines);
    command->lines[command->count++] = (struct command_line){ row, arguments };
}

/* Each argument becomes a line. They are keys, which have no blanks. */
static int add_each(struct command *command, const struct command_row *row, char *arguments, struct reason *reason) {
    char *rest = NULL;
    char *word = strtok_r(arguments, " \t", &rest);
    if (!word)
        return row->parse(command->manage, &command->request, arguments, reason); /* says what is missing */
    for (; word; word = strtok_r(NULL, " \t", &rest)) {
        int result = row->parse(command->manage, &command->request, word, reason);
        if (result < 0)
            return result;
        if (command->count == LINES_MOST)
            return err_because(reason, -ERR_BAD_VALUE, "more than %d commands at once", LINES_MOST);
        add_line(command, row, word);
    }
    return 0;
}

static int parse_line(struct command *command, char *line, struct reason *reason) {
    char *arguments = line + strcspn(line, " \t");
    if (*arguments)
        *arguments++ = 0;
    arguments = trim(arguments);
    const struct command_row *row = find_row(line, command->request.place, reason);
    if (!row)
        return -ERR_UNKNOWN_COMMAND;
    if (row->each & command->request.place)
        return add_each(command, row, arguments, reason);
    if (command->count == LINES_MOST)
        return err_because(reason, -ERR_BAD_VALUE, "more than %d commands at once", LINES_MOST);
    int result = row->parse(command->manage, &command->request, arguments, reason);
    if (result == 0)
        add_line(command, row, arguments);
    return result;
}

static int parse(struct command *command, struct reason *reason) {
    const struct command_request *request = &command->request;
    if (request->len > TEXT_MOST)
        return err_because(reason, -ERR_BAD_VALUE, "more than %u bytes of commands at once", TEXT_MOST);
    if (request->len && memchr(request->text, 0, request->len))
        return err_because(reason, -ERR_BAD_VALUE, "commands are lines of text; there is a NUL character in it");
    command->text = mem_new(request->len + 1);
    if (request->len)
        memcpy(command->text, request->text, request->len);
    command->request.text = NULL;
    char *rest = command->text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        char shown[128];
        line = trim(line);
        if (!*line || *line == '#')
            continue;
        (void)snprintf(shown, sizeof shown, "%s", line); /* parsing cuts it up */
        int result = parse_line(command, line, reason);
        if (result < 0) {
            outcome_set(command->manage, request, shown, result, err_text(reason, result));
            return result;
        }
    }
    return 0;
}

static void free_command(struct command *command) {
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

int command_ask(struct command *command, const struct source *source, const char *model, const char *revision) {
    command->ask = (struct discover_ask){ .finish = ask_answered };
    int result = discover_refresh(command->manage, source, model, revision, &command->ask);
    return result < 0 ? result : COMMAND_ASKED;
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
    if (request->place == COMMAND_MODEL && catalog_model(command->manage->settings.catalog, request->id, &model) == 0)
        name_format(model.source, model.name, to);
    else if (request->place == COMMAND_ROOT)
        (void)snprintf(to, NAME_KEY_SIZE, "root");
    else
        (void)snprintf(to, NAME_KEY_SIZE, "%s %lld", request->place == COMMAND_JOB ? "job" : "model", (long long)request->id);
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
    outcome_set(manage, request, line, result, sentence);
    log_notice("%s: \"%s\" of uid %u, pid %d: %s%s%s", target, line, (unsigned)request->uid, (int)request->pid,
        result ? err_name(result) : "done", *sentence ? ": " : "", sentence);
}

/* The audit's row, and what a repeat of the request is answered: a positive number says how many lines are done. */
static int record(struct command *command, const char *target, const char *line, int result) {
    struct manage *manage = command->manage;
    const struct command_request *request = &command->request;
    bool last = result < 0 || command->at + 1 == command->count;
    int recorded = catalog_audit(manage->settings.catalog, request->uid, request->gid, request->pid, target, line, result);
    if (recorded == 0 && manage->settings.session)
        recorded = catalog_set_answer(manage->settings.catalog, manage->settings.session, request->unique,
            last ? result : (int)command->at + 1);
    return recorded;
}

/* Commits the line; the result of it in the end. */
static int end_line(struct command *command, int result) {
    struct manage *manage = command->manage;
    struct catalog *catalog = manage->settings.catalog;
    const struct command_line *line = &command->lines[command->at];
    struct buf text BUF_CLEANUP = BUF_INIT;
    char target[NAME_KEY_SIZE];
    (void)buf_format(&text, "%s%s%s", line->row->name, *line->arguments ? " " : "", line->arguments); /* no limit */
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
        int result = command->request.allowed
            ? line->row->run(manage, &command->request, line->arguments, &command->sentence)
            : -ERR_NOT_ALLOWED;
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
static int recall(struct manage *manage, const struct command_request *request, int *ret_result, size_t *ret_lines) {
    int recorded;
    *ret_lines = 0;
    if (!request->resent || !manage->settings.session ||
        catalog_answer(manage->settings.catalog, manage->settings.session, request->unique, &recorded) < 0)
        return 0;
    *ret_result = recorded;
    *ret_lines = recorded > 0 ? (size_t)recorded : 0;
    return recorded <= 0;
}

int command_await(struct manage *manage, const struct command_request *request, struct wait *wait) {
    struct reason reason = { "" };
    int result = 0;
    size_t lines_done;
    if (recall(manage, request, &result, &lines_done))
        return result;
    struct command *command = mem_new(sizeof *command);
    command->manage = manage;
    command->request = *request;
    command->work.run = run;
    list_init(&command->waits);
    result = parse(command, &reason);
    if (result < 0 || lines_done >= command->count) {
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
