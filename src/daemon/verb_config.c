/* SPDX-License-Identifier: Apache-2.0 */
/* weightfs config: the settings of a mount, or those that `weightfs mount` with the same flags would have. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/config.h"
#include "daemon/mounts.h"
#include "daemon/options.h"
#include "daemon/say.h"
#include "daemon/subject.h"
#include "daemon/target.h"
#include "daemon/tree_file.h"
#include "daemon/verbs.h"
#include "manage/setting_value.h"
#include "outside/json.h"

#define VALUE_SIZE 4096

enum { FLAG_DUMP = FLAG_LONG_ONLY, FLAG_CONFIG };

const struct flag config_flags[] = {
    {FLAG_DUMP, "dump", NULL, "print NAME VALUE ORIGIN, a line an option; it does so without this, too"},
    FLAG_MOUNT,
    FLAG_AS_JSON,
    {FLAG_CONFIG, "config", "FILE", "not of a mount: configuration file instead of the usual one"},
    {'o', NULL, "KEY=VALUE[,…]", "not of a mount: options, as for mount"},
    {0, NULL, NULL, NULL},
};

struct request {
    struct config_words words;
    const char *config_path, *mount;
    char **names; /* which to print; NULL-ended; none: all */
    const struct options *rows;
    bool as_json;
};

/* A line: what has no value is "-"; origins come late, since they may hold spaces. `changes`: after the next
 * mount it will be `next`. */
struct line {
    const char *name;
    char value[VALUE_SIZE], origin[VALUE_SIZE], next[VALUE_SIZE];
    bool changes;
};

static bool is_wanted(const struct request *request, const char *name) {
    bool any = false;
    for (char **at = request->names; *at; at++)
        any |= strcmp(*at, name) == 0;
    return any || !*request->names;
}

static const char *shown(const char *value) {
    return value[0] ? value : "-";
}

static void add_value(const struct request *request, const struct line *line, const char *value,
    struct buf *to) {
    size_t index;
    if (options_find(request->rows, line->name, "", &index, NULL) >= 0)
        setting_value_json(options_row(request->rows, index), value, to);
    else
        (void)buf_json_string(to, value); /* a newer daemon's */
}

/* As config.json in a mount. */
static void print_json(const struct request *request,
    bool (*read)(void *context, size_t index, struct line *), void *context) {
    static struct line line; /* large */
    BUF_CLEANUP struct buf text = BUF_INIT;
    for (size_t i = 0; read(context, i, &line); i++) {
        if (!is_wanted(request, line.name))
            continue;
        (void)buf_format(&text, "%s  \"%s\": { \"value\": ", text.len ? ",\n" : "", line.name); /* no limit */
        add_value(request, &line, line.value, &text);
        (void)buf_text_add(&text, ", \"from\": ");
        (void)buf_json_string(&text, line.origin);
        if (line.changes) {
            (void)buf_text_add(&text, ", \"next\": ");
            add_value(request, &line, line.next, &text);
        }
        (void)buf_text_add(&text, " }");
    }
    printf("{\n%s\n}\n", buf_text(&text));
}

/* `read` fills line `index`; false at the end. */
static void print_lines(const struct request *request,
    bool (*read)(void *context, size_t index, struct line *), void *context) {
    static struct line line; /* large */
    if (request->as_json) {
        print_json(request, read, context);
        return;
    }
    int name_width = 0, value_width = 0;
    for (size_t i = 0; read(context, i, &line); i++) {
        int name_len = (int)strlen(line.name), value_len = (int)strlen(line.value);
        name_width = name_len > name_width ? name_len : name_width;
        value_width = value_len > value_width && value_len < 40 ? value_len : value_width;
    }
    for (size_t i = 0; read(context, i, &line); i++) {
        if (!is_wanted(request, line.name))
            continue;
        printf("%-*s %-*s %s", name_width, line.name, value_width, shown(line.value), line.origin);
        printf(line.changes ? "; after the next mount: %s\n" : "%s\n", line.changes ? shown(line.next) : "");
    }
}

/* --- what a mount would have --- */

static bool read_options(void *context, size_t index, struct line *line) {
    const struct options *options = context;
    if (!options_row(options, index))
        return false;
    line->name = options_row(options, index)->name;
    line->changes = false;
    options_show(options, index, line->value, sizeof(line->value), line->origin, sizeof(line->origin));
    return true;
}

