/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/buf.h"
#include "base/option.h"

static const struct option_row STORE[] = {
    {.name = "cache_max_bytes", .type = OPTION_BYTES, .most = INT64_MAX},
    {.name = "stall_timeout_s", .type = OPTION_NUMBER, .value = "30", .least = 1, .most = 3600},
    {.name = "integrity", .type = OPTION_WORD, .value = "lazy", .words = "lazy|strict"},
    {0},
};
static const struct option_row HUB[] = {
    {.name = "offline", .type = OPTION_BOOL, .value = "off", .environment = "TEST_OFFLINE,TEST_OFF"},
    {.name = "endpoint", .type = OPTION_TEXT, .value = "https://example.org"},
    {.name = "token_file", .type = OPTION_SECRET_FILE},
    {.name = "memory_budget", .type = OPTION_SHARE, .value = "80%", .most = INT64_MAX},
    {0},
};
static const struct option_row *const TABLES[] = {STORE, HUB, NULL};

static struct options *options;

static void defaults_hold(void) {
    char text[100];
    CHECK_NUMBER(options_number(options, "stall_timeout_s"), 30);
    CHECK_NUMBER(options_number(options, "cache_max_bytes"), 0);
    CHECK(!options_bool(options, "offline"));
    CHECK(options_text(options, "endpoint", text, sizeof text));
    CHECK_TEXT(text, "https://example.org");
    CHECK(!options_text(options, "token_file", text, sizeof text));
    CHECK_TEXT(text, "");
    CHECK_TEXT(options_row(options, 0)->name, "cache_max_bytes");
    CHECK_TEXT(options_row(options, 5)->name, "token_file");
    CHECK(!options_row(options, 7));
}

static void values_are_taken_and_shown(void) {
    static const struct {
        const char *name, *text, *shown;
    } ROWS[] = {
        {"cache_max_bytes", "50G", "50G"},
        {"stall_timeout_s", "3600", "3600"},
        {"integrity", "strict", "strict"},
        {"offline", "YES", "on"},
        {"offline", "0", "off"},
        {"endpoint", "http://[::1]:8080", "http://[::1]:8080"},
        {"endpoint", "", ""},
        {"stall_timeout_s", NULL, "30"},
        {"cache_max_bytes", NULL, ""},
        {"memory_budget", "1%", "1%"},
        {"memory_budget", "8G", "8G"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        CHECK_OK(options_set(options, ROWS[i].name, ROWS[i].text, "test", NULL));
        for (size_t at = 0; options_row(options, at); at++) {
            char value[64], origin[64];
            if (strcmp(options_row(options, at)->name, ROWS[i].name))
                continue;
            options_show(options, at, value, sizeof value, origin, sizeof origin);
            CHECK_TEXT(value, ROWS[i].shown);
            CHECK_TEXT(origin, ROWS[i].text ? "test" : "default");
        }
    }
    CHECK_OK(options_set(options, "cache_max_bytes", "1M", "test", NULL));
    CHECK_NUMBER(options_number(options, "cache_max_bytes"), 1 << 20);
}

static void refused(const char *name, const char *text, const char *wanted) {
    struct reason reason = {""};
    char sentence[400];
    snprintf(sentence, sizeof sentence, "f.json: %s=%s: wanted is %s", name, text, wanted);
    CHECK_ERROR(options_set(options, name, text, "f.json", &reason), -ERR_BAD_VALUE);
    CHECK_TEXT(reason.text, sentence);
}

static void a_wrong_value_changes_nothing(void) {
    static const char *const NUMBERS[] = {"0", "3601", "1x", " 1", "+1", "", "-", "99999999999999999999"};
    static const char *const SIZES[] = {"-1", "9223372036854775808", "", "G"};
    static const char *const WORDS[] = {"str", "", "lazy|strict", "LAZY"};
    static const char *const BOOLS[] = {"maybe", "", "2"};
    CHECK_OK(options_set(options, "stall_timeout_s", "7", "test", NULL));
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++)
        refused("stall_timeout_s", NUMBERS[i], "a whole number from 1 to 3600");
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++)
        refused("cache_max_bytes", SIZES[i], "a size in bytes (512M, 50G …), at least 0");
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        refused("integrity", WORDS[i], "lazy or strict");
    for (size_t i = 0; i < sizeof BOOLS / sizeof *BOOLS; i++)
        refused("offline", BOOLS[i], "on or off");
    CHECK_ERROR(options_set(options, "endpoint", "a\nb", "f.json", NULL), -ERR_BAD_VALUE);
    CHECK_NUMBER(options_number(options, "stall_timeout_s"), 7);
}

