/* SPDX-License-Identifier: Apache-2.0 */
#include "manage/internal.h"

#include <stdlib.h>
#include <string.h>

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Reads one word at *from, writing it at *to: unquoting only shortens, so both may be in one text. */
static int read_word(char **from, char **to, struct reason *reason) {
    bool quoted = false;
    char *in = *from, *out = *to;
    for (; *in && (quoted || !is_blank(*in)); in++) {
        if (*in == '"') {
            quoted = !quoted;
            continue;
        }
        if (quoted && *in == '\\' && (in[1] == '"' || in[1] == '\\'))
            in++;
        *out++ = *in;
    }
    if (quoted)
        return err_because(reason, -ERR_BAD_VALUE, "a quote is not closed");
    bool more = *in;
    *out++ = 0; /* may be where the blank was: `more` was looked at before */
    *from = more ? in + 1 : in;
    *to = out;
    return 0;
}

int words_parse(const char *text, struct words *ret_words, struct reason *reason) {
    struct words words WORDS_CLEANUP = {.text = mem_text(text)};
    char *from = words.text, *to = words.text;
    for (;;) {
        while (is_blank(*from))
            from++;
        if (!*from)
            break;
        if (words.count == WORDS_MOST)
            return err_because(reason, -ERR_BAD_VALUE, "more than %d arguments", WORDS_MOST);
        words.array[words.count++] = to;
        int result = read_word(&from, &to, reason);
        if (result < 0)
            return result;
    }
    *ret_words = words;
    words.text = NULL; /* handed over */
    return 0;
}

void words_done(struct words *words) {
    free(words->text);
    words->text = NULL;
    words->count = 0;
}

static void print_word(struct buf *to, const char *word) {
    bool quote = !*word || strpbrk(word, " \t\r\n\"\\");
    (void)buf_text_add(to, quote ? "\"" : ""); /* no limit: none of these can fail */
    for (const char *at = word; *at; at++) {
        if (*at == '"' || *at == '\\')
            (void)buf_text_add(to, "\\");
        (void)buf_add(to, at, 1);
    }
    (void)buf_text_add(to, quote ? "\"" : "");
}

int words_print(const char *const *array, size_t count, char *to, size_t size, struct reason *reason) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    for (size_t i = 0; i < count; i++) {
        (void)buf_text_add(&text, i ? " " : "");
        print_word(&text, array[i]);
    }
    if (text_copy(to, size, buf_text(&text)) < 0)
        return err_because(reason, -ERR_BAD_VALUE,
            "the arguments are longer than %zu bytes; name a folder, or use several commands", size - 1);
    return 0;
}
