/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/path.h"
#include "outside/json.h"

#define CONFIG_FILE_LIMIT (1024 * 1024)

int config_add_words(struct config_words *words, const char *key, const char *text) {
    if (words->count == CONFIG_WORDS_MAX)
        return -ERR_CONFIG;
    words->words[words->count].key = key;
    words->words[words->count++].text = text;
    return 0;
}

/* Takes "KEY=VALUE" up to the next comma that is no "\," off `*text`. */
static void next_word(const char **text, struct buf *ret_word) {
    const char *at = *text;
    buf_clear(ret_word);
    for (; *at && *at != ','; at++) {
        if (at[0] == '\\' && at[1] == ',')
            at++;
        buf_add(ret_word, at, 1);
    }
    *text = *at ? at + 1 : at;
}

int config_from_words(struct options *options, const char *text, const char *origin, struct reason *reason) {
    BUF_CLEANUP struct buf word = BUF_INIT;
    while (*text) {
        next_word(&text, &word);
        if (word.len == 0)
            continue; /* "-o a=1,,b=2": mount(8) leaves such holes */
        char *value = strchr(word.data, '=');
        if (value)
            *value++ = '\0';
        if (options_set(options, word.data, value ? value : "on", origin, reason) < 0)
            return -ERR_CONFIG; /* the reason has the origin and the key */
    }
    return 0;
}

/* A value as the text that options_set() takes; NULL for a type that no option has. */
static const char *value_text(const struct json *value, char number[static 32]) {
    int64_t whole;
    switch (json_type_of(value)) {
    case JSON_STRING: return json_text(value, NULL);
    case JSON_BOOL: return json_bool(value, false) ? "on" : "off";
    case JSON_NUMBER:
        if (!json_number(value, &whole))
            return NULL;
        snprintf(number, 32, "%" PRId64, whole);
        return number;
    default: return NULL;
    }
}

int config_from_json(struct options *options, const char *path, const char *text, size_t len,
    struct reason *reason) {
    JSON_CLEANUP struct json *document = NULL;
    struct reason why = {""};
    int error = json_parse(text, len, &document, &why);
    if (error < 0)
        return err_because(reason, -ERR_CONFIG, "%s: this is not valid JSON: %s", path,
            err_text(&why, error));
    if (json_type_of(document) != JSON_OBJECT)
        return err_because(reason, -ERR_CONFIG,
            "%s: this is not one object of settings: {\"NAME\": VALUE, …}", path);
    void *iterator = NULL;
    const char *key;
    const struct json *value;
    while (json_next(document, &iterator, &key, &value)) {
        char number[32];
        if (json_type_of(value) == JSON_NULL)
            continue;
        const char *as_text = value_text(value, number);
        if (!as_text)
            return err_because(reason, -ERR_CONFIG,
                "%s: %s: the value has to be a string, a whole number, true or false", path, key);
        if (options_put(options, OPTION_FILE, key, as_text, path, reason) < 0)
            return -ERR_CONFIG; /* the reason has the path and the key */
    }
    return 0;
}

void config_default_path(char *to, size_t size) {
    const char *folder = environment("XDG_CONFIG_HOME");
    const char *home = environment("HOME");
    to[0] = '\0';
    if (folder)
        snprintf(to, size, "%s/weightfs/config.json", folder);
    else if (home && geteuid() != 0)
        snprintf(to, size, "%s/.config/weightfs/config.json", home);
    if (!to[0] || access(to, F_OK) < 0)
        snprintf(to, size, "/etc/weightfs/config.json");
}

static int from_file(struct options *options, const char *path, bool must_exist, struct reason *reason) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    int error = path_read(AT_FDCWD, path, CONFIG_FILE_LIMIT, &text);
    if (error == -ENOENT && !must_exist)
        return 0;
    if (error < 0)
        return err_because(reason, -ERR_CONFIG, "%s: %s", path, err_sentence(error));
    return config_from_json(options, path, buf_text(&text), text.len, reason);
}

int config_load(struct options *options, const char *path, const struct config_words *words,
    struct reason *reason) {
    char usual[4096];
    config_default_path(usual, sizeof(usual));
    int error = from_file(options, path ? path : usual, path != NULL, reason);
    if (error < 0)
        return error;
    error = options_from_environment(options, reason);
    for (size_t i = 0; i < words->count && error >= 0; i++) {
        const char *key = words->words[i].key, *value = words->words[i].text;
        error = key ? options_set(options, key, value, "command line", reason)
                    : config_from_words(options, value, "command line", reason);
    }
    return error < 0 ? error : 0;
}
