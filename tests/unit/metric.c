/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <pthread.h>

#include "base/metric.h"

static const uint64_t TIMES[] = {1000, 1000000, 0};
static const char *const RESULTS[] = {"ok", "a \"bad\"\\\none", NULL};

static const char *colour(unsigned index) {
    static const char *const COLOURS[] = {"red", "green"};
    return index < 2 ? COLOURS[index] : NULL;
}

static int read_weight(void *context, double *values, unsigned count) {
    CHECK_NUMBER(count, 2);
    for (unsigned i = 0; i < count; i++)
        values[i] = *(double *)context * (i + 1);
    return 0;
}

static int read_nothing(void *context, double *values, unsigned count) {
    (void)context, (void)values, (void)count;
    return -ENOENT;
}

enum { DONE, LEVEL, TIME, WEIGHT, PAIRS, GONE };
static const struct metric_row ROWS[] = {
    [DONE] = {.name = "test_done_total",
        .type = METRIC_COUNTER,
        .help = "One line\nand \\ a \"second\".",
        .labels = {{"result", .values = RESULTS}},
        METRIC_CELLS(2)},
    [LEVEL] = {.name = "test_level", .type = METRIC_GAUGE, .help = "Level.", METRIC_CELLS(1)},
    [TIME] = {.name = "test_seconds",
        .type = METRIC_HISTOGRAM,
        .help = "Time.",
        .scale = 1e9,
        .labels = {{"colour", .value_of = colour}},
        .bounds = TIMES,
        METRIC_HISTOGRAM_CELLS(2, TIMES)},
    [WEIGHT] = {.name = "test_grams",
        .type = METRIC_GAUGE,
        .help = "Weight.",
        .labels = {{"colour", .value_of = colour}},
        .read = read_weight},
    [PAIRS] = {.name = "test_pairs",
        .type = METRIC_GAUGE,
        .help = "Pairs.",
        .labels = {{"result", .values = RESULTS}, {"colour", .value_of = colour}},
        METRIC_CELLS(4)},
    [GONE] = {.name = "test_gone", .type = METRIC_GAUGE, .help = "Gone.", .read = read_nothing},
    {.name = NULL},
};

static void print_all(struct buf *text, double weight) {
    const struct metric_section sections[] = {{ROWS, &weight}, {NULL, NULL}};
    CHECK_ERROR(metrics_print(sections, text), 0);
}

static void the_format_is_prometheus(void) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    metric_add(&ROWS[DONE], 1, 3);
    metric_set(&ROWS[LEVEL], 0, 12);
    metric_set(&ROWS[PAIRS], METRIC_PAIR(1, 0, 2), 5);
    metric_observe(&ROWS[TIME], 0, 1000); /* a bound belongs to its bucket */
    metric_observe(&ROWS[TIME], 0, 1001);
    metric_observe(&ROWS[TIME], 0, 5000000);
    print_all(&text, 0.25);
    CHECK_TEXT(buf_text(&text), "# HELP test_done_total One line\\nand \\\\ a \"second\".\n"
                                "# TYPE test_done_total counter\n"
                                "test_done_total{result=\"ok\"} 0\n"
                                "test_done_total{result=\"a \\\"bad\\\"\\\\\\none\"} 3\n"
                                "# HELP test_level Level.\n"
                                "# TYPE test_level gauge\n"
                                "test_level 12\n"
                                "# HELP test_seconds Time.\n"
                                "# TYPE test_seconds histogram\n"
                                "test_seconds_bucket{colour=\"red\",le=\"1e-06\"} 1\n"
                                "test_seconds_bucket{colour=\"red\",le=\"0.001\"} 2\n"
                                "test_seconds_bucket{colour=\"red\",le=\"+Inf\"} 3\n"
                                "test_seconds_sum{colour=\"red\"} 0.005002001\n"
                                "test_seconds_count{colour=\"red\"} 3\n"
                                "test_seconds_bucket{colour=\"green\",le=\"1e-06\"} 0\n"
                                "test_seconds_bucket{colour=\"green\",le=\"0.001\"} 0\n"
                                "test_seconds_bucket{colour=\"green\",le=\"+Inf\"} 0\n"
                                "test_seconds_sum{colour=\"green\"} 0\n"
                                "test_seconds_count{colour=\"green\"} 0\n"
                                "# HELP test_grams Weight.\n"
                                "# TYPE test_grams gauge\n"
                                "test_grams{colour=\"red\"} 0.25\n"
                                "test_grams{colour=\"green\"} 0.5\n"
                                "# HELP test_pairs Pairs.\n"
                                "# TYPE test_pairs gauge\n"
                                "test_pairs{result=\"ok\",colour=\"red\"} 0\n"
                                "test_pairs{result=\"ok\",colour=\"green\"} 0\n"
                                "test_pairs{result=\"a \\\"bad\\\"\\\\\\none\",colour=\"red\"} 5\n"
                                "test_pairs{result=\"a \\\"bad\\\"\\\\\\none\",colour=\"green\"} 0\n");
    CHECK_NUMBER(metric_label_count(&ROWS[PAIRS]), 4);
    CHECK_NUMBER(metric_value(&ROWS[TIME], 0), 3);
    CHECK_NUMBER(metric_value(&ROWS[TIME], 1), 0);
    CHECK_NUMBER(metric_label_count(&ROWS[TIME]), 2);
    CHECK_NUMBER(metric_label_count(&ROWS[LEVEL]), 1);
}

