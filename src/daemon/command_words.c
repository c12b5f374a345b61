/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/command_words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "model/name.h"

const struct command_row *command_row_of(const char *name, enum command_place place) {
    const struct command_row *row;
    for (size_t index = 0; (row = command_row(index)); index++)
        if ((row->places & place) && strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

unsigned command_places(const char *name) {
    const struct command_row *row;
    unsigned places = 0;
    for (size_t index = 0; (row = command_row(index)); index++)
        if (strcmp(row->name, name) == 0)
            places |= row->places;
    return places;
}

static bool is_of_word(char c) {
    return (c >= 'a' && c <= 'z') || isdigit((unsigned char)c) || c == '-' || c == '_';
}

bool command_mentions(const char *arguments, const char *word, size_t len, bool with_value) {
    for (const char *at = arguments; at && *at;) {
        size_t here = 0;
        while (is_of_word(at[here]))
            here++;
        if (here == len && len > 0 && memcmp(at, word, len) == 0 && (at[here] == '=') == with_value)
            return true;
        at += here;
        while (*at && !is_of_word(*at)) /* a value, a separator, a word in capitals */
            at++;
    }
    return false;
}

static bool mentioned(const char *name, const char *word, size_t len, bool with_value) {
    const struct command_row *row;
    for (size_t index = 0; (row = command_row(index)); index++)
        if (strcmp(row->name, name) == 0 && command_mentions(row->arguments, word, len, with_value))
            return true;
    return false;
}

int command_flags_to_words(const char *name, int argc, char **argv) {
    int to = 1;
    for (int from = 1; from < argc; from++) {
        char *word = argv[from];
        size_t len = strncmp(word, "--", 2) == 0 ? strcspn(word + 2, "=") : 0;
        BUF_CLEANUP struct buf made = BUF_INIT;
        if (len && word[2 + len] == '=' && mentioned(name, word + 2, len, true))
            (void)buf_text_add(&made, word + 2);
        else if (len && !word[2 + len] && from + 1 < argc && mentioned(name, word + 2, len, true))
            (void)buf_format(&made, "%s=%s", word + 2, argv[++from]);
        else if (len && !word[2 + len] && mentioned(name, word + 2, len, false))
            (void)buf_text_add(&made, word + 2);
        argv[to++] = made.len ? buf_take(&made) : word;
    }
    argv[to] = NULL;
    return to;
}

bool command_is_subject(const char *word) {
    struct name_key key;
    if (*word == '/' || strcmp(word, ".") == 0 || strcmp(word, "..") == 0 || strncmp(word, "./", 2) == 0 ||
        strncmp(word, "../", 3) == 0)
        return true;
    return !strchr(word, '=') && strpbrk(word, ":/") &&
           (name_parse(word, &key, NULL) >= 0 || strchr(word, '/'));
}

bool command_is_job(const char *word) {
    return *word && strspn(word, "0123456789") == strlen(word) && strlen(word) < 19;
}

int command_add_word(struct buf *line, const char *word, struct reason *reason) {
    if (strchr(word, '\n'))
        return err_because(reason, -ERR_BAD_NAME, "'%.60s' has a line break in it", word);
    if (*word && !strpbrk(word, " \t\r\"\\"))
        return buf_format(line, " %s", word);
    (void)buf_text_add(line, " \""); /* no limit: none of these can fail */
    for (const char *at = word; *at; at++)
        (void)buf_format(line, "%s%c", *at == '"' || *at == '\\' ? "\\" : "", *at);
    return buf_text_add(line, "\"");
}
