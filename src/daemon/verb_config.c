/* SPDX-License-Identifier: Apache-2.0 */
/* weightfs config: the settings that `weightfs mount` with the same flags would have. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/options.h"
#include "daemon/say.h"
#include "daemon/target.h"
#include "daemon/verbs.h"

#define VALUE_SIZE 4096

enum { FLAG_DUMP = FLAG_LONG_ONLY, FLAG_CONFIG };

const struct flag config_flags[] = {
    {FLAG_DUMP, "dump", NULL, "print NAME VALUE ORIGIN, a line an option; it does so without this, too"},
    {FLAG_CONFIG, "config", "FILE", "configuration file instead of the usual one"},
    {'o', NULL, "KEY=VALUE[,…]", "options, as for mount"},
    {0, NULL, NULL, NULL},
};

/* What has no value is "-"; origins are last, since they may hold spaces. */
static void dump(const struct options *options) {
    int name_width = 0, value_width = 0;
    char value[VALUE_SIZE], origin[VALUE_SIZE];
    for (size_t i = 0; options_row(options, i); i++) {
        options_show(options, i, value, sizeof(value), origin, sizeof(origin));
        int name_len = (int)strlen(options_row(options, i)->name), value_len = (int)strlen(value);
        name_width = name_len > name_width ? name_len : name_width;
        value_width = value_len > value_width && value_len < 40 ? value_len : value_width;
    }
    for (size_t i = 0; options_row(options, i); i++) {
        options_show(options, i, value, sizeof(value), origin, sizeof(origin));
        printf("%-*s %-*s %s\n", name_width, options_row(options, i)->name, value_width,
            value[0] ? value : "-", origin);
    }
}

int verb_config(int argc, char **argv) {
    struct config_words words = {.count = 0};
    struct reason reason = {""};
    const char *value, *path = NULL;
    int flag;
    flags_begin();
    while ((flag = flags_next(config_flags, argc, argv, &value)) > 0) {
        switch (flag) {
        case FLAG_DUMP: break; /* there is nothing else to do */
        case FLAG_CONFIG: path = value; break;
        case 'o':
            if (config_add_words(&words, NULL, value) < 0)
                return say(WEIGHTFS_EXIT_USAGE, "more than %d -o; put options behind one, divided by commas",
                    CONFIG_WORDS_MAX);
            break;
        }
    }
    if (flag < 0)
        return WEIGHTFS_EXIT_USAGE;
    if (optind != argc)
        return verb_usage(argv[0]);
    struct options *options = all_options_new();
    int error = config_load(options, path, &words, &reason);
    if (error >= 0)
        error = target_settle_paths(options, &reason);
    if (error >= 0)
        dump(options);
    options_free(options);
    return error < 0 ? say(WEIGHTFS_EXIT_FATAL, "%s", err_text(&reason, error)) : WEIGHTFS_EXIT_OK;
}
