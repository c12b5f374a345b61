/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a declaration: each is a row. */

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "model/declared_inside.h"
#include "outside/http.h"

#define PATTERN_MOST 300
#define PATH_MOST    1000
#define SLOTS_MOST   1024

static int read_text(struct declaring *file, const char *member, const struct json *value, size_t most,
    const char **ret_text) {
    size_t len = 0;
    const char *text = json_text(value, &len);
    if (!text || !len)
        return declaring_refuse(file, member, "wanted is a text");
    if (len > most)
        return declaring_refuse(file, member, "it is longer than %zu bytes", most);
    for (const char *at = text; *at; at++)
        if (iscntrl((unsigned char)*at))
            return declaring_refuse(file, member, "wanted is one line, with no control characters");
    *ret_text = declared_keep_text(file->declared, text);
    return 0;
}

static int read_texts(struct declaring *file, const char *member, const struct json *array, size_t most,
    size_t longest, const char *const **ret_texts) {
    size_t count = json_count(array);
    if (json_type_of(array) != JSON_ARRAY || !count)
        return declaring_refuse(file, member, "wanted is an array of texts");
    if (count > most)
        return declaring_refuse(file, member, "there are more than %zu", most);
    const char **texts = declared_keep(file->declared, (count + 1) * sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        int result = read_text(file, member, json_at(array, i), longest, &texts[i]);
        if (result < 0)
            return result;
    }
    *ret_texts = texts;
    return 0;
}

static const char *const known_placeholders[] = {"model", "folder", "socket", "port", "name", NULL};

/* A word in braces that is none of ours is a slip; braces around anything else are the program's. */
static int check_placeholders(const struct declaring *file, const char *member, const char *text) {
    for (const char *at = text; (at = strchr(at, '{')); at++) {
        size_t len = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz");
        bool known = !len || at[1 + len] != '}';
        for (size_t i = 0; known_placeholders[i] && !known; i++)
            known = len == strlen(known_placeholders[i]) && !strncmp(at + 1, known_placeholders[i], len);
        if (!known)
            return declaring_refuse(file, member,
                "there is no {%.*s}; placeholders are {model} {folder} {socket} "
                "{port} {name}",
                (int)(len < 40 ? len : 40), at + 1);
    }
    return 0;
}

bool declared_is_name(const char *name) {
    size_t len = strlen(name);
    if (!len || len >= DECLARED_NAME_SIZE || !isalnum((unsigned char)name[0]))
        return false;
    for (const char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("-_.", *at))
            return false;
    return true;
}

int declared_check_url(char *url, bool allow_http, struct reason *reason) {
    char shown[DECLARED_URL_SIZE];
    http_url_for_people(url, shown, sizeof shown); /* without a password */
    for (size_t len = strlen(url); len && url[len - 1] == '/'; len--)
        url[len - 1] = '\0';
    if (strlen(url) >= DECLARED_URL_SIZE)
        return err_because(reason, -ERR_CONFIG, "it is longer than %d bytes", DECLARED_URL_SIZE - 1);
    /* It is of its own origin only when it is a URL of http or https without a password in it. */
    if (!http_same_origin(url, url) || strpbrk(url, "?# \"<>\\^`{|}"))
        return err_because(reason, -ERR_CONFIG,
            "\"%s\" is no address of a server; wanted is one as https://ai.example.org/v1", shown);
    if (strncasecmp(url, "https:", 6) != 0 && !allow_http && !http_is_loopback(url))
        return err_because(reason, -ERR_CONFIG,
            "\"%s\" would send questions and keys in the clear: use https, or set allow_http=on", shown);
    return 0;
}

/* ---- the members of a declaration */

