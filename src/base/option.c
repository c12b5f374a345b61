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

/* What a layer has to say. */
struct value {
    bool is_set;
    char *text;     /* NULL: explicitly nothing, where the type allows that */
    int64_t number; /* BOOL, NUMBER, BYTES, SHARE: what text says */
    char *origin;   /* NULL: the default */
};

/* Behind the layers: what config/ holds, which for a row that is not live may be another value than the one
 * that OPTION_CONFIG had at the start. */
#define KEPT OPTION_LAYERS

struct option {
    const struct option_row *row;
    struct value values[OPTION_LAYERS + 1];
};

struct options {
    struct lock *lock;   /* of its own, so that reading works on a const struct options */
    struct option *rows; /* in the order of the tables */
    struct option **by_name;
    size_t count;
    bool started; /* under lock */
    void *held;
    void (*let_go)(void *held);
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

static void value_done(struct value *value) {
    free(value->text);
    free(value->origin);
    *value = (struct value){0};
}

/* Copies first: `text` may be the value's own. */
static void value_set(struct value *value, const char *text, int64_t number, const char *origin) {
    struct value made = {true, mem_text(text), number, mem_text(origin)};
    value_done(value);
    *value = made;
}

static void set_default(struct option *option) {
    int64_t number = 0;
    const char *text = option->row->value;
    if (text && option_parse(option->row, text, &number, &text))
        own_mistake(option->row->name, "its default is not a value that it may have");
    value_set(&option->values[OPTION_DEFAULT], text, number, NULL);
}

/* The highest layer that has a value, OPTION_CONFIG being what it was at the start or (`config` KEPT) what
 * it will be at the next. */
static const struct value *in_force(const struct option *option, int config) {
    if (option->values[config].is_set)
        return &option->values[config];
    for (int layer = OPTION_COMMAND_LINE; layer > OPTION_DEFAULT; layer--)
        if (option->values[layer].is_set)
            return &option->values[layer];
    return &option->values[OPTION_DEFAULT];
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
    for (size_t i = 0; i < options->count; i++)
        for (int layer = 0; layer <= KEPT; layer++)
            value_done(&options->rows[i].values[layer]);
    if (options->let_go)
        options->let_go(options->held);
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

static int find_or_say(const struct options *options, const char *name, const char *origin,
    struct option **ret_option, struct reason *reason) {
    struct option *option = find(options, name);
    if (option) {
        *ret_option = option;
        return 0;
    }
    const char *near = nearest(options, name);
    return err_because(reason, -ERR_UNKNOWN_OPTION, "%s: there is no option \"%.64s\"%s%s%s", origin, name,
        near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static int parse(const struct option_row *row, const char *text, const char *origin, int64_t *ret_number,
    const char **ret_text, struct reason *reason) {
    int error = option_parse(row, text, ret_number, ret_text);
    if (!error)
        return 0;
    char wanted[160];
    option_wanted(row, wanted, sizeof wanted);
    return err_because(reason, error, "%s: %s=%.100s: wanted is %s", origin, row->name, text, wanted);
}

int option_check(const struct option_row *row, const char *text, const char *origin, struct reason *reason) {
    int64_t number = 0;
    const char *kept;
    return parse(row, text, origin, &number, &kept, reason);
}

int option_as_number(const struct option_row *row, const char *text, int64_t *ret_number) {
    const char *kept;
    return option_parse(row, text, ret_number, &kept);
}

int options_find(const struct options *options, const char *name, const char *origin, size_t *ret_index,
    struct reason *reason) {
    struct option *option = NULL;
    int error = find_or_say(options, name, origin, &option, reason);
    if (!error)
        *ret_index = (size_t)(option - options->rows);
    return error;
}

static void put_locked(struct value *value, bool is_set, const char *text, int64_t number,
    const char *origin) {
    if (is_set)
        value_set(value, text, number, origin);
    else
        value_done(value);
}

int options_put(struct options *options, enum option_layer layer, const char *name, const char *text,
    const char *origin, struct reason *reason) {
    struct option *option = NULL;
    int64_t number = 0;
    const char *kept = NULL;
    int error = find_or_say(options, name, origin, &option, reason);
    if (!error && text)
        error = parse(option->row, text, origin, &number, &kept, reason);
    if (error)
        return error;
    LOCK_SCOPE(options->lock);
    if (layer == OPTION_CONFIG)
        put_locked(&option->values[KEPT], text != NULL, kept, number, origin);
    if (layer != OPTION_CONFIG || option->row->live || !options->started)
        put_locked(&option->values[layer], text != NULL, kept, number, origin);
    return 0;
}

int options_set(struct options *options, const char *name, const char *text, const char *origin,
    struct reason *reason) {
    return options_put(options, OPTION_COMMAND_LINE, name, text, origin, reason);
}

void options_started(struct options *options) {
    LOCK_SCOPE(options->lock);
    options->started = true;
}

void options_hold(struct options *options, void *what, void (*let_go)(void *what)) {
    options->held = what;
    options->let_go = let_go;
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
        return error ? error
                     : options_put(options, OPTION_ENVIRONMENT, row->name, value, buf_text(&origin), reason);
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
    return in_force(option, OPTION_CONFIG)->number;
}

int64_t options_number(const struct options *options, const char *name) {
    const struct option *option = typed(options, name, 1u << OPTION_NUMBER | 1u << OPTION_BYTES);
    LOCK_SCOPE(options->lock);
    return in_force(option, OPTION_CONFIG)->number;
}

double options_real(const struct options *options, const char *name) {
    const struct option *option = typed(options, name, 1u << OPTION_REAL);
    LOCK_SCOPE(options->lock);
    const char *text = in_force(option, OPTION_CONFIG)->text;
    return text ? strtod(text, NULL) : 0;
}

uint64_t options_share(const struct options *options, const char *name, uint64_t whole) {
    const struct option *option = typed(options, name, 1u << OPTION_SHARE);
    LOCK_SCOPE(options->lock);
    int64_t number = in_force(option, OPTION_CONFIG)->number;
    return number < 0 ? whole / 100 * (uint64_t)-number : (uint64_t)number;
}

bool options_text(const struct options *options, const char *name, char *to, size_t size) {
    const struct option *option =
        typed(options, name, 1u << OPTION_TEXT | 1u << OPTION_WORD | 1u << OPTION_SECRET_FILE);
    LOCK_SCOPE(options->lock);
    const char *text = in_force(option, OPTION_CONFIG)->text;
    return !text_copy(to, size, text ? text : "") && text;
}

const struct option_row *options_row(const struct options *options, size_t index) {
    return index < options->count ? options->rows[index].row : NULL;
}

/* What is too long for the caller is empty, as documented. */
static void show(const struct value *from, char *value, size_t value_size, char *origin, size_t origin_size) {
    (void)text_copy(value, value_size, from->text ? from->text : "");
    if (origin)
        (void)text_copy(origin, origin_size, from->origin ? from->origin : DEFAULT_ORIGIN);
}

void options_show(const struct options *options, size_t index, char *value, size_t value_size, char *origin,
    size_t origin_size) {
    LOCK_SCOPE(options->lock);
    show(in_force(&options->rows[index], OPTION_CONFIG), value, value_size, origin, origin_size);
}

static bool same_text(const char *a, const char *b) {
    return a && b ? !strcmp(a, b) : a == b;
}

bool options_show_next(const struct options *options, size_t index, char *value, size_t value_size,
    char *origin, size_t origin_size) {
    LOCK_SCOPE(options->lock);
    const struct option *option = &options->rows[index];
    const struct value *now = in_force(option, OPTION_CONFIG), *next = in_force(option, KEPT);
    if (same_text(now->text, next->text))
        return false;
    show(next, value, value_size, origin, origin_size);
    return true;
}

bool options_use(const struct options *options, enum option_layer layer) {
    LOCK_SCOPE(options->lock);
    for (size_t i = 0; i < options->count; i++)
        if (options->rows[i].values[layer].is_set)
            return true;
    return false;
}

void options_show_beneath(const struct options *options, size_t index, char *value, size_t value_size) {
    LOCK_SCOPE(options->lock);
    const struct option *option = &options->rows[index];
    const struct value *beneath = &option->values[OPTION_DEFAULT];
    for (int layer = OPTION_FILE; layer < OPTION_CONFIG; layer++)
        if (option->values[layer].is_set)
            beneath = &option->values[layer];
    show(beneath, value, value_size, NULL, 0);
}
