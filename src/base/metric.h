/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_METRIC_H
#define WEIGHTFS_BASE_METRIC_H

/*
 * Metrics are rows, as options are: a floor exports its own table (a `const struct metric_row []` ended by a
 * row without a name) and an enum of its indices; the daemon puts the tables together and `metrics` prints
 * them in the Prometheus text format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 *
 * What is counted as it happens has cells beside its row, and costs one relaxed atomic addition, from any
 * thread and under any lock; a reader sees each number whole, and numbers that belong together a moment
 * apart. What is known anyway (a gauge, mostly) is asked for when it is printed: `read`.
 *
 * A name begins with "weightfs_" and ends with its unit (_bytes, _seconds) and, a counter's, with _total.
 * Labels have fixed values: each is printed from the start on, with 0, so that a rate over it never misses
 * its first step. A label that users make values for (a model that is asked) is for rows with `list`, which
 * has a bound on how many; no other metric has one (no path, no user).
 *
 *     static const uint64_t times[] = {1000, 1000000, 0};                     in nanoseconds
 *     const struct metric_row face_metrics[] = {
 *         [FACE_ERRORS] = {.name = "weightfs_face_errors_total", .type = METRIC_COUNTER,
 *             .help = "Answers with an error.", METRIC_CELLS(1)},
 *         [FACE_TIME] = {.name = "weightfs_face_seconds", .type = METRIC_HISTOGRAM, .scale = 1e9,
 *             .bounds = times, .help = "Time of an answer.", METRIC_HISTOGRAM_CELLS(1, times)},
 *         {.name = NULL},
 *     };
 *     metric_add(&face_metrics[FACE_ERRORS], 0, 1);
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_label {
    const char *name; /* NULL: there is none */
    /* Its values, one of the two: an array that NULL ends, or a function that gives NULL behind the last. */
    const char *const *values;
    const char *(*value_of)(unsigned index);
};

struct metric_list; /* where a row's `list` puts its values */

struct metric_row {
    const char *name;
    enum metric_type type;
    const char *help; /* a sentence */
    /* None, one or two. Where a function takes a `label`, it is the index of the value; of two labels
     * METRIC_PAIR() of both. */
    struct metric_label labels[2];
    double scale;           /* what is counted is divided by it when it is printed (1e9: nanoseconds, shown as
                   * seconds); 0: by nothing */
    const uint64_t *bounds; /* histograms: upper ends of the buckets, rising, before scaling; 0 ends them */

    _Atomic uint64_t *cells; /* METRIC_CELLS(), METRIC_HISTOGRAM_CELLS(); NULL: `read` */
    unsigned cell_count;
    /* Fills the `count` values, in the order of the label's (1 without a label), not scaled. Holds no lock,
     * asks no network, is quick. A negative answer leaves the metric out of this print. */
    int (*read)(void *context, double *values, unsigned count);
    /* Instead of both, for one label without fixed values (labels[0], with a name only): calls metric_put()
     * or metric_put_histogram() for each, and gives their error. It may hold no lock meanwhile. */
    int (*list)(void *context, struct metric_list *to);
};
int metric_put(struct metric_list *to, const char *value, double number); /* not scaled */
/* `cells` as METRIC_HISTOGRAM_CELLS() lays them out, of one label. */
int metric_put_histogram(struct metric_list *to, const char *value, const uint64_t *cells);

/* The index of two labels' values, of which the second label has `second_count`. */
#define METRIC_PAIR(first, second, second_count) ((first) * (second_count) + (second))

/* Room for `labels` values (1: no label). At file scope only: the cells live as long as the program. */
#define METRIC_CELLS(labels) .cells = (_Atomic uint64_t[labels]){0}, .cell_count = (labels)
/* The same for a histogram with the array `ends` of bounds: a bucket each, one for the rest, the sum. */
#define METRIC_ENDS(ends)                    (sizeof(ends) / sizeof *(ends) + 1)
#define METRIC_HISTOGRAM_CELLS(labels, ends) METRIC_CELLS((labels)*METRIC_ENDS(ends))

/* Counters, and gauges with cells. `label` is the index of the value, 0 without a label; one that the row
 * does not have is our own mistake (assert). */
void metric_add(const struct metric_row *row, unsigned label, uint64_t amount);
void metric_set(const struct metric_row *row, unsigned label, uint64_t value);      /* gauges */
void metric_observe(const struct metric_row *row, unsigned label, uint64_t amount); /* histograms */
/* What a cell has, for those who show it elsewhere, and for tests; of a histogram how often it was
 * observed. */
uint64_t metric_value(const struct metric_row *row, unsigned label);
/* How many values the row's labels have together; 1 without a label. */
unsigned metric_label_count(const struct metric_row *row);

/* Errors as a label: "OK", the names of err.h's table, "SYSTEM" for all that is an errno. */
#define METRIC_ERRORS (ERR_END - ERR_FIRST - 1 + 2)
const char *metric_error_label(unsigned index); /* `value_of` */
unsigned metric_error(int error);               /* the index: 0 or more is "OK" */

/* A floor's table and what its functions are called with. */
struct metric_section {
    const struct metric_row *rows; /* NULL ends an array of sections */
    void *context;
};
/* All of it. 0, or -EFBIG at the buffer's limit. */
int metrics_print(const struct metric_section *sections, struct buf *to);

/* This process: memory, descriptors, processor time, start; names as all Prometheus clients have them. */
extern const struct metric_row process_metrics[];

#endif
