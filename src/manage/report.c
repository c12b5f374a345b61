/* SPDX-License-Identifier: Apache-2.0 */
#include "manage/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "outside/json.h"

#define LINES_MOST 2000
#define JSON_MOST  (512u << 10)

static const struct level_row {
    const char *name;
    enum finding_level verdict;
} levels[LINE_LEVELS] = {
    [LINE_ERROR] = {"error", FINDING_ERROR},
    [LINE_DANGER] = {"danger", FINDING_DANGER},
    [LINE_WARNING] = {"warning", FINDING_WARNING},
    [LINE_NOTE] = {"note", FINDING_OK},
    [LINE_MISSING] = {"missing", FINDING_OK},
    [LINE_OK] = {"ok", FINDING_OK},
};

const char *line_level_name(enum line_level level) {
    return levels[level].name;
}

enum line_level line_level_of(enum finding_level level) {
    static const enum line_level lines[FINDING_LEVELS] = {
        [FINDING_OK] = LINE_OK,
        [FINDING_NOTE] = LINE_NOTE,
        [FINDING_WARNING] = LINE_WARNING,
        [FINDING_DANGER] = LINE_DANGER,
        [FINDING_ERROR] = LINE_ERROR,
    };
    return lines[level];
}

/* ---- collecting ---- */

static void add_line(struct report_lines *lines, const struct report_line *line) {
    if (lines->count == lines->room)
        lines->array =
            mem_resize(lines->array, lines->room = lines->room ? lines->room * 2 : 32, sizeof *lines->array);
    lines->array[lines->count] = *line;
    lines->array[lines->count].file = mem_text(line->file);
    lines->array[lines->count++].text = mem_text(line->text);
}

void report_lines_add(struct report_lines *lines, enum line_level level, const char *file, const char *text) {
    add_line(lines, &(struct report_line){level, (char *)file, (char *)text, false});
}

void report_lines_add_rotten(struct report_lines *lines, const char *file, const char *text) {
    add_line(lines, &(struct report_line){LINE_ERROR, (char *)file, (char *)text, true});
}

bool report_lines_heal(struct report_lines *lines, bool (*is_healed)(void *context, const char *file),
    void *context) {
    bool any = false;
    for (size_t i = 0; i < lines->count; i++) {
        struct report_line *line = &lines->array[i];
        if (!line->rotten || !is_healed(context, line->file))
            continue;
        struct buf text BUF_CLEANUP = BUF_INIT;
        (void)buf_format(&text, "%s; it was fetched again and is right", line->text); /* no limit */
        free(line->text);
        line->text = mem_text(buf_text(&text));
        line->level = LINE_NOTE;
        line->rotten = false;
        any = true;
    }
    return any;
}

static bool level_of_name(const char *name, enum line_level *ret_level) {
    for (enum line_level level = 0; name && level < LINE_LEVELS; level++)
        if (strcmp(levels[level].name, name) == 0) {
            *ret_level = level;
            return true;
        }
    return false;
}

/* The line's words are lent. */
typedef void visit_line(void *context, const struct report_line *line);

/* What is not as we write it is left out. */
static void each_line(const char *checks, visit_line *visit, void *context) {
    struct json *document JSON_CLEANUP = NULL;
    struct reason reason;
    if (json_parse(checks, strlen(checks), &document, &reason) < 0)
        return;
    for (size_t i = 0; i < json_count(document); i++) {
        const struct json *line = json_at(document, i);
        struct report_line read = {
            .file = (char *)json_text(json_get(line, "file"), NULL),
            .text = (char *)json_text(json_get(line, "text"), NULL),
            .rotten = json_bool(json_get(line, "rotten"), false),
        };
        if (read.file && read.text && level_of_name(json_text(json_get(line, "level"), NULL), &read.level))
            visit(context, &read);
    }
}

struct keeping {
    struct report_lines *lines;
    bool (*keeps)(void *context, const char *file);
    void *context;
};

static void keep_line(void *context, const struct report_line *line) {
    const struct keeping *keeping = context;
    if (keeping->keeps(keeping->context, line->file))
        add_line(keeping->lines, line);
}

void report_lines_keep(struct report_lines *lines, const char *checks,
    bool (*keeps)(void *context, const char *file), void *context) {
    struct keeping keeping = {.lines = lines, .keeps = keeps, .context = context};
    each_line(checks, keep_line, &keeping);
}

