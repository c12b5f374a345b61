/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/params.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE  1024
#define STOPS_MOST 16

static const struct param_row rows[] = {
    {"temperature", PARAM_REAL, 0, 2, "how freely the next word is chosen; 0: always the likeliest"},
    {"top_p", PARAM_REAL, 0, 1, "only the likeliest words that together have this probability"},
    {"top_k", PARAM_WHOLE, 0, 100000, "only so many of the likeliest words; 0: all"},
    {"min_p", PARAM_REAL, 0, 1, "only words at least so likely as this part of the likeliest"},
    {"max_tokens", PARAM_WHOLE, 1, 1e9, "the answer ends after so many tokens"},
    {"seed", PARAM_WHOLE, 0, 4294967295.0, "the same seed gives the same answer, where the engine can"},
    {"frequency_penalty", PARAM_REAL, -2, 2, "less of words that came often"},
    {"presence_penalty", PARAM_REAL, -2, 2, "less of words that came at all"},
    {"repeat_penalty", PARAM_REAL, 0, 10, "less of words that came of late; 1: no less"},
    {"stop", PARAM_TEXT, 0, 0,
        "the answer ends before this text; each line adds one, `stop` alone takes all away"},
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

const struct param_row *param_row(size_t index) {
    return index < ROW_COUNT ? &rows[index] : NULL;
}

/* ---- lines */

/* What the lines said, by row; the texts are copies. */
struct values {
    char *of[ROW_COUNT];
    char *stops[STOPS_MOST];
    size_t stop_count;
};

static void clear_stops(struct values *values) {
    while (values->stop_count)
        free(values->stops[--values->stop_count]);
}

static void values_done(struct values *values) {
    for (size_t i = 0; i < ROW_COUNT; i++)
        free(values->of[i]);
    clear_stops(values);
}
#define VALUES_CLEANUP __attribute__((cleanup(values_done)))

static int find_row(const char *name, size_t *ret_index, struct reason *reason) {
    size_t nearest = 0;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            *ret_index = i;
            return 0;
        }
        if (text_distance(rows[i].name, name) < text_distance(rows[nearest].name, name))
            nearest = i;
    }
    return err_because(reason, -ERR_BAD_VALUE, "there is no parameter \"%.40s\"; did you mean %s?", name,
        rows[nearest].name);
}

static int judge(const struct param_row *row, const char *value, struct reason *reason) {
    char *end;
    errno = 0;
    double number = strtod(value, &end);
    bool good = end != value && !*end && !errno && isfinite(number) && strpbrk(value, "xX") == NULL;
    if (good && row->type == PARAM_WHOLE)
        good = number == floor(number);
    if (good && number >= row->least && number <= row->most)
        return 0;
    return err_because(reason, -ERR_BAD_VALUE, "%s takes %s from %.10g to %.10g, not \"%.40s\"", row->name,
        row->type == PARAM_WHOLE ? "a whole number" : "a number", row->least, row->most, value);
}

static int take_stop(struct values *values, const char *value, struct reason *reason) {
    if (!*value)
        clear_stops(values);
    for (size_t i = 0; i < values->stop_count; i++)
        if (strcmp(values->stops[i], value) == 0)
            return 0;
    if (!*value)
        return 0;
    if (values->stop_count == STOPS_MOST)
        return err_because(reason, -ERR_BAD_VALUE, "at most %d lines of stop", STOPS_MOST);
    values->stops[values->stop_count++] = mem_text(value);
    return 0;
}

static int take_line(struct values *values, char *line, struct reason *reason) {
    size_t index = 0;
    line += strspn(line, " \t\r");
    if (!*line || *line == '#')
        return 0;
    size_t end = strlen(line);
    while (end && strchr(" \t\r", line[end - 1]))
        line[--end] = '\0';
    char *value = line + strcspn(line, " \t");
    if (*value)
        *value++ = '\0';
    value += strspn(value, " \t");
    int error = find_row(line, &index, reason);
    if (error)
        return error;
    if (rows[index].type == PARAM_TEXT)
        return take_stop(values, value, reason);
    error = *value ? judge(&rows[index], value, reason) : 0;
    if (error)
        return error;
    free(values->of[index]);
    values->of[index] = *value ? mem_text(value) : NULL;
    return 0;
}

static int take_text(struct values *values, const char *text, struct reason *reason) {
    char line[LINE_SIZE];
    for (unsigned number = 1; *text; number++) {
        size_t len = strcspn(text, "\n");
        struct reason why;
        if (len >= sizeof line)
            return err_because(reason, -ERR_BAD_VALUE, "line %u is longer than %d bytes", number,
                LINE_SIZE - 1);
        memcpy(line, text, len);
        line[len] = '\0';
        int error = take_line(values, line, &why);
        if (error)
            return err_because(reason, error, "line %u: %s", number, why.text);
        text += len + (text[len] == '\n');
    }
    return 0;
}

int params_read(const char *text, const char *merge, struct buf *ret_text, struct reason *reason) {
    struct values values VALUES_CLEANUP = {0};
    int error = take_text(&values, merge, reason);
    if (!error)
        error = take_text(&values, text, reason);
    if (error)
        return error;
    buf_clear(ret_text);
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (values.of[i])
            (void)buf_format(ret_text, "%s %s\n", rows[i].name, values.of[i]); /* no limit */
    for (size_t i = 0; i < values.stop_count; i++)
        (void)buf_format(ret_text, "stop %s\n", values.stops[i]);
    return 0;
}

/* ---- JSON */

void params_print(const char *text, struct buf *to) {
    struct reason never;
    struct values values VALUES_CLEANUP = {0};
    if (take_text(&values, text, &never) < 0) /* params_read() made it */
        return;
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (values.of[i]) /* digits that strtod reads may be no JSON (".5", "+1"): printed anew */
            (void)buf_format(to, ",\"%s\":%.17g", rows[i].name, strtod(values.of[i], NULL));
    for (size_t i = 0; i < values.stop_count; i++) {
        (void)buf_text_add(to, i ? "," : ",\"stop\":[");
        (void)buf_json_string(to, values.stops[i]);
    }
    if (values.stop_count)
        (void)buf_text_add(to, "]");
}
