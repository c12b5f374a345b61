/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <float.h>

#include "base/option.h"

static const struct option_row ROWS[] = {
    {.name = "live", .type = OPTION_NUMBER, .value = "1", .least = 0, .most = 9, .live = true},
    {.name = "later",
        .type = OPTION_NUMBER,
        .value = "1",
        .least = 0,
        .most = 9,
        .environment = "TEST_LATER"},
    {.name = "share", .type = OPTION_REAL, .value = "0.5", .most_real = 1, .live = true},
    {.name = "any", .type = OPTION_REAL, .live = true},
    {.name = "half", .type = OPTION_REAL, .least_real = 2, .most_real = DBL_MAX, .live = true},
    {.name = "word", .type = OPTION_TEXT, .value = "w", .live = true},
    {0},
};
static const struct option_row *const TABLES[] = {ROWS, NULL};
static struct options *options;

static void holds(const char *name, const char *value, const char *origin) {
    char is[64], from[64];
    size_t index = 0;
    CHECK_OK(options_find(options, name, "test", &index, NULL));
    options_show(options, index, is, sizeof is, from, sizeof from);
    CHECK_TEXT(is, value);
    CHECK_TEXT(from, origin);
}

/* NULL: the same as now. */
static void holds_next(const char *name, const char *value) {
    char next[64];
    size_t index = 0;
    CHECK_OK(options_find(options, name, "test", &index, NULL));
    bool changes = options_show_next(options, index, next, sizeof next, NULL, 0);
    CHECK(changes == (value != NULL));
    if (changes && value)
        CHECK_TEXT(next, value);
}

static void put(enum option_layer layer, const char *name, const char *text, const char *origin) {
    CHECK_OK(options_put(options, layer, name, text, origin, NULL));
}

static void the_highest_counts_in_whatever_order_they_come(void) {
    put(OPTION_CONFIG, "live", "5", "config/");
    put(OPTION_FILE, "live", "2", "file");
    put(OPTION_COMMAND_LINE, "live", "4", "line");
    put(OPTION_ENVIRONMENT, "live", "3", "environment");
    holds("live", "5", "config/");
    put(OPTION_CONFIG, "live", NULL, "config/");
    holds("live", "4", "line");
    CHECK_NUMBER(options_number(options, "live"), 4);
    put(OPTION_COMMAND_LINE, "live", NULL, "line");
    holds("live", "3", "environment");
    put(OPTION_ENVIRONMENT, "live", NULL, "");
    holds("live", "2", "file");
    put(OPTION_FILE, "live", NULL, "");
    holds("live", "1", "default");
}

static void a_wrong_value_leaves_each_layer_as_it_was(void) {
    put(OPTION_CONFIG, "live", "5", "config/");
    CHECK_ERROR(options_put(options, OPTION_CONFIG, "live", "10", "config/", NULL), -ERR_BAD_VALUE);
    CHECK_ERROR(options_put(options, OPTION_FILE, "live", "x", "file", NULL), -ERR_BAD_VALUE);
    holds("live", "5", "config/");
    put(OPTION_CONFIG, "live", NULL, "config/");
    holds("live", "1", "default");
}

/* An empty text is a value: nothing, whatever lies beneath. */
static void an_empty_text_covers(void) {
    put(OPTION_COMMAND_LINE, "word", "beneath", "line");
    put(OPTION_CONFIG, "word", "", "config/");
    holds("word", "", "config/");
    put(OPTION_CONFIG, "word", NULL, "config/");
    holds("word", "beneath", "line");
}

static void what_is_not_live_waits_once_all_have_read_it(void) {
    put(OPTION_CONFIG, "later", "7", "config/");
    holds("later", "7", "config/");
    options_started(options);
    put(OPTION_CONFIG, "later", "8", "config/");
    holds("later", "7", "config/");
    holds_next("later", "8");
    put(OPTION_CONFIG, "later", NULL, "config/");
    holds("later", "7", "config/");
    holds_next("later", "1");
    put(OPTION_CONFIG, "later", "7", "config/");
    holds_next("later", NULL);
    put(OPTION_CONFIG, "live", "6", "config/");
    holds("live", "6", "config/");
    holds_next("live", NULL);
}

static void refused(const char *name, const char *text, const char *wanted) {
    struct reason reason = {""};
    CHECK_ERROR(options_put(options, OPTION_CONFIG, name, text, "t", &reason), -ERR_BAD_VALUE);
    CHECK(strstr(reason.text, wanted) != NULL);
}

static void decimals_have_bounds(void) {
    static const char *const GOOD[] = {"0", "1", "0.35", "1e-5", "3.5e-1", "0.0", "00.5", "-0"};
    static const char *const BAD[] = {"7", "-0.1", "1.0000001", "nan", "inf", "0x1p-1", ".5", "5.", "0,5",
        " 0.5", "0.5 ", "+0.5", "", "-", "1e", "1e999", "0.5.5",
        "0.0000000000000000000000000000000000000000000000000001"};
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        put(OPTION_CONFIG, "share", GOOD[i], "t");
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        refused("share", BAD[i], "wanted is a number from 0 to 1");
    holds("share", "-0", "t");
    put(OPTION_CONFIG, "share", "0.35", "t");
    CHECK(options_real(options, "share") == 0.35);
    put(OPTION_CONFIG, "any", "-1e300", "t");
    refused("any", "1e309", "wanted is a number");
    put(OPTION_CONFIG, "half", "1e300", "t");
    refused("half", "1.9", "wanted is a number, at least 2");
}

int main(void) {
    options = options_new(TABLES);
    the_highest_counts_in_whatever_order_they_come();
    a_wrong_value_leaves_each_layer_as_it_was();
    an_empty_text_covers();
    what_is_not_live_waits_once_all_have_read_it();
    decimals_have_bounds();
    options_free(options);
    return check_result();
}
