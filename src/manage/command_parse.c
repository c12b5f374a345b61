/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands, and from a write's text to lines of them. */

#include "manage/internal.h"
#include "manage/remote_inside.h"
#include "manage/setting_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MOST  (64u << 10)
#define LINES_MOST 1000

#define ANYWHERE (COMMAND_ROOT | COMMAND_MODEL | COMMAND_JOB)
#define OF_FILES COMMAND_OF_FILES

/* clang-format off */
static const struct command_row rows[] = {
    { "pull", "[VARIANT|FILE…]", COMMAND_MODEL | OF_FILES,
      "fetch what is wanted of the model, or this variant or file too", parse_words, run_pull, 0 },
    { "add", "KEY…", COMMAND_ROOT,
      "make a model known: SOURCE:NAME[:VARIANT][@REVISION]", parse_key, run_add, COMMAND_ROOT },
    { "pull", "KEY…|category=NAME|recommended|all", COMMAND_ROOT,
      "make models known and fetch them, or those that catalogue.json lists",
      parse_pull, run_pull, COMMAND_ROOT },
    { "ensure", "", COMMAND_ROOT,
      "fetch all required models that are missing", parse_nothing, run_ensure, 0 },
    { "default", "KEY|none", COMMAND_ROOT,
      "what the link `default` leads to; `ln -sfn hf/ORG/NAME default` says the same", parse_default,
      run_default, 0 },
    { "reload", "", COMMAND_ROOT,
      "read the catalogue of known models and the declared engines again", parse_nothing, run_reload, 0 },
    { "refresh", "", COMMAND_ROOT,
      "ask declared endpoints and Ollama for their lists of models again", parse_nothing, run_refresh, 0 },
    { "cancel", "", ANYWHERE | COMMAND_ANYBODY,
      "end the pull that is under way (in the root: all), what was fetched stays; and what you asked the "
      "model, which anybody may", parse_nothing, run_cancel, 0 },
    { "retry", "", ANYWHERE | OF_FILES,
      "forget failures and try again at once (in the root: all open jobs)", parse_nothing, run_retry, 0 },
    { "pause", "", ANYWHERE | OF_FILES,
      "stop fetching until `resume`, also over restarts (in the root: all jobs, and those to come); who "
      "reads is served all the same", parse_nothing, run_pause, 0 },
    { "resume", "", ANYWHERE | OF_FILES,
      "go on with what was paused (in the root: all, also what was paused one by one)", parse_nothing,
      run_resume, 0 },
    { "priority", "high|normal|low", COMMAND_MODEL | COMMAND_JOB | OF_FILES,
      "which queued job is next; what runs already is not stopped for it", parse_priority, run_priority,
      0 },
    { "limit_rate", "BYTES|off", ANYWHERE | OF_FILES,
      "bytes a second that may be fetched (10M): in the root of all, else of the pulls of the model, or of "
      "this job", parse_limit_rate, run_limit_rate, 0 },
    { "evict", "", COMMAND_MODEL | OF_FILES,
      "free the disk that its files take; they are fetched again when they are read", parse_nothing,
      run_evict, 0 },
    { "pin", "", COMMAND_MODEL | OF_FILES,
      "never evict what is wanted of the model to make room", parse_nothing, run_pin, 0 },
    { "unpin", "", COMMAND_MODEL | OF_FILES,
      "let it be evicted again", parse_nothing, run_unpin, 0 },
    { "update", "", COMMAND_MODEL | OF_FILES,
      "go to the source's newest revision; what was pulled is fetched first, then it is shown", parse_nothing,
      run_update, 0 },
    { "update", "", COMMAND_ROOT,
      "go to the newest revision of every model, as a job; those that `use` or `rollback` chose stay",
      parse_nothing, run_update_all, 0 },
    { "forget", "KEY…", COMMAND_ROOT,
      "forget models, as `rmdir` does: refused while one is pinned, required, open or under way", parse_key,
      run_forget_key, COMMAND_ROOT },
    { "cleanup", "[keep=N] [unused=30d] [to=50G] [dry-run]", COMMAND_ROOT,
      "free what models take: all but the last N used, unused for so long, down to a size", parse_cleanup,
      run_cleanup, 0 },
    { "use", "ID|REVISION", COMMAND_MODEL | OF_FILES,
      "go to a kept revision, or to a branch, a tag or a commit of the source", parse_revision, run_use, 0 },
    { "rollback", "", COMMAND_MODEL | OF_FILES,
      "go to the revision that was shown before; `update` leads back", parse_nothing, run_rollback, 0 },
    { "forget", "", COMMAND_MODEL,
      "evict the model and forget all about it", parse_nothing, run_forget, 0 },
    { "validate", "[VARIANT|FILE…]", COMMAND_MODEL | OF_FILES,
      "read what is here and check digests and formats; `report` says what was found", parse_validate,
      run_validate, 0 },
    { "scrub", "", COMMAND_ROOT,
      "read all that is here again, slowly, to find what the disk has lost", parse_nothing, run_scrub, 0 },
    { "validate", "", COMMAND_ROOT,
      "check what is here of all models, as a job; `report` of each says what was found", parse_validate,
      run_validate, 0 },
    { "offline", "on|off", COMMAND_ROOT,
      "on: send nothing over the network, what is here works; remembered over restarts", parse_switch,
      run_offline, 0 },
    { "set", "NAME VALUE", COMMAND_ROOT | COMMAND_MODEL,
      "change a setting, as a write into config/NAME does; `default` unsets it", parse_set, run_set, 0 },
};
/* clang-format on */

