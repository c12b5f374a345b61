/* SPDX-License-Identifier: Apache-2.0 */
#include "model/finding.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

static const char *const NAMES[FINDING_LEVELS] = {
    [FINDING_OK] = "ok",
    [FINDING_NOTE] = "note",
    [FINDING_WARNING] = "warning",
    [FINDING_DANGER] = "danger",
    [FINDING_ERROR] = "error",
};

const char *finding_level_name(enum finding_level level) {
    return NAMES[level];
}

void findings_done(struct findings *findings) {
    for (size_t i = 0; i < findings->count; i++)
        free(findings->items[i].text);
    free(findings->items);
    *findings = (struct findings)FINDINGS_INIT;
}

/* Makes room for one of `level` in a full list: the last one of the lightest level goes, if it is lighter. */
static bool make_room(struct findings *findings, enum finding_level level) {
    size_t lightest = 0;
    for (size_t i = 1; i < findings->count; i++)
        if (findings->items[i].level <= findings->items[lightest].level)
            lightest = i;
    if (findings->items[lightest].level >= level)
        return false;
    free(findings->items[lightest].text);
    findings->count--;
    memmove(&findings->items[lightest], &findings->items[lightest + 1],
        (findings->count - lightest) * sizeof *findings->items);
    return true;
}

/* Takes over `text`. */
static void add_text(struct findings *findings, enum finding_level level, char *text) {
    findings->of_level[level]++;
    if (!findings->items)
        findings->items = mem_array(FINDINGS_MAX, sizeof *findings->items);
    if (findings->count == FINDINGS_MAX) {
        findings->dropped++;
        if (!make_room(findings, level)) {
            free(text);
            return;
        }
    }
    findings->items[findings->count++] = (struct finding){level, text};
}

void findings_add(struct findings *findings, enum finding_level level, const char *format, ...) {
    BUF_CLEANUP struct buf line = BUF_INIT;
    char *text = mem_new(FINDING_TEXT_MAX + 1);
    va_list args;
    va_start(args, format);
    (void)buf_vformat(&line, format, args); /* only a bad conversion fails: the text is empty then */
    va_end(args);
    if (line.data)
        utf8_tame(line.data);
    utf8_cut(text, FINDING_TEXT_MAX + 1, buf_text(&line));
    add_text(findings, level, text);
}

void findings_move(struct findings *findings, struct findings *from, const char *prefix) {
    size_t kept[FINDING_LEVELS] = {0};
    for (size_t i = 0; i < from->count; i++) {
        kept[from->items[i].level]++;
        findings_add(findings, from->items[i].level, "%s%s", prefix, from->items[i].text);
    }
    for (size_t level = 0; level < FINDING_LEVELS; level++)
        findings->of_level[level] += from->of_level[level] - kept[level];
    findings->dropped += from->dropped;
    findings_done(from);
}

enum finding_level findings_worst(const struct findings *findings) {
    for (size_t level = FINDING_LEVELS; level-- > 0;)
        if (findings->of_level[level])
            return (enum finding_level)level;
    return FINDING_OK;
}
