/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command `set`: "set NAME VALUE", or "set {"NAME": VALUE, …}", which is what a document in config/
 * becomes. All is judged before anything is changed, when the command is parsed and again when it runs.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manage/job.h"
#include "manage/known.h"
#include "manage/setting.h"
#include "manage/setting_inside.h"
#include "manage/setting_value.h"
#include "model/catalog_setting.h"
#include "outside/json.h"

struct change {
    const struct option_row *row;
    char *text; /* NULL: unset */
};

struct changes {
    struct options *options;     /* of the place */
    struct options *own_options; /* the same when they are ours; NULL */
    struct catalog_model model;  /* of a model's place */
    struct change *array;
    size_t count;
};

static void changes_done(struct changes *changes) {
    for (size_t i = 0; i < changes->count; i++)
        free(changes->array[i].text);
    free(changes->array);
    options_free(changes->own_options);
}
#define CHANGES_CLEANUP __attribute__((cleanup(changes_done)))

static int changes_begin(struct changes *changes, struct manage *manage,
    const struct command_request *request) {
    if (request->place == COMMAND_ROOT) {
        changes->options = manage->settings.options;
        return 0;
    }
    int result = catalog_model(manage->settings.catalog, request->id, &changes->model);
    if (result == 0)
        changes->options = changes->own_options = model_options_new(manage, &changes->model);
    return result;
}

/* ---- reading ---- */

static int may_change(const struct command_request *request, const struct option_row *row,
    struct reason *reason) {
    if (row->fixed)
        return err_because(reason, -ERR_NOT_ALLOWED,
            "%s is needed to find what is kept of settings: it can be given only when mounting", row->name);
    if (row->guarded && request->uid != 0 && request->uid != geteuid())
        return err_because(reason, -ERR_NOT_ALLOWED,
            "only root or the user that the daemon runs as may change %s: it opens what it names as that "
            "user",
            row->name);
    return 0;
}

/* "default" is for every type; `text` NULL is the same. */
static int add_change(struct changes *changes, const struct command_request *request, size_t index,
    const char *text, const char *origin, struct reason *reason) {
    const struct option_row *row = options_row(changes->options, index);
    if (text && strcmp(text, "default") == 0)
        text = NULL;
    int result = text ? option_check(row, text, origin, reason) : 0;
    if (result == 0 && text && row->type == OPTION_SECRET_FILE && *text && !strchr("/~$", *text))
        result = err_because(reason, -ERR_BAD_VALUE, "%s: %s: the path has to begin with /, ~ or $", origin,
            row->name);
    if (result == 0)
        result = may_change(request, row, reason);
    if (result < 0)
        return result;
    changes->array = mem_resize(changes->array, changes->count + 1, sizeof *changes->array);
    changes->array[changes->count++] = (struct change){row, mem_text(text)};
    return 0;
}

static int read_line(struct changes *changes, const struct command_request *request, const char *arguments,
    struct reason *reason) {
    char name[64];
    size_t len = strcspn(arguments, " \t"), index;
    if (!len)
        return err_because(reason, -ERR_BAD_VALUE, "it takes a NAME and a VALUE; config/ lists the names");
    (void)snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), arguments);
    int result = options_find(changes->options, name, SETTING_ORIGIN, &index, reason);
    if (result < 0)
        return result;
    arguments += len;
    arguments += strspn(arguments, " \t");
    return add_change(changes, request, index, arguments, SETTING_ORIGIN, reason);
}

#define DOCUMENT "config.json"