static int read_name(struct declaring *file, const struct json *value, struct declaration *to) {
    static const char *const built_in[] = {"llama", "openai", "ollama", "command", "auto"};
    int result = read_text(file, "name", value, DECLARED_NAME_SIZE - 1, &to->name);
    if (result < 0)
        return result;
    if (!declared_is_name(to->name))
        return declaring_refuse(file, "name",
            "wanted is a word of letters, digits and - _ . that begins with a letter "
            "or digit");
    for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++)
        if (!strcmp(to->name, built_in[i]))
            return declaring_refuse(file, "name",
                "\"%s\" is an engine of weightfs itself: choose another name", to->name);
    (void)snprintf(file->where, sizeof file->where, "engines[%zu] (%s)", file->index, to->name);
    return 0;
}

static int read_comment(struct declaring *file, const struct json *value, struct declaration *to) {
    (void)file;
    (void)value;
    (void)to;
    return 0;
}

static int read_kind(struct declaring *file, const struct json *value, struct declaration *to) {
    const char *kind = json_text(value, NULL);
    if (!kind || (strcmp(kind, "openai") != 0 && strcmp(kind, "ollama") != 0))
        return declaring_refuse(file, "kind", "wanted is \"openai\" or \"ollama\"");
    to->kind = strcmp(kind, "openai") == 0 ? DECLARED_OPENAI : DECLARED_OLLAMA;
    return 0;
}

static int read_url(struct declaring *file, const struct json *value, struct declaration *to) {
    struct reason why = {""};
    const char *text;
    int result = read_text(file, "url", value, DECLARED_URL_SIZE - 1, &text);
    if (result < 0)
        return result;
    size_t size = strlen(text) + 1;
    char *url = memcpy(declared_keep(file->declared, size), text, size);
    if (declared_check_url(url, file->allow_http, &why) < 0)
        return declaring_refuse(file, "url", "%s", why.text);
    to->url = url;
    return 0;
}

static int read_key_file(struct declaring *file, const struct json *value, struct declaration *to) {
    int result = read_text(file, "key_file", value, PATH_MOST, &to->key_file);
    if (result == 0 && to->key_file[0] != '/')
        return declaring_refuse(file, "key_file", "wanted is a path that begins with /");
    return result;
}

static int read_patterns(struct declaring *file, const struct json *value, struct declaration *to) {
    return read_texts(file, "models", value, DECLARED_PATTERNS, PATTERN_MOST, &to->patterns);
}

static int read_can(struct declaring *file, const struct json *value, struct declaration *to) {
    static const struct {
        const char *word;
        unsigned bit;
    } words[] = {{"chat", DECLARED_CHAT}, {"complete", DECLARED_COMPLETE}, {"embed", DECLARED_EMBED},
        {"vision", DECLARED_VISION}};
    const char *const *given;
    int result = read_texts(file, "can", value, 8, 16, &given);
    for (size_t i = 0; result == 0 && given[i]; i++) {
        unsigned bit = 0;
        for (size_t word = 0; word < sizeof words / sizeof *words; word++)
            bit |= strcmp(words[word].word, given[i]) == 0 ? words[word].bit : 0;
        if (!bit)
            return declaring_refuse(file, "can", "\"%s\": wanted are chat, complete, embed or vision",
                given[i]);
        to->can |= bit;
    }
    return result;
}

static int read_slots(struct declaring *file, const struct json *value, struct declaration *to) {
    int64_t number;
    if (!json_number(value, &number) || number < 1 || number > SLOTS_MOST)
        return declaring_refuse(file, "slots", "wanted is a number of questions at once, 1 to %d",
            SLOTS_MOST);
    to->slots = (unsigned)number;
    return 0;
}

static int read_command(struct declaring *file, const struct json *value, struct declaration *to) {
    int result = read_texts(file, "command", value, DECLARED_ARGUMENTS, DECLARED_ARGUMENT_MOST, &to->command);
    if (result < 0)
        return result;
    to->kind = DECLARED_COMMAND;
    for (size_t i = 0; to->command[i] && result == 0; i++)
        result = check_placeholders(file, "command", to->command[i]);
    if (result == 0 && strchr(to->command[0], '/') && to->command[0][0] != '/')
        return declaring_refuse(file, "command", "\"%s\": wanted is a program's name, or its path from / on",
            to->command[0]);
    return result;
}