static void large_numbers_are_whole(void) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    metric_set(&ROWS[LEVEL], 0, UINT64_C(9007199254740991));
    print_all(&text, 1e300);
    CHECK(strstr(buf_text(&text), "test_level 9007199254740991\n"));
    CHECK(strstr(buf_text(&text), "test_grams{colour=\"red\"} 1e+300\n"));
}

static void a_buffer_that_is_full_says_so(void) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    double weight = 1;
    const struct metric_section sections[] = {{ROWS, &weight}, {NULL, NULL}};
    text.limit = 100;
    CHECK_ERROR(metrics_print(sections, &text), -EFBIG);
}

enum { THREADS = 4, ROUNDS = 50000 };

static void *raise_many(void *context) {
    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        metric_add(&ROWS[DONE], 0, 2);
        metric_observe(&ROWS[TIME], 1, (uint64_t)i);
    }
    return NULL;
}

static void threads_lose_nothing(void) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK(!pthread_create(&threads[i], NULL, raise_many, NULL));
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_NUMBER(metric_value(&ROWS[DONE], 0), 2 * THREADS * ROUNDS);
    CHECK_NUMBER(metric_value(&ROWS[TIME], 1), THREADS * ROUNDS);
}

static void a_label_that_is_not_there(void) {
    metric_add(&ROWS[DONE], 2, 1);
}

static void errors_are_a_label(void) {
    CHECK_TEXT(metric_error_label(metric_error(0)), "OK");
    CHECK_TEXT(metric_error_label(metric_error(3)), "OK");
    CHECK_TEXT(metric_error_label(metric_error(-ERR_BAD_NAME)), "BAD_NAME");
    CHECK_TEXT(metric_error_label(metric_error(-ERR_CONFIG)), "CONFIG");
    CHECK_TEXT(metric_error_label(metric_error(-EIO)), "SYSTEM");
    CHECK(!metric_error_label(METRIC_ERRORS));
    CHECK(metric_error_label(METRIC_ERRORS - 1));
}

static void the_process_tells_of_itself(void) {
    const struct metric_section sections[] = {{process_metrics, NULL}, {NULL, NULL}};
    BUF_CLEANUP struct buf text = BUF_INIT;
    CHECK_ERROR(metrics_print(sections, &text), 0);
    for (const struct metric_row *row = process_metrics; row->name; row++) {
        double value = -1;
        CHECK_ERROR(row->read(NULL, &value, 1), 0);
        CHECK(value >= 0);
        CHECK(strstr(buf_text(&text), row->name));
    }
}

int main(void) {
    the_format_is_prometheus();
    large_numbers_are_whole();
    a_buffer_that_is_full_says_so();
    threads_lose_nothing();
    CHECK(check_aborts(a_label_that_is_not_there));
    errors_are_a_label();
    the_process_tells_of_itself();
    return check_result();
}