void report_lines_done(struct report_lines *lines) {
    for (size_t i = 0; i < lines->count; i++) {
        free(lines->array[i].file);
        free(lines->array[i].text);
    }
    free(lines->array);
    *lines = (struct report_lines){0};
}

static int by_gravity(const void *one, const void *other) {
    const struct report_line *a = one, *b = other;
    if (a->level != b->level)
        return a->level < b->level ? -1 : 1;
    int order = strcmp(a->file, b->file);
    return order ? order : strcmp(a->text, b->text);
}

void report_lines_sort(struct report_lines *lines) {
    if (lines->count)
        qsort(lines->array, lines->count, sizeof *lines->array, by_gravity);
}

enum finding_level report_lines_verdict(const struct report_lines *lines) {
    enum finding_level worst = FINDING_OK;
    for (size_t i = 0; i < lines->count; i++)
        if (levels[lines->array[i].level].verdict > worst)
            worst = levels[lines->array[i].level].verdict;
    return worst;
}

static int by_text(const void *one, const void *other) {
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

size_t report_lines_files(const struct report_lines *lines, enum line_level level) {
    const char **files = mem_array(lines->count + 1, sizeof *files);
    size_t count = 0, different = 0;
    for (size_t i = 0; i < lines->count; i++)
        if (level == LINE_LEVELS || lines->array[i].level == level)
            files[count++] = lines->array[i].file;
    qsort(files, count, sizeof *files, by_text);
    for (size_t i = 0; i < count; i++)
        different += !i || strcmp(files[i - 1], files[i]) != 0;
    free(files);
    return different;
}

static void json_line(struct buf *to, const struct report_line *line) {
    (void)buf_format(to, "%s{\"level\": \"%s\", \"file\": ", to->len > 1 ? ",\n" : "",
        levels[line->level].name); /* no limit */
    (void)buf_json_string(to, line->file);
    (void)buf_text_add(to, ", \"text\": ");
    (void)buf_json_string(to, line->text);
    (void)buf_text_add(to, line->rotten ? ", \"rotten\": true}" : "}");
}

void report_lines_json(const struct report_lines *lines, struct buf *to) {
    struct buf array BUF_CLEANUP = BUF_INIT;
    (void)buf_text_add(&array, "[");
    size_t i = 0;
    for (; i < lines->count && i < LINES_MOST && array.len < JSON_MOST; i++)
        json_line(&array, &lines->array[i]);
    if (i < lines->count) {
        char rest[64];
        (void)snprintf(rest, sizeof rest, "%zu lines more, of this level or lighter", lines->count - i);
        json_line(&array, &(struct report_line){lines->array[i].level, (char *)"…", rest, false});
    }
    (void)buf_text_add(&array, "]");
    (void)buf_add(to, array.data, array.len);
}

/* ---- printing ---- */

static void print_line(void *context, const struct report_line *line) {
    (void)buf_format(context, "%-8s %s: %s\n", levels[line->level].name, line->file, line->text);
}

void report_print(const struct catalog_report *report, struct buf *to) {
    char stamp[CLOCK_STAMP_SIZE];
    (void)buf_format(to, "verdict  %s, %s, at %.12s, files %" PRIu64 ", missing %" PRIu64 "\n",
        finding_level_name(report->verdict), clock_stamp(stamp, report->time_ms), report->commit,
        report->files, report->missing);
    each_line(report->checks, print_line, to);
}

void report_print_json(const struct catalog_report *report, const char *key, struct buf *to) {
    char stamp[CLOCK_STAMP_SIZE];
    (void)buf_text_add(to, "{\n  \"key\": ");
    (void)buf_json_string(to, key);
    (void)buf_format(to,
        ",\n  \"verdict\": \"%s\",\n  \"validated\": \"%s\",\n  \"commit\": \"%s\",\n"
        "  \"files\": %" PRIu64 ",\n  \"missing\": %" PRIu64 ",\n  \"checks\": ",
        finding_level_name(report->verdict), clock_stamp(stamp, report->time_ms), report->commit,
        report->files, report->missing);
    (void)buf_text_add(to, report->checks);
    (void)buf_text_add(to, "\n}\n");
}