static int read_member(struct changes *changes, const struct command_request *request, const char *name,
    const struct json *value, struct reason *reason) {
    char number[SETTING_NUMBER_SIZE], now[CATALOG_VALUE_SIZE];
    size_t index;
    int result = options_find(changes->options, name, DOCUMENT, &index, reason);
    if (result < 0)
        return result;
    bool as_read = json_type_of(value) == JSON_OBJECT && json_get(value, "value");
    if (as_read)
        value = json_get(value, "value");
    if (json_type_of(value) == JSON_NULL && !as_read)
        return add_change(changes, request, index, NULL, DOCUMENT, reason);
    const char *text = json_type_of(value) == JSON_NULL ? "" : setting_value_text(value, number);
    if (!text)
        return err_because(reason, -ERR_BAD_VALUE,
            DOCUMENT ": %s: the value has to be a string, a number, true, false or null (unset)", name);
    /* As reading gives it: what is in force already stays where it comes from. */
    if (as_read) {
        options_show(changes->options, index, now, sizeof now, NULL, 0);
        if (setting_value_same(options_row(changes->options, index), text, now))
            return 0;
        if (!*text)
            return add_change(changes, request, index, NULL, DOCUMENT, reason);
    }
    return add_change(changes, request, index, text, DOCUMENT, reason);
}

static int read_document(struct changes *changes, const struct command_request *request, const char *text,
    struct reason *reason) {
    JSON_CLEANUP struct json *document = NULL;
    struct reason why = {""};
    int result = json_parse(text, strlen(text), &document, &why);
    if (result < 0)
        return err_because(reason, -ERR_BAD_VALUE, DOCUMENT ": %s", err_text(&why, result));
    if (json_type_of(document) != JSON_OBJECT)
        return err_because(reason, -ERR_BAD_VALUE,
            DOCUMENT ": this is not one object of settings: {\"NAME\": VALUE, …}");
    void *iterator = NULL;
    const char *name;
    const struct json *value;
    while (result == 0 && json_next(document, &iterator, &name, &value))
        result = read_member(changes, request, name, value, reason);
    return result;
}

static int read_changes(struct changes *changes, struct manage *manage, const struct command_request *request,
    const char *arguments, struct reason *reason) {
    int result = changes_begin(changes, manage, request);
    if (result < 0)
        return result;
    return *arguments == '{' || *arguments == '[' ? read_document(changes, request, arguments, reason)
                                                  : read_line(changes, request, arguments, reason);
}

/* ---- what follows from some of them ---- */

static void offline_applied(struct manage *manage) {
    bool offline = options_bool(manage->settings.options, "offline");
    http_loop_set_offline(manage->settings.http, offline);
    events_add(manage, "offline", NULL, offline ? ",\"offline\":true" : ",\"offline\":false");
    list_each (at, &manage->jobs)
        if (!offline)
            job_retry(list_entry(at, struct live_job, link));
}

static void budget_applied(struct manage *manage) {
    store_budget_changed(manage->settings.store);
}

static int variant_store(struct command *command, const char *text, struct reason *reason) {
    struct catalog *catalog = command->manage->settings.catalog;
    int result = text ? catalog_check_variant(catalog, command->request.id, text, reason) : 0;
    return result < 0 ? result : catalog_select(catalog, command->request.id, NULL, 0, reason);
}

static void variant_applied(struct manage *manage) {
    state_renew(manage);
    holds_renew(manage);
    tick_soon(manage, 0);
}

static const struct effect {
    const char *name;
    enum command_place place;
    int (*store)(struct command *command, const char *text,
        struct reason *reason);             /* in the transaction; NULL */
    void (*applied)(struct manage *manage); /* after it; NULL */
} effects[] = {
    {"offline", COMMAND_ROOT, NULL, offline_applied},
    {"cache_max_bytes", COMMAND_ROOT, NULL, budget_applied},
    {"required", COMMAND_ROOT, NULL, holds_renew},
    {"disable_downloads", COMMAND_ROOT, NULL, state_renew},
    {"variant", COMMAND_MODEL, variant_store, variant_applied},
    {"type", COMMAND_MODEL, NULL, labels_renew_all},
};

static const struct effect *effect_of(enum command_place place, const char *name) {
    for (size_t i = 0; i < sizeof effects / sizeof *effects; i++)
        if (effects[i].place == place && strcmp(effects[i].name, name) == 0)
            return &effects[i];
    return NULL;
}

