/* SPDX-License-Identifier: Apache-2.0 */
/* daemon/config: what a file and -o may say, and how mistakes are told. */
#include "check.h"

#include <stdlib.h>

#include "base/option.h"
#include "daemon/config.h"

static const struct option_row ROWS[] = {
    {.name = "cache_max_bytes", .type = OPTION_BYTES, .value = "0", .most = INT64_MAX},
    {.name = "stall_timeout_s", .type = OPTION_NUMBER, .value = "30", .least = 1, .most = 3600},
    {.name = "offline", .type = OPTION_BOOL, .value = "off"},
    {.name = "store", .type = OPTION_TEXT},
    {.name = NULL},
};
static const struct option_row *const TABLES[] = {ROWS, NULL};

static struct options *options;
static struct reason reason;

static int from_json(const char *text) {
    reason.text[0] = '\0';
    return config_from_json(options, "/etc/x.json", text, strlen(text), &reason);
}

static int from_words(const char *text) {
    reason.text[0] = '\0';
    return config_from_words(options, text, "command line", &reason);
}

static void says(const char *part) {
    if (!check_that(strstr(reason.text, part) != NULL, __FILE__, __LINE__, part))
        fprintf(stderr, "    is     %s\n", reason.text);
}

static void files_are_taken(void) {
    char text[100];
    CHECK_ERROR(from_json("{}"), 0);
    CHECK_ERROR(from_json("{\"stall_timeout_s\": 17, \"offline\": true, \"store\": \"/data/s\", "
                          "\"cache_max_bytes\": \"2K\"}"),
        0);
    CHECK_NUMBER(options_number(options, "stall_timeout_s"), 17);
    CHECK_NUMBER(options_number(options, "cache_max_bytes"), 2048);
    CHECK(options_bool(options, "offline"));
    CHECK(options_text(options, "store", text, sizeof(text)));
    CHECK_TEXT(text, "/data/s");
    CHECK_ERROR(from_json("{\"stall_timeout_s\": null, \"offline\": false}"), 0);
    CHECK_NUMBER(options_number(options, "stall_timeout_s"), 17);
    CHECK(!options_bool(options, "offline"));
}

static void files_are_refused(void) {
    static const struct {
        const char *text, *parts[3];
    } CASES[] = {
        /* clang-format off: a case a line */
        {"{\"stal_timeout_s\": 3}", {"/etc/x.json", "stal_timeout_s", "stall_timeout_s"}},
        {"{\"stall_timeout_s\": \"soon\"}", {"/etc/x.json", "stall_timeout_s", "soon"}},
        {"{\"stall_timeout_s\": 0}", {"/etc/x.json", "stall_timeout_s", "1"}},
        {"{\"stall_timeout_s\": 1.5}", {"/etc/x.json", "stall_timeout_s", "whole number"}},
        {"{\"stall_timeout_s\": [3]}", {"/etc/x.json", "stall_timeout_s", "whole number"}},
        {"{\"stall_timeout_s\": {\"a\": 3}}", {"/etc/x.json", "stall_timeout_s", "whole number"}},
        {"{\"stall_timeout_s\": 3, \"stall_timeout_s\": 4}", {"/etc/x.json", "JSON", "stall_timeout_s"}},
        {"{\"stall_timeout_s\": 3", {"/etc/x.json", "JSON", "line"}},
        {"[\"offline\"]", {"/etc/x.json", "object", "NAME"}}, {"", {"/etc/x.json", "JSON", ""}},
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        CHECK_ERROR(from_json(CASES[i].text), -ERR_CONFIG);
        for (size_t part = 0; part < 3; part++)
            says(CASES[i].parts[part]);
    }
    CHECK_NUMBER(options_number(options, "stall_timeout_s"), 17);
}

static void words_are_taken(void) {
    char text[100];
    CHECK_ERROR(from_words("stall_timeout_s=5,offline"), 0);
    CHECK_NUMBER(options_number(options, "stall_timeout_s"), 5);
    CHECK(options_bool(options, "offline"));
    CHECK_ERROR(from_words(",offline=off,,store=/a\\,b=c,"), 0);
    CHECK(!options_bool(options, "offline"));
    CHECK(options_text(options, "store", text, sizeof(text)));
    CHECK_TEXT(text, "/a,b=c");
    CHECK_ERROR(from_words(""), 0);
}

static void words_are_refused(void) {
    CHECK_ERROR(from_words("stall_timeout_s=3,offlin=on"), -ERR_CONFIG);
    says("offlin");
    says("offline");
    CHECK_ERROR(from_words("stall_timeout_s"), -ERR_CONFIG);
    says("stall_timeout_s");
    CHECK_ERROR(from_words("=3"), -ERR_CONFIG);
    CHECK_ERROR(from_words("stall_timeout_s="), -ERR_CONFIG);
}

static void words_are_bounded(void) {
    struct config_words words = {.count = 0};
    for (size_t i = 0; i < CONFIG_WORDS_MAX; i++)
        CHECK_ERROR(config_add_words(&words, NULL, "offline"), 0);
    CHECK_ERROR(config_add_words(&words, NULL, "offline"), -ERR_CONFIG);
    CHECK_NUMBER((int64_t)words.count, CONFIG_WORDS_MAX);
}

/* --store A -o store=B is B, and the other way round. */
static void the_later_counts(void) {
    struct config_words words = {.count = 0};
    char text[100];
    char path[] = "/tmp/weightfs-config.XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    CHECK(file && fputs("{\"store\": \"/c\"}", file) >= 0 && fclose(file) == 0);
    CHECK_ERROR(config_add_words(&words, "store", "/a,b"), 0);
    CHECK_ERROR(config_load(options, path, &words, &reason), 0);
    CHECK(options_text(options, "store", text, sizeof(text)));
    CHECK_TEXT(text, "/a,b");
    CHECK_ERROR(config_add_words(&words, NULL, "store=/d"), 0);
    CHECK_ERROR(config_load(options, path, &words, &reason), 0);
    CHECK(options_text(options, "store", text, sizeof(text)));
    CHECK_TEXT(text, "/d");
    CHECK(remove(path) == 0);
}

int main(void) {
    options = options_new(TABLES);
    files_are_taken();
    files_are_refused();
    words_are_taken();
    words_are_refused();
    words_are_bounded();
    the_later_counts();
    options_free(options);
    return check_result();
}
