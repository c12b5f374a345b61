/* SPDX-License-Identifier: Apache-2.0 */
/* weightfs configure: shows and changes the settings of a mount or of a model. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "daemon/command_words.h"
#include "daemon/say.h"
#include "daemon/subject.h"
#include "daemon/table.h"
#include "daemon/tree_file.h"
#include "daemon/verbs.h"
#include "model/name.h"
#include "outside/json.h"

const struct flag configure_flags[] = {FLAG_MOUNT, FLAG_AS_JSON, {0, NULL, NULL, NULL}};

struct place {
    char mount[PATH_MAX], dir[PATH_MAX];
};

static int find_place(const char *named, const char *word, struct place *place) {
    struct subject subject;
    struct reason reason = {""};
    char key[NAME_KEY_SIZE], variant[NAME_VARIANT_SIZE];
    int code = subject_find(named, word, &subject);
    if (code)
        return code;
    text_copy(place->mount, sizeof(place->mount), subject.mount);
    text_copy(place->dir, sizeof(place->dir), subject.mount);
    if (!subject.key[0])
        return 0;
    int error = tree_file_find_model(subject.mount, subject.key, place->dir, key, variant, &reason);
    return error < 0 ? say(WEIGHTFS_EXIT_FAILURE, "%s", err_text(&reason, error)) : 0;
}

/* ---- showing ---- */

static int cant_read(const struct place *place, const char *name, int error) {
    struct reason reason = {""};
    if (error == -ENOENT)
        return say(WEIGHTFS_EXIT_FAILURE,
            "there is no setting %s/%s; `weightfs configure` lists those that there are", place->dir, name);
    subject_because(&reason, error, place->mount, place->dir);
    return say(WEIGHTFS_EXIT_FATAL, "%s", reason.text);
}

static const char *value_text(const struct json *value, char *number, size_t size) {
    int64_t whole;
    double decimal;
    switch (json_type_of(value)) {
    case JSON_STRING: return json_text(value, NULL);
    case JSON_BOOL: return json_bool(value, false) ? "on" : "off";
    case JSON_NUMBER:
        if (json_number(value, &whole))
            snprintf(number, size, "%lld", (long long)whole);
        else if (json_decimal(value, &decimal))
            snprintf(number, size, "%g", decimal);
        else
            return NULL;
        return number;
    default: return NULL;
    }
}

/* A member is its value, or an object with "value" and "from". */
static int list(const struct place *place, bool as_json) {
    static const char *const heads[] = {"NAME", "VALUE", "ORIGIN", NULL};
    BUF_CLEANUP struct buf text = BUF_INIT;
    JSON_CLEANUP struct json *document = NULL;
    struct table table;
    int error = tree_file_read(place->dir, "config/config.json", &text);
    if (error >= 0)
        error = json_parse(buf_text(&text), text.len, &document, NULL);
    if (error < 0)
        return cant_read(place, "config/config.json", error);
    if (as_json) {
        fputs(buf_text(&text), stdout);
        return WEIGHTFS_EXIT_OK;
    }
    table_init(&table, heads);
    void *iterator = NULL;
    const char *name;
    const struct json *member;
    while (json_next(document, &iterator, &name, &member)) {
        char number[64];
        bool is_object = json_type_of(member) == JSON_OBJECT;
        table_add(&table, name);
        table_add(&table, value_text(is_object ? json_get(member, "value") : member, number, sizeof(number)));
        table_add(&table, is_object ? json_text(json_get(member, "from"), NULL) : NULL);
    }
    table_print(&table, stdout);
    table_done(&table);
    return WEIGHTFS_EXIT_OK;
}

static int show(const struct place *place, const char *name) {
    BUF_CLEANUP struct buf file = BUF_INIT;
    if (strchr(name, '/') || *name == '.')
        return say(WEIGHTFS_EXIT_FAILURE, "'%s' is no name of a setting", name);
    (void)buf_format(&file, "config/%s", name);
    int error = tree_file_print(place->dir, buf_text(&file));
    return error < 0 ? cant_read(place, buf_text(&file), error) : WEIGHTFS_EXIT_OK;
}

/* ---- changing ---- */

/* All lines are one write: when one is wrong none is done. */
static int change(const struct place *place, char *const *words) {
    BUF_CLEANUP struct buf lines = BUF_INIT;
    struct reason reason = {""};
    for (; *words; words++) {
        const char *equals = strchr(*words, '=');
        if (!equals || equals == *words)
            return say(WEIGHTFS_EXIT_USAGE, "'%s' is not NAME=VALUE", *words);
        if (strchr(*words, '\n'))
            return say(WEIGHTFS_EXIT_FAILURE, "'%.60s' has a line break in it", *words);
        (void)buf_format(&lines, "%sset %.*s %s", lines.len ? "\n" : "", (int)(equals - *words), *words,
            equals + 1);
    }
    int error = tree_file_tell(place->dir, buf_text(&lines), &reason);
    if (error < 0)
        return say(WEIGHTFS_EXIT_FAILURE, "%s", err_text(&reason, error));
    if (reason.text[0])
        puts(reason.text);
    return WEIGHTFS_EXIT_OK;
}

int verb_configure(int argc, char **argv) {
    bool as_json = false;
    const char *value, *named = NULL;
    struct place place;
    int flag;
    flags_begin();
    while ((flag = flags_next(configure_flags, argc, argv, &value)) > 0) {
        if (flag == FLAG_JSON)
            as_json = true;
        else
            named = value;
    }
    if (flag < 0)
        return WEIGHTFS_EXIT_USAGE;
    char **words = &argv[optind];
    const char *subject = words[0] && command_is_subject(words[0]) ? *words++ : NULL;
    int code = find_place(named, subject, &place);
    if (code)
        return code;
    if (!words[0])
        return list(&place, as_json);
    if (!words[1] && !strchr(words[0], '='))
        return show(&place, words[0]);
    return change(&place, words);
}
