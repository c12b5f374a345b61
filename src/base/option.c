/* SPDX-License-Identifier: Apache-2.0 */
#include "base/option.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/option_parse.h"

static const char DEFAULT_ORIGIN[] = "default";

struct option {
    const struct option_row *row;
    char *text;     /* NULL: unset */
    int64_t number; /* BOOL, NUMBER, BYTES: what text says */
    char *origin;   /* NULL: the default */
};

struct options {
    struct lock *lock;   /* of its own, so that reading works on a const struct options */
    struct option *rows; /* in the order of the tables */
    struct option **by_name;
    size_t count;
};

/* For what can only be wrong in our own tables and calls. */
static _Noreturn void own_mistake(const char *name, const char *what) {
    log_error("option %s: %s", name, what);
    abort();
}

static int compare(const void *a, const void *b) {
    const struct option *const *left = a;
    const struct option *const *right = b;
    return strcmp((*left)->row->name, (*right)->row->name);
}

static struct option *find(const struct options *options, const char *name) {
    const struct option_row row = {.name = name};
    const struct option key = {.row = &row};
    const struct option *at = &key;
    struct option **found = bsearch(&at, options->by_name, options->count, sizeof *options->by_name, compare);
    return found ? *found : NULL;
}

/* Copies first: `text` may be the option's own. */
static int assign(struct option *option, const char *text, int64_t number, const char *origin) {
    char *new_text = mem_text(text);
    char *new_origin = mem_text(origin);
    free(option->text);
    free(option->origin);
    option->text = new_text;
    option->number = number;
    option->origin = new_origin;
    return 0;
}

static void set_default(struct option *option) {
    int64_t number = 0;
    const char *text = option->row->value;
    if (text && option_parse(option->row, text, &number, &text))
        own_mistake(option->row->name, "its default is not a value that it may have");
    assign(option, text, number, NULL);
}

struct options *options_new(const struct option_row *const *tables) {
    struct options *options = mem_new(sizeof *options);
    options->lock = mem_new(sizeof *options->lock);
    lock_init(options->lock, LOCK_OPTION);
    for (size_t table = 0; tables[table]; table++)
        for (const struct option_row *row = tables[table]; row->name; row++)
            options->count++;
    options->rows = mem_array(options->count, sizeof *options->rows);
    options->by_name = mem_array(options->count, sizeof *options->by_name);
    size_t at = 0;
    for (size_t table = 0; tables[table]; table++) {
        for (const struct option_row *row = tables[table]; row->name; row++, at++) {
            options->rows[at].row = row;
            options->by_name[at] = &options->rows[at];
            set_default(&options->rows[at]);
        }
    }
    qsort(options->by_name, options->count, sizeof *options->by_name, compare);
    for (size_t i = 1; i < options->count; i++)
        if (!compare(&options->by_name[i - 1], &options->by_name[i]))
            own_mistake(options->by_name[i]->row->name, "stands in two rows");
    return options;
}

void options_free(struct options *options) {
    if (!options)
        return;
    for (size_t i = 0; i < options->count; i++) {
        free(options->rows[i].text);
        free(options->rows[i].origin);
    }
    lock_done(options->lock);
    free(options->lock);
    free(options->rows);
    free(options->by_name);
    free(options);
}

/* NULL when nothing is near enough to be what was meant. */
static const char *nearest(const struct options *options, const char *name) {
    const char *best = NULL;
    unsigned most = 1 + (unsigned)strnlen(name, 60) / 3;
    for (size_t i = 0; i < options->count; i++) {
        unsigned distance = text_distance(name, options->rows[i].row->name);
        if (distance <= most) {
            most = distance ? distance - 1 : 0;
            best = options->rows[i].row->name;
        }
    }
    return best;
}

int options_set(struct options *options, const char *name, const char *text, const char *origin,
    struct reason *reason) {
    struct option *option = find(options, name);
    if (!option) {
        const char *near = nearest(options, name);
        return err_because(reason, -ERR_UNKNOWN_OPTION, "%s: there is no option \"%s\"%s%s%s", origin, name,
            near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    if (!text) {
        LOCK_SCOPE(options->lock);
        set_default(option);
        return 0;
    }
    int64_t number = 0;
    const char *kept = NULL;
    int error = option_parse(option->row, text, &number, &kept);
    if (error) {
        char wanted[160];
        option_wanted(option->row, wanted, sizeof wanted);
        return err_because(reason, error, "%s: %s=%s: wanted is %s", origin, name, text, wanted);
    }
    LOCK_SCOPE(options->lock);
    return assign(option, kept, number, origin);
}

/* The first of the row's names that is set. */
static int set_from_environment(struct options *options, const struct option_row *row,
    struct reason *reason) {
    TEXT_CLEANUP char *names = mem_text(row->environment);
    for (char *rest = names, *name; (name = strsep(&rest, ","));) {
        const char *value = environment(name);
        if (!value)
            continue;
        BUF_CLEANUP struct buf origin = BUF_INIT;
        int error = buf_format(&origin, "environment %s", name);
        return error ? error : options_set(options, row->name, value, buf_text(&origin), reason);
    }
    return 0;
}

int options_from_environment(struct options *options, struct reason *reason) {
    int error = 0;
    for (size_t i = 0; i < options->count && !error; i++)
        if (options->rows[i].row->environment)
            error = set_from_environment(options, options->rows[i].row, reason);
    return error;
}

static const struct option *typed(const struct options *options, const char *name, unsigned types) {
    const struct option *option = find(options, name);
    if (!option)
        own_mistake(name, "is asked for, but stands in no table");
    if (!(types >> option->row->type & 1))
        own_mistake(name, "is asked for as another type than it has");
    return option;
}

bool options_bool(const struct options *options, const char *name) {
    const struct option *option = typed(options, name, 1u << OPTION_BOOL);
    LOCK_SCOPE(options->lock);
    return option->number;
}

int64_t options_number(const struct options *options, const char *name) {
    const struct option *option = typed(options, name, 1u << OPTION_NUMBER | 1u << OPTION_BYTES);
    LOCK_SCOPE(options->lock);
    return option->number;
}

bool options_text(const struct options *options, const char *name, char *to, size_t size) {
    const struct option *option =
        typed(options, name, 1u << OPTION_TEXT | 1u << OPTION_WORD | 1u << OPTION_SECRET_FILE);
    LOCK_SCOPE(options->lock);
    return !text_copy(to, size, option->text ? option->text : "") && option->text;
}

const struct option_row *options_row(const struct options *options, size_t index) {
    return index < options->count ? options->rows[index].row : NULL;
}

void options_show(const struct options *options, size_t index, char *value, size_t value_size, char *origin,
    size_t origin_size) {
    const struct option *option = &options->rows[index];
    LOCK_SCOPE(options->lock);
    (void)text_copy(value, value_size,
        option->text ? option->text : ""); /* too long for the caller: empty, as documented */
    (void)text_copy(origin, origin_size, option->origin ? option->origin : DEFAULT_ORIGIN);
}
