/* SPDX-License-Identifier: Apache-2.0 */
/* The link `default` in the root: `default KEY`, or a link that is made there (tree/link.c says it so). */

#include <stdio.h>
#include <string.h>

#include "manage/collect.h"
#include "model/catalog_by.h"

static bool is_none(const char *arguments) {
    return strcmp(arguments, "none") == 0;
}

int parse_default(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    if (!*arguments)
        return err_because(reason, -ERR_BAD_VALUE, "it takes a KEY, or `none`");
    return is_none(arguments) ? 0 : parse_key(manage, request, arguments, reason);
}

static void link_changed(struct command *command) {
    bus_publish(&(struct news){.kind = NEWS_SETTING, .text = "default"});
    (void)command;
}

static int set_link(struct command *command, int64_t model_id, struct reason *reason) {
    struct catalog *catalog = command->manage->settings.catalog;
    char key[NAME_KEY_SIZE] = "";
    int result = model_id ? catalog_model(catalog, model_id, &command->model) : 0;
    if (result == 0)
        result = command_begin(command);
    if (result == 0)
        result = catalog_set_link(catalog, "default", model_id);
    if (result < 0)
        return result;
    command->after = link_changed;
    if (model_id)
        name_format(command->model.source, command->model.name, key);
    SAY(reason, "%s%s", model_id ? "the default is " : "there is no default any more", key);
    return 0;
}

int run_default(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    struct command *command = command_of(request);
    struct name_key key;
    const struct source *source;
    if (is_none(arguments))
        return set_link(command, 0, reason);
    int result = known_key(manage, arguments, &key, reason);
    if (result == 0)
        result = known_source(&key, &source, reason);
    if (result < 0)
        return result;
    int64_t model_id = command->asked ? command->ask.model_id : target_find_known(manage, &key);
    if (command->asked && command->ask_result < 0)
        return err_because(reason, command->ask_result, "%s",
            err_text(&command->ask.reason, command->ask_result));
    return model_id ? set_link(command, model_id, reason)
                    : command_ask(command, source, key.model, key.revision);
}
