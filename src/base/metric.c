/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metric.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const type_names[] = {
    [METRIC_COUNTER] = "counter",
    [METRIC_GAUGE] = "gauge",
    [METRIC_HISTOGRAM] = "histogram",
};

/* ---- counting ---- */

static void add(_Atomic uint64_t *cell, uint64_t amount) {
    atomic_fetch_add_explicit(cell, amount, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *cell) {
    return atomic_load_explicit(cell, memory_order_relaxed);
}

void metric_add(const struct metric_row *row, unsigned label, uint64_t amount) {
    assert(label < row->cell_count && row->type != METRIC_HISTOGRAM);
    add(&row->cells[label], amount);
}

void metric_set(const struct metric_row *row, unsigned label, uint64_t value) {
    assert(label < row->cell_count && row->type == METRIC_GAUGE);
    atomic_store_explicit(&row->cells[label], value, memory_order_relaxed);
}

static unsigned bound_count(const struct metric_row *row) {
    unsigned count = 0;
    while (row->bounds[count])
        count++;
    return count;
}

/* A label's cells: the buckets (each alone, not added up), the one for the rest, the sum. */
static _Atomic uint64_t *histogram_cells(const struct metric_row *row, unsigned label, unsigned bounds) {
    assert((label + 1) * (bounds + 2) <= row->cell_count);
    return row->cells + (size_t)label * (bounds + 2);
}

void metric_observe(const struct metric_row *row, unsigned label, uint64_t amount) {
    assert(row->type == METRIC_HISTOGRAM);
    unsigned bounds = bound_count(row), bucket = 0;
    _Atomic uint64_t *cells = histogram_cells(row, label, bounds);
    while (bucket < bounds && amount > row->bounds[bucket])
        bucket++;
    add(&cells[bucket], 1);
    add(&cells[bounds + 1], amount);
}

uint64_t metric_value(const struct metric_row *row, unsigned label) {
    if (row->type != METRIC_HISTOGRAM) {
        assert(label < row->cell_count);
        return get(&row->cells[label]);
    }
    unsigned bounds = bound_count(row);
    const _Atomic uint64_t *cells = histogram_cells(row, label, bounds);
    uint64_t count = 0;
    for (unsigned bucket = 0; bucket <= bounds; bucket++)
        count += get(&cells[bucket]);
    return count;
}

/* ---- errors as a label ---- */

const char *metric_error_label(unsigned index) {
    const char *name, *sentence;
    int number;
    if (index == 0)
        return "OK";
    if (index - 1 >= err_count())
        return index - 1 == err_count() ? "SYSTEM" : NULL;
    err_row(index - 1, &name, &number, &sentence);
    return name;
}

unsigned metric_error(int error) {
    if (error >= 0)
        return 0;
    if (error < -ERR_FIRST && error > -ERR_END)
        return (unsigned)(-error - ERR_FIRST);
    return (unsigned)err_count() + 1;
}

/* ---- printing ---- */

static const char *label_value(const struct metric_label *label, unsigned index) {
    return label->values ? label->values[index] : label->value_of(index);
}

static unsigned value_count(const struct metric_label *label) {
    unsigned count = 0;
    if (!label->name)
        return 1;
    while (label_value(label, count))
        count++;
    return count;
}

unsigned metric_label_count(const struct metric_row *row) {
    return value_count(&row->labels[0]) * value_count(&row->labels[1]);
}

/* What the format wants escaped: a backslash, the end of a line and, in a label, a quote. */
static int add_escaped(struct buf *to, const char *text, bool quoted) {
    int result = 0;
    for (; *text && !result; text++) {
        if (*text == '\n')
            result = buf_text_add(to, "\\n");
        else if (*text == '\\' || (quoted && *text == '"'))
            result = buf_format(to, "\\%c", *text);
        else
            result = buf_add(to, text, 1);
    }
    return result;
}

static int add_head(const struct metric_row *row, struct buf *to) {
    int result = buf_format(to, "# HELP %s ", row->name);
    if (!result)
        result = add_escaped(to, row->help, false);
    return result ? result : buf_format(to, "\n# TYPE %s %s\n", row->name, type_names[row->type]);
}

static int add_label(const char *name, const char *value, bool *first, struct buf *to) {
    int result = buf_format(to, "%c%s=\"", *first ? '{' : ',', name);
    *first = false;
    if (!result)
        result = add_escaped(to, value, true);
    return result ? result : buf_text_add(to, "\"");
}

/* What a line is about: a row and the values of its labels, NULL for those that it has not. */
struct series {
    const struct metric_row *row;
    const char *values[2];
};

static struct series series_of(const struct metric_row *row, unsigned label) {
    unsigned second_count = value_count(&row->labels[1]);
    const unsigned index[2] = {label / second_count, label % second_count};
    struct series series = {.row = row};
    for (unsigned i = 0; i < 2; i++)
        if (row->labels[i].name)
            series.values[i] = label_value(&row->labels[i], index[i]);
    return series;
}

/* The name and the labels: `bound` is the value of a bucket's `le`, NULL for what has none. */
static int add_name(const struct series *series, const char *suffix, const char *bound, struct buf *to) {
    bool first = true;
    int result = buf_format(to, "%s%s", series->row->name, suffix);
    for (unsigned i = 0; i < 2 && !result; i++)
        if (series->values[i])
            result = add_label(series->row->labels[i].name, series->values[i], &first, to);
    if (!result && bound)
        result = add_label("le", bound, &first, to);
    return result || first ? result : buf_text_add(to, "}");
}

static double scaled(const struct metric_row *row, double value) {
    return row->scale ? value / row->scale : value;
}

/* Whole numbers whole, up to where a double can't tell them apart. */
static int add_value(struct buf *to, double value) {
    if (isnan(value))
        return buf_text_add(to, " NaN\n");
    if (isinf(value))
        return buf_text_add(to, value > 0 ? " +Inf\n" : " -Inf\n");
    bool whole = value > -0x1p53 && value < 0x1p53 && (double)(int64_t)value == value;
    return buf_format(to, whole ? " %.0f\n" : " %.12g\n", value);
}

static int add_line(const struct series *series, const char *suffix, const char *bound, double value,
    struct buf *to) {
    int result = add_name(series, suffix, bound, to);
    return result ? result : add_value(to, value);
}

static int add_histogram(const struct series *series, const uint64_t *cells, struct buf *to) {
    const struct metric_row *row = series->row;
    unsigned bounds = bound_count(row);
    uint64_t count = 0;
    int result = 0;
    for (unsigned bucket = 0; bucket <= bounds && !result; bucket++) {
        char bound[32] = "+Inf";
        if (bucket < bounds)
            (void)snprintf(bound, sizeof bound, "%.9g", scaled(row, (double)row->bounds[bucket]));
        count += cells[bucket];
        result = add_line(series, "_bucket", bound, (double)count, to);
    }
    if (!result)
        result = add_line(series, "_sum", NULL, scaled(row, (double)cells[bounds + 1]), to);
    return result ? result : add_line(series, "_count", NULL, (double)count, to);
}

static int add_own_histogram(const struct series *series, unsigned label, struct buf *to) {
    unsigned bounds = bound_count(series->row);
    const _Atomic uint64_t *cells = histogram_cells(series->row, label, bounds);
    uint64_t *copy = mem_array(bounds + 2, sizeof *copy);
    for (unsigned i = 0; i < bounds + 2; i++)
        copy[i] = get(&cells[i]);
    int result = add_histogram(series, copy, to);
    free(copy);
    return result;
}

static int add_fixed(const struct metric_row *row, void *context, struct buf *to) {
    unsigned count = metric_label_count(row);
    double *values = mem_array(count, sizeof *values);
    int result = row->read ? row->read(context, values, count) : 0;
    bool shown = result >= 0;
    result = shown ? add_head(row, to) : 0;
    for (unsigned label = 0; shown && label < count && !result; label++) {
        const struct series series = series_of(row, label);
        if (row->type == METRIC_HISTOGRAM)
            result = add_own_histogram(&series, label, to);
        else
            result = add_line(&series, "", NULL,
                scaled(row, row->read ? values[label] : (double)get(&row->cells[label])), to);
    }
    free(values);
    return result;
}

/* ---- labels without fixed values ---- */

struct metric_list {
    const struct metric_row *row;
    struct buf *to;
};

int metric_put(struct metric_list *to, const char *value, double number) {
    const struct series series = {.row = to->row, .values = {value}};
    return add_line(&series, "", NULL, scaled(to->row, number), to->to);
}

int metric_put_histogram(struct metric_list *to, const char *value, const uint64_t *cells) {
    const struct series series = {.row = to->row, .values = {value}};
    return add_histogram(&series, cells, to->to);
}

static int add_listed(const struct metric_row *row, void *context, struct buf *to) {
    struct metric_list list = {.row = row, .to = to};
    int result = add_head(row, to);
    return result ? result : row->list(context, &list);
}

int metrics_print(const struct metric_section *sections, struct buf *to) {
    int result = 0;
    for (; sections->rows && !result; sections++)
        for (const struct metric_row *row = sections->rows; row->name && !result; row++)
            result =
                row->list ? add_listed(row, sections->context, to) : add_fixed(row, sections->context, to);
    return result;
}