static const struct command_row *rows_above;

void commands_extend(const struct command_row *more) {
    rows_above = more;
}

const struct command_row *command_row(size_t index) {
    const size_t count = sizeof rows / sizeof *rows;
    if (index < count)
        return &rows[index];
    for (size_t i = 0; rows_above && rows_above[i].name; i++)
        if (i == index - count)
            return &rows_above[i];
    return NULL;
}

/* Is it a model that is served elsewhere? *ret_key is filled then. */
static bool is_remote(struct manage *manage, enum command_place place, int64_t id,
    char ret_key[NAME_KEY_SIZE]) {
    struct catalog_model *model = mem_new(sizeof *model);
    bool found =
        place == COMMAND_MODEL && catalog_model(manage->settings.catalog, id, model) == 0 && remote_is(model);
    if (found)
        name_format(model->source, model->name, ret_key);
    free(model);
    return found;
}

void command_print(struct manage *manage, enum command_place place, int64_t id, struct buf *to) {
    const struct command_row *row;
    char key[NAME_KEY_SIZE];
    bool no_files = is_remote(manage, place, id, key);
    for (size_t i = 0; (row = command_row(i)); i++) {
        char form[64];
        if (!(row->places & place) || (no_files && row->places & COMMAND_OF_FILES))
            continue;
        (void)snprintf(form, sizeof form, "%s%s%s", row->name, *row->arguments ? " " : "", row->arguments);
        /* The ellipsis is three bytes and one column. The buffer's owner set its limit, if any. */
        int extra = strstr(form, "…") ? 2 : 0;
        (void)buf_format(to, "%-*s  %s\n", 22 + extra, form, row->help);
    }
    outcome_print(manage, place, id, to);
}

/* ---- parsing ---- */

static const struct command_row *find_row(const char *name, enum command_place place, struct reason *reason) {
    const struct command_row *row, *nearest = NULL;
    unsigned best = 0;
    for (size_t i = 0; (row = command_row(i)); i++) {
        if (!(row->places & place))
            continue;
        if (strcmp(name, row->name) == 0)
            return row;
        unsigned distance = text_distance(name, row->name);
        if (!nearest || distance < best) {
            nearest = row;
            best = distance;
        }
    }
    (void)err_because(reason, -ERR_UNKNOWN_COMMAND,
        "there is no command \"%.64s\" here; the nearest is \"%s\"", name, nearest ? nearest->name : "");
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
    command->lines[command->count++] = (struct command_line){row, arguments};
}

/* Each argument becomes a line. They are keys, which have no blanks. */
static int add_each(struct command *command, const struct command_row *row, char *arguments,
    struct reason *reason) {
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
    char key[NAME_KEY_SIZE];
    if (row->places & COMMAND_OF_FILES &&
        is_remote(command->manage, command->request.place, command->request.id, key))
        return err_because(reason, -EOPNOTSUPP, "%s is served elsewhere: there are no files here to %s", key,
            row->name);
    if (row->each & command->request.place)
        return add_each(command, row, arguments, reason);
    if (command->count == LINES_MOST)
        return err_because(reason, -ERR_BAD_VALUE, "more than %d commands at once", LINES_MOST);
    int result = row->parse(command->manage, &command->request, arguments, reason);
    if (result == 0)
        add_line(command, row, arguments);
    return result;
}

int command_parse(struct command *command, struct reason *reason) {
    const struct command_request *request = &command->request;
    (void)snprintf(command->shown, sizeof command->shown, "…"); /* fits */
    if (request->len > TEXT_MOST)
        return err_because(reason, -ERR_BAD_VALUE, "more than %u bytes of commands at once", TEXT_MOST);
    if (request->len && memchr(request->text, 0, request->len))
        return err_because(reason, -ERR_BAD_VALUE,
            "commands are lines of text; there is a NUL character in it");
    command->text = mem_new(request->len + 1);
    if (request->len)
        memcpy(command->text, request->text, request->len);
    command->request.text = NULL;
    char *rest = command->text;
    for (char *line; (line = request->whole ? rest : strsep(&rest, "\n"));) {
        if (request->whole)
            rest = NULL;
        line = trim(line);
        if (!*line || *line == '#')
            continue;
        (void)snprintf(command->shown, sizeof command->shown, "%s", line); /* parsing cuts it up */
        for (char *at = command->shown; (at = strpbrk(at, "\n\r\t"));)
            *at = ' ';
        int result = parse_line(command, line, reason);
        if (result < 0)
            return result;
    }
    return 0;
}
