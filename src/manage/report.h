/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_REPORT_H
#define WEIGHTFS_MANAGE_REPORT_H

/*
 * The lines of a validation's report: a level, a file, words. Bounded: of a very long one the least grave
 * lines are dropped, and that is said. Pure; one thread's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/catalog_check.h"

/* As people read them, the gravest first. */
enum line_level { LINE_ERROR, LINE_DANGER, LINE_WARNING, LINE_NOTE, LINE_MISSING, LINE_OK, LINE_LEVELS };
const char *line_level_name(enum line_level level);
enum line_level line_level_of(enum finding_level level);

struct report_line {
    enum line_level level;
    char *file, *text;
    bool rotten; /* of what was fetched again, or will be: report_lines_heal() */
};
struct report_lines {
    struct report_line *array;
    size_t count, room;
};
void report_lines_add(struct report_lines *lines, enum line_level level, const char *file, const char *text);
/* An error that ends when the file is fetched again. */
void report_lines_add_rotten(struct report_lines *lines, const char *file, const char *text);
/* What had rotted and is right again, as is_healed() says, becomes a note; whether any was. */
bool report_lines_heal(struct report_lines *lines, bool (*is_healed)(void *context, const char *file),
    void *context);
/* Those of a former report (its `checks`) whose file keeps() says true of. */
void report_lines_keep(struct report_lines *lines, const char *checks,
    bool (*keeps)(void *context, const char *file), void *context);
void report_lines_done(struct report_lines *lines);
#define LINES_CLEANUP __attribute__((cleanup(report_lines_done)))

/* Sorts them by gravity, then file. */
void report_lines_sort(struct report_lines *lines);
/* The worst as a verdict; what is missing is no fault. */
enum finding_level report_lines_verdict(const struct report_lines *lines);
/* How many different files (sorted or not). */
size_t report_lines_files(const struct report_lines *lines, enum line_level level /* LINE_LEVELS: of any */);
/* As the array that catalog_report.checks is. */
void report_lines_json(const struct report_lines *lines, struct buf *to);

/* MODEL/report, and MODEL/report.json, of what the catalogue has; `key` "hf:acme/tiny". */
void report_print(const struct catalog_report *report, struct buf *to);
void report_print_json(const struct catalog_report *report, const char *key, struct buf *to);

#endif
