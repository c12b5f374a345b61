/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/template.h"

#include <string.h>

#define BLANKS " \t\r\n"

/* None of the buffers has a limit: adding can't fail. */
static void add(struct buf *to, const char *text) {
    (void)buf_text_add(to, text ? text : "");
}

static void add_turn(struct buf *to, const char *before, const char *text, const char *after, bool trim) {
    size_t skip = trim ? strspn(text, BLANKS) : 0, len = strlen(text);
    while (trim && len > skip && strchr(BLANKS, text[len - 1]))
        len--;
    add(to, before);
    (void)buf_add(to, text + skip, len - skip);
    add(to, after);
}

static void add_user(const struct template_family *family, const char *system, const char *text,
    struct buf *to) {
    bool trim = family->trim & TRIM_ALL;
    add(to, family->user_before);
    if (*system)
        add_turn(to, family->system_before, system, family->system_after, trim);
    add_turn(to, "", text, family->user_after, trim);
}

/* Nobody's: the texts as they are. */
static const struct template_family plain = {.begin = "",
    .system_after = "\n\n",
    .user_after = "",
    .answer_after = "",
    .open = ""};

void template_print(const struct template_family *family, const char *system,
    const struct template_turn *turns, size_t count, struct buf *to) {
    family = family ? family : &plain;
    add(to, family->begin);
    if (*system && !family->system_inside) {
        add_turn(to, family->system_before, system, family->system_after, family->trim & TRIM_ALL);
        system = "";
    }
    for (size_t i = 0; i < count; i++) {
        bool is_last = i + 1 == count;
        if (turns[i].role == TEMPLATE_USER) {
            add_user(family, system, turns[i].text, to);
            system = "";
            add(to, is_last ? family->open : "");
        } else {
            add_turn(to, family->answer_before, turns[i].text, is_last ? "" : family->answer_after,
                family->trim & (TRIM_ALL | TRIM_ANSWERS));
        }
    }
}
