/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of the root's ctl that no other place has. */

#include "manage/collect.h"
#include "manage/remote_inside.h"
#include "manage/setting_inside.h"

#include <string.h>

/* ---- add, and pull of a key ---- */

static int read_key(struct manage *manage, const char *text, struct name_key *ret_key,
    const struct source **ret_source, struct reason *reason) {
    struct name_key key;
    int result = known_key(manage, text, &key, reason);
    if (result == 0)
        result = known_source(&key, ret_source, reason);
    if (result == 0)
        *ret_key = key;
    return result;
}

int parse_key(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)request;
    struct name_key key;
    const struct source *source;
    if (!*arguments)
        return err_because(reason, -ERR_BAD_VALUE, "it takes a KEY: SOURCE:NAME[:VARIANT][@REVISION]");
    return read_key(manage, arguments, &key, &source, reason);
}

int parse_pull(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    struct name_key key;
    const struct source *source;
    if (collect_is_set(arguments))
        return collect_parse(manage, arguments, reason);
    int result = parse_key(manage, request, arguments, reason);
    if (result == 0)
        result = known_key(manage, arguments, &key, reason);
    return result < 0 ? result : known_source_of_files(&key, &source, reason);
}

static void selection_changed(struct command *command) {
    state_renew(command->manage);
    state_mark(command->manage, command->model.id);
    holds_renew(command->manage);
}

static int added(struct command *command, int64_t model_id, const struct name_key *key,
    struct reason *reason) {
    struct catalog *catalog = command->manage->settings.catalog;
    const char *word = key->variant;
    char name[NAME_KEY_SIZE];
    int result = catalog_model(catalog, model_id, &command->model);
    if (result < 0)
        return result;
    const struct words words = {.array = {word}, .count = *word != 0};
    if (strcmp(command->lines[command->at].row->name, "pull") == 0)
        return pull_model(command, model_id, &words, reason);
    if (*word) {
        result = command_begin(command);
        if (result == 0)
            result = catalog_select(catalog, model_id, &word, 1, reason);
        command->after = selection_changed;
    }
    name_format(command->model.source, command->model.name, name);
    if (result == 0 && remote_is(&command->model))
        SAY(reason, "%s is known, and served elsewhere", name);
    else if (result == 0)
        SAY(reason, "%s is known, at %.12s", name,
            *command->model.commit ? command->model.commit : "a revision that we may not see");
    return result;
}

int run_add(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    struct command *command = command_of(request);
    struct name_key key;
    const struct source *source;
    int result = read_key(manage, arguments, &key, &source, reason);
    if (result < 0)
        return result;
    int64_t model_id = command->asked ? 0 : target_find_known(manage, &key);
    if (model_id)
        return added(command, model_id, &key, reason);
    if (!command->asked)
        return command_ask(command, source, key.model, key.revision);
    if (command->ask_result < 0)
        return err_because(reason, command->ask_result, "%s",
            err_text(&command->ask.reason, command->ask_result));
    return added(command, command->ask.model_id, &key, reason);
}

/* ---- reload ---- */

int run_reload(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)request, (void)arguments;
    known_load(manage);
    holds_renew(manage);
    labels_renew_all(manage);
    remote_renew(manage);
    struct registry *registry REGISTRY_CLEANUP = manage_registry(manage);
    const char *fault = registry_fault(registry, 0);
    struct declared *declared DECLARED_CLEANUP = manage_declared(manage);
    fault = fault ? fault : declared_fault(declared, 0);
    if (fault)
        return err_because(reason, -ERR_CONFIG, "left out: %s", fault);
    SAY(reason, "the catalogue has %zu models", registry_count(registry));
    return 0;
}

/* ---- refresh ---- */

int run_refresh(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)request, (void)arguments;
    if (options_bool(manage->settings.options, "offline"))
        return err_because(reason, -ERR_OFFLINE, "offline=on: nobody is asked");
    SAY(reason, "servers that are asked for their models: %zu; `health` tells of those that do not answer",
        remote_refresh(manage));
    return 0;
}

/* ---- offline ---- */

int parse_switch(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)manage, (void)request;
    if (strcmp(arguments, "on") != 0 && strcmp(arguments, "off") != 0)
        return err_because(reason, -ERR_BAD_VALUE, "it takes `on` or `off`");
    return 0;
}

/* The command and config/offline are one thing: `off` takes the value in config/ away where what lies beneath
 * says off as well, so that it does not undo a configuration that says on another time. NULL: away. */
static const char *offline_text(struct command *command) {
    const struct options *options = command->manage->settings.options;
    char beneath[8] = "";
    size_t index = 0;
    if (command->flag)
        return "on";
    if (options_find(options, "offline", "", &index, NULL) == 0)
        options_show_beneath(options, index, beneath, sizeof beneath);
    return strcmp(beneath, "off") == 0 ? NULL : "off";
}

/* Once it is remembered. */
static void switched(struct command *command) {
    setting_apply(command->manage, "offline", offline_text(command));
}

int run_offline(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)reason;
    struct command *command = command_of(request);
    command->flag = strcmp(arguments, "on") == 0;
    int result = command_begin(command);
    if (result == 0)
        result = catalog_set_setting(manage->settings.catalog, "offline", offline_text(command));
    command->after = switched;
    return result;
}
