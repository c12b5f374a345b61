/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/buf.h"
#include "outside/json.h"

static struct json *parsed(const char *text) {
    struct json *document = NULL;
    struct reason reason = {""};
    CHECK_OK(json_parse(text, strlen(text), &document, &reason));
    CHECK_TEXT(reason.text, "");
    return document;
}

static void values_are_got(void) {
    JSON_CLEANUP struct json *document = parsed("{\"text\": \"a\\u20ac\", \"number\": -5, \"real\": 1e3, "
                                                "\"yes\": true, \"no\": false, \"null\": null,"
                                                " \"array\": [1, \"two\", [3]], \"nul\": \"a\\u0000b\"}");
    size_t len = 0;
    int64_t number = 0;
    CHECK_NUMBER(json_type_of(document), JSON_OBJECT);
    CHECK_TEXT(json_text(json_get(document, "text"), &len), "a\xe2\x82\xac");
    CHECK_NUMBER((int64_t)len, 4);
    CHECK_TEXT(json_text(json_get(document, "text"), NULL), "a\xe2\x82\xac");
    CHECK(json_number(json_get(document, "number"), &number) && number == -5);
    CHECK(json_number(json_get(document, "real"), &number) && number == 1000);
    CHECK(json_bool(json_get(document, "yes"), false));
    CHECK(!json_bool(json_get(document, "no"), true));
    CHECK(json_bool(json_get(document, "null"), true));
    CHECK(!json_bool(json_get(document, "missing"), false));
    CHECK_NUMBER(json_type_of(json_get(document, "null")), JSON_NULL);
    CHECK_NUMBER(json_type_of(json_get(document, "yes")), JSON_BOOL);
    CHECK_NUMBER(json_type_of(json_get(document, "real")), JSON_NUMBER);
    CHECK(!json_text(json_get(document, "nul"), NULL));
    CHECK_NUMBER(json_type_of(json_get(document, "nul")), JSON_STRING);

    const struct json *array = json_get(document, "array");
    CHECK_NUMBER((int64_t)json_count(array), 3);
    CHECK_TEXT(json_text(json_at(array, 1), NULL), "two");
    CHECK_NUMBER((int64_t)json_count(json_at(array, 2)), 1);
    CHECK(!json_at(array, 3));
}

static void wrong_types_are_not_there(void) {
    JSON_CLEANUP struct json *document =
        parsed("[\"text\", 1.5, 1e300, 9223372036854775807, 9223372036854775808.0, {}]");
    int64_t number = 77;
    void *iterator = NULL;
    const char *key;
    const struct json *value;
    CHECK(!json_get(document, "a"));
    CHECK(!json_get(NULL, "a"));
    CHECK(!json_at(json_at(document, 5), 0));
    CHECK(!json_at(NULL, 0));
    CHECK_NUMBER((int64_t)json_count(NULL), 0);
    CHECK_NUMBER((int64_t)json_count(json_at(document, 0)), 0);
    CHECK(!json_text(document, NULL));
    CHECK(!json_text(NULL, NULL));
    CHECK(!json_number(json_at(document, 0), &number));
    CHECK(!json_number(json_at(document, 1), &number));
    CHECK(!json_number(json_at(document, 2), &number));
    CHECK(!json_number(json_at(document, 4), &number));
    CHECK(!json_number(NULL, &number));
    CHECK_NUMBER(number, 77);
    CHECK(json_number(json_at(document, 3), &number) && number == INT64_MAX);
    CHECK(!json_next(document, &iterator, &key, &value));
    CHECK(!json_next(NULL, &iterator, &key, &value));
    CHECK_NUMBER(json_type_of(NULL), JSON_NONE);
    json_free(NULL);
}

static void members_are_walked_in_order(void) {
    JSON_CLEANUP struct json *document = parsed("{\"z\": 1, \"a\": 2, \"m\": 3}");
    BUF_CLEANUP struct buf seen = BUF_INIT;
    void *iterator = NULL;
    const char *key;
    const struct json *value;
    while (json_next(document, &iterator, &key, &value)) {
        int64_t number = 0;
        CHECK(json_number(value, &number));
        CHECK_OK(buf_format(&seen, "%s%d", key, (int)number));
    }
    CHECK_TEXT(buf_text(&seen), "z1a2m3");
}

static void what_is_no_json_is_refused(void) {
    static const char *const WRONG[] = {
        "",
        "{",
        "{\"a\":1}x",
        "{\"a\":1}{}",
        "{\"a\":1,\"a\":2}",
        "[1,]",
        "{'a':1}",
        "nul",
        "\"\xff\"",
        "\"\xed\xa0\x80\"",
        "[01]",
        "\"\\ud800\"",
        "\"a\nb\"",
        "NaN",
        "{\"a\\u0000\":1}",
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        struct json *document = NULL;
        struct reason reason = {""};
        CHECK_ERROR(json_parse(WRONG[i], strlen(WRONG[i]), &document, &reason), -ERR_JSON);
        CHECK(!document);
        CHECK(!strncmp(reason.text, "not valid JSON in line ", 23));
    }
    struct json *document = NULL;
    struct reason reason;
    CHECK_ERROR(json_parse("{\n\"a\": x}", 9, &document, &reason), -ERR_JSON);
    CHECK(strstr(reason.text, "line 2, column "));
    CHECK_ERROR(json_parse("[1]\0", 4, &document, NULL), -ERR_JSON);
}

/* A number that no integer holds is a real, and spoils nothing around it. */
static void a_number_too_large_stands_alone(void) {
    JSON_CLEANUP struct json *document = parsed("[99999999999999999999, 7]");
    int64_t number = -1;
    CHECK(!json_number(json_at(document, 0), &number));
    CHECK(json_number(json_at(document, 1), &number) && number == 7);
}

static void depth_is_bounded(void) {
    enum { DEPTH = 100000 };
    char *text = mem_new(DEPTH);
    struct json *document = NULL;
    memset(text, '[', DEPTH);
    CHECK_ERROR(json_parse(text, DEPTH, &document, NULL), -ERR_JSON);
    free(text);
}

static void what_buf_writes_is_read(void) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    CHECK_OK(buf_json_string(&text, "q\" b\\ \x01\x7f\n \xe2\x82\xac/"));
    JSON_CLEANUP struct json *document = parsed(buf_text(&text));
    CHECK_TEXT(json_text(document, NULL), "q\" b\\ \x01\x7f\n \xe2\x82\xac/");
}

int main(void) {
    values_are_got();
    wrong_types_are_not_there();
    members_are_walked_in_order();
    what_is_no_json_is_refused();
    a_number_too_large_stands_alone();
    depth_is_bounded();
    what_buf_writes_is_read();
    return check_result();
}