static void tell(struct manage *manage, const struct catalog_model *model, const char *name,
    const char *text) {
    struct buf more BUF_CLEANUP = BUF_INIT;
    char key[NAME_KEY_SIZE] = "";
    (void)buf_text_add(&more, ",\"name\":"); /* no limit: none of these can fail */
    (void)buf_json_string(&more, name);
    (void)buf_text_add(&more, ",\"value\":");
    (void)buf_json_string(&more, text);
    if (model)
        name_format(model->source, model->name, key);
    events_add(manage, "setting", model ? key : NULL, buf_text(&more));
    bus_publish(&(struct news){.kind = NEWS_SETTING, .id = model ? model->id : 0, .text = name});
}

void setting_apply(struct manage *manage, const char *name, const char *text) {
    struct reason reason;
    if (options_put(manage->settings.options, OPTION_CONFIG, name, text, SETTING_ORIGIN, &reason) < 0)
        log_error("%s", reason.text); /* it was judged before: our own tables differ */
    const struct effect *effect = effect_of(COMMAND_ROOT, name);
    if (effect && effect->applied)
        effect->applied(manage);
    jobs_mark(manage, NULL); /* what they may do may depend on it */
    tick_soon(manage, 0);
    tell(manage, NULL, name, text);
}

/* ---- the command ---- */

int parse_set(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    struct changes changes CHANGES_CLEANUP = {0};
    return read_changes(&changes, manage, request, arguments, reason);
}

/* Once they are committed. */
static void applied(struct command *command) {
    struct manage *manage = command->manage;
    struct changes changes CHANGES_CLEANUP = {0};
    struct reason reason;
    const char *arguments = command->set_arguments;
    /* The same text as a moment ago on this thread: what it said then it says now. */
    if (read_changes(&changes, manage, &command->request, arguments, &reason) < 0) {
        log_error("settings that were stored can't be applied: %s", reason.text);
        return;
    }
    for (size_t i = 0; i < changes.count; i++) {
        const struct change *change = &changes.array[i];
        if (command->request.place == COMMAND_ROOT) {
            setting_apply(manage, change->row->name, change->text);
            continue;
        }
        const struct effect *effect = effect_of(COMMAND_MODEL, change->row->name);
        if (effect && effect->applied)
            effect->applied(manage);
        tell(manage, &changes.model, change->row->name, change->text);
        state_mark(manage, changes.model.id);
    }
}

static int store(struct command *command, const struct changes *changes, struct reason *reason) {
    struct catalog *catalog = command->manage->settings.catalog;
    const struct command_request *request = &command->request;
    int result = 0;
    for (size_t i = 0; result == 0 && i < changes->count; i++) {
        const struct change *change = &changes->array[i];
        result = request->place == COMMAND_ROOT
                     ? catalog_set_setting(catalog, change->row->name, change->text)
                     : catalog_set_model_setting(catalog, request->id, change->row->name, change->text);
        const struct effect *effect = effect_of(request->place, change->row->name);
        if (result == 0 && effect && effect->store)
            result = effect->store(command, change->text, reason);
    }
    return result;
}

/* Which of them wait for the next mount. */
static void say_when(const struct changes *changes, bool is_model, struct reason *reason) {
    struct buf later BUF_CLEANUP = BUF_INIT;
    for (size_t i = 0; !is_model && i < changes->count; i++)
        if (!changes->array[i].row->live)
            (void)buf_format(&later, "%s%s", later.len ? ", " : "",
                changes->array[i].row->name); /* no limit */
    if (!changes->count)
        SAY(reason, "nothing differs from what is in force");
    else if (later.len)
        SAY(reason, "%s: kept; in force after the next mount", buf_text(&later));
    else
        SAY(reason, "in force");
}

int run_set(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    struct command *command = command_of(request);
    struct changes changes CHANGES_CLEANUP = {0};
    int result = read_changes(&changes, manage, request, arguments, reason);
    if (result == 0)
        result = command_begin(command);
    if (result == 0)
        result = store(command, &changes, reason);
    command->after = applied;
    command->set_arguments = arguments;
    if (result == 0)
        say_when(&changes, request->place == COMMAND_MODEL, reason);
    return result;
}