static int print_would_be(const struct request *request, struct options *options) {
    struct reason reason = {""};
    int error = config_load(options, request->config_path, &request->words, &reason);
    if (error >= 0)
        error = target_settle_paths(options, &reason);
    if (error < 0)
        return say(WEIGHTFS_EXIT_FATAL, "%s", err_text(&reason, error));
    print_lines(request, read_options, options);
    return WEIGHTFS_EXIT_OK;
}

/* --- what a mount has: its config/config.json --- */

static void copy_value(const struct json *value, char *to, size_t size) {
    char number[SETTING_NUMBER_SIZE];
    const char *text = setting_value_text(value, number);
    (void)text_copy(to, size, text ? text : ""); /* null: unset */
}

static bool read_document(void *context, size_t index, struct line *line) {
    void *iterator = NULL;
    const struct json *member;
    for (size_t i = 0; i <= index; i++)
        if (!json_next(context, &iterator, &line->name, &member))
            return false;
    copy_value(json_get(member, "value"), line->value, sizeof(line->value));
    copy_value(json_get(member, "from"), line->origin, sizeof(line->origin));
    line->changes = json_get(member, "next") != NULL;
    copy_value(json_get(member, "next"), line->next, sizeof(line->next));
    return true;
}

static int print_of_mount(const struct request *request) {
    struct subject subject;
    struct reason reason = {""};
    BUF_CLEANUP struct buf text = BUF_INIT;
    JSON_CLEANUP struct json *document = NULL;
    int code = subject_find(request->mount, NULL, &subject);
    if (code)
        return code;
    int error = tree_file_read(subject.mount, "config/config.json", &text);
    if (error < 0) {
        subject_because(&reason, error, subject.mount, "config/config.json");
        return say(WEIGHTFS_EXIT_FATAL, "%s", reason.text);
    }
    error = json_parse(buf_text(&text), text.len, &document, &reason);
    if (error < 0)
        return say(WEIGHTFS_EXIT_FATAL, "%s/config/config.json: %s", subject.mount, err_text(&reason, error));
    print_lines(request, read_document, document);
    return WEIGHTFS_EXIT_OK;
}

/* --- which --- */

/* Flags of mounting ask what would be; else a mount that is meant is asked: one that is named, or that the
 * current folder lies in. That there is one somewhere is not enough: it may have other settings. */
static bool is_about_mount(const struct request *request) {
    struct mounts mounts MOUNTS_CLEANUP = MOUNTS_INIT;
    char folder[PATH_MAX];
    if (request->mount || request->config_path || request->words.count)
        return request->mount != NULL;
    if (environment("WEIGHTFS_MOUNT"))
        return true;
    return mounts_read(&mounts) >= 0 && getcwd(folder, sizeof(folder)) && mounts_containing(&mounts, folder);
}

static int check_names(const struct request *request, const struct options *options) {
    struct reason reason = {""};
    size_t index;
    for (char **at = request->names; *at; at++)
        if (options_find(options, *at, "config", &index, &reason) < 0)
            return say(WEIGHTFS_EXIT_USAGE, "%s", reason.text);
    return WEIGHTFS_EXIT_OK;
}

int verb_config(int argc, char **argv) {
    struct request request = {.words = {.count = 0}};
    const char *value;
    int flag;
    flags_begin();
    while ((flag = flags_next(config_flags, argc, argv, &value)) > 0) {
        switch (flag) {
        case FLAG_DUMP: break; /* there is nothing else to do */
        case FLAG_CONFIG: request.config_path = value; break;
        case 'm': request.mount = value; break;
        case FLAG_JSON: request.as_json = true; break;
        case 'o':
            if (config_add_words(&request.words, NULL, value) < 0)
                return say(WEIGHTFS_EXIT_USAGE, "more than %d -o; put options behind one, divided by commas",
                    CONFIG_WORDS_MAX);
            break;
        }
    }
    if (flag < 0)
        return WEIGHTFS_EXIT_USAGE;
    if (request.mount && (request.config_path || request.words.count))
        return say(WEIGHTFS_EXIT_USAGE,
            "-m asks a mount for its settings; -o and --config ask what a mount would have");
    request.names = argv + optind;
    struct options *options = all_options_new();
    request.rows = options;
    int code = check_names(&request, options);
    if (code == WEIGHTFS_EXIT_OK)
        code = is_about_mount(&request) ? print_of_mount(&request) : print_would_be(&request, options);
    options_free(options);
    return code;
}