static void a_share_is_bytes_or_a_part(void) {
    static const char *const WRONG[] = {"0%", "101%", "%", "-5%", "+5%", "50 %", "5%%", "1000%", "", "half"};
    CHECK_OK(options_set(options, "memory_budget", "80%", "test", NULL));
    CHECK_NUMBER((int64_t)options_share(options, "memory_budget", 1000), 800);
    CHECK_NUMBER((int64_t)options_share(options, "memory_budget", 0), 0);
    CHECK((int64_t)options_share(options, "memory_budget", UINT64_MAX) < 0); /* no overflow */
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        refused("memory_budget", WRONG[i], "a size in bytes (512M, 50G …), or 1% to 100%");
    CHECK_NUMBER((int64_t)options_share(options, "memory_budget", 1000), 800);
    CHECK_OK(options_set(options, "memory_budget", "3K", "test", NULL));
    CHECK_NUMBER((int64_t)options_share(options, "memory_budget", 1000), 3072);
}

static void an_unknown_name_gets_the_nearest(void) {
    struct reason reason;
    CHECK_ERROR(options_set(options, "stall_timout_s", "1", "command line", &reason), -ERR_UNKNOWN_OPTION);
    CHECK_TEXT(reason.text,
        "command line: there is no option \"stall_timout_s\"; did you mean \"stall_timeout_s\"?");
    CHECK_ERROR(options_set(options, "zebra", "1", "command line", &reason), -ERR_UNKNOWN_OPTION);
    CHECK_TEXT(reason.text, "command line: there is no option \"zebra\"");
    CHECK_ERROR(options_set(options, "", "1", "command line", &reason), -ERR_UNKNOWN_OPTION);
}

static void the_first_set_name_of_the_environment_counts(void) {
    struct reason reason;
    char text[100], origin[100];
    CHECK_OK(options_set(options, "offline", NULL, "test", NULL)); /* the environment lies beneath */
    setenv("TEST_OFFLINE", "", 1);
    setenv("TEST_OFF", "TRUE", 1);
    CHECK_OK(options_from_environment(options, &reason));
    CHECK(options_bool(options, "offline"));
    options_show(options, 3, text, sizeof text, origin, sizeof origin);
    CHECK_TEXT(origin, "environment TEST_OFF");
    setenv("TEST_OFFLINE", "no", 1);
    CHECK_OK(options_from_environment(options, &reason));
    CHECK(!options_bool(options, "offline"));
    setenv("TEST_OFFLINE", "never", 1);
    CHECK_ERROR(options_from_environment(options, &reason), -ERR_BAD_VALUE);
    CHECK_TEXT(reason.text, "environment TEST_OFFLINE: offline=never: wanted is on or off");
}

static void what_does_not_fit_is_empty(void) {
    char text[8] = "before";
    CHECK_OK(options_set(options, "endpoint", "12345678", "test", NULL));
    CHECK(!options_text(options, "endpoint", text, sizeof text));
    CHECK_TEXT(text, "");
    char *much = mem_new(5000);
    memset(much, 'x', 4999);
    CHECK_ERROR(options_set(options, "endpoint", much, "test", NULL), -ERR_BAD_VALUE);
    free(much);
}

static void unknown_name(void) {
    options_number(options, "no_such_option");
}

static void wrong_type(void) {
    options_bool(options, "endpoint");
}

static void bad_default(void) {
    static const struct option_row rows[] =
        {{.name = "a", .type = OPTION_NUMBER, .value = "5", .least = 1, .most = 4}, {0}};
    options_new((const struct option_row *const[]){rows, NULL});
}

static void name_twice(void) {
    options_new((const struct option_row *const[]){HUB, HUB, NULL});
}

int main(void) {
    options = options_new(TABLES);
    defaults_hold();
    values_are_taken_and_shown();
    a_wrong_value_changes_nothing();
    a_share_is_bytes_or_a_part();
    an_unknown_name_gets_the_nearest();
    the_first_set_name_of_the_environment_counts();
    what_does_not_fit_is_empty();
    CHECK_ABORTS(unknown_name);
    CHECK_ABORTS(wrong_type);
    CHECK_ABORTS(bad_default);
    CHECK_ABORTS(name_twice);
    options_free(options);
    return check_result();
}