static int read_environment(struct declaring *file, const struct json *value, struct declaration *to) {
    void *iterator = NULL;
    const char *name, *text;
    const struct json *member;
    const char **texts =
        declared_keep(file->declared, (DECLARED_VARIABLES + 1) * sizeof *texts); /* NULLs behind the last */
    size_t count = 0;
    if (json_type_of(value) != JSON_OBJECT)
        return declaring_refuse(file, "environment", "wanted is an object: {\"NAME\": \"value\"}");
    while (json_next(value, &iterator, &name, &member)) {
        struct buf line BUF_CLEANUP = BUF_INIT;
        if (count == DECLARED_VARIABLES)
            return declaring_refuse(file, "environment", "there are more than %d variables",
                DECLARED_VARIABLES);
        if (!*name || strlen(name) > 128 || isdigit((unsigned char)*name) ||
            name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")])
            return declaring_refuse(file, "environment", "\"%.64s\" can't be the name of a variable", name);
        int result = read_text(file, "environment", member, DECLARED_ARGUMENT_MOST, &text);
        if (result == 0)
            result = check_placeholders(file, "environment", text);
        if (result < 0)
            return result;
        (void)buf_format(&line, "%s=%s", name, text);
        texts[count++] = declared_keep_text(file->declared, buf_text(&line));
    }
    to->environment = texts;
    return 0;
}

static int read_path(struct declaring *file, const char *member, const struct json *value,
    const char **ret_path) {
    int result = read_text(file, member, value, 200, ret_path);
    if (result == 0 && ((*ret_path)[0] != '/' || strpbrk(*ret_path, " #\"<>\\^`{|}")))
        return declaring_refuse(file, member, "wanted is a path at the server, as /v1");
    return result;
}

static int read_health(struct declaring *file, const struct json *value, struct declaration *to) {
    return read_path(file, "health", value, &to->health);
}

static int read_api(struct declaring *file, const struct json *value, struct declaration *to) {
    return read_path(file, "api", value, &to->api);
}

static int read_model(struct declaring *file, const struct json *value, struct declaration *to) {
    int result = read_text(file, "model", value, 200, &to->model);
    return result < 0 ? result : check_placeholders(file, "model", to->model);
}

enum use { USE_ALL, USE_URL, USE_COMMAND };

static const struct member {
    const char *name;
    int (*read)(struct declaring *file, const struct json *value, struct declaration *to);
    enum use use;
} members[] = {
    {"name", read_name, USE_ALL}, /* first: the others' complaints have it */
    {"comment", read_comment, USE_ALL},
    {"url", read_url, USE_URL},
    {"command", read_command, USE_COMMAND},
    {"kind", read_kind, USE_URL},
    {"key_file", read_key_file, USE_URL},
    {"models", read_patterns, USE_ALL},
    {"can", read_can, USE_ALL},
    {"slots", read_slots, USE_ALL},
    {"environment", read_environment, USE_COMMAND},
    {"health", read_health, USE_COMMAND},
    {"api", read_api, USE_COMMAND},
    {"model", read_model, USE_COMMAND},
};
#define MEMBERS (sizeof members / sizeof *members)

const char *declaring_member(size_t index) {
    return index < MEMBERS ? members[index].name : NULL;
}

int declaring_members(struct declaring *file, const struct json *value, struct declaration *to) {
    bool is_command = json_get(value, "command") != NULL;
    int result = 0;
    for (size_t i = 0; i < MEMBERS && result == 0; i++) {
        const struct json *member = json_get(value, members[i].name);
        if (member && members[i].use == (is_command ? USE_URL : USE_COMMAND))
            return declaring_refuse(file, members[i].name, "it is not for a declaration with a %s",
                is_command ? "command" : "url");
        if (member)
            result = members[i].read(file, member, to);
    }
    return result;
}
