/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/buf.h"

static void it_grows_and_is_a_string(void) {
    BUF_CLEANUP struct buf buf = BUF_INIT;
    CHECK_TEXT(buf_text(&buf), "");
    CHECK_OK(buf_add(&buf, NULL, 0));
    CHECK_TEXT(buf.data, "");
    for (int i = 0; i < 1000; i++)
        CHECK_OK(buf_format(&buf, "%d,", i));
    CHECK_NUMBER((int64_t)buf.len, 3890);
    CHECK_NUMBER((int64_t)strlen(buf.data), 3890);
    CHECK(!memcmp(buf.data + buf.len - 8, "998,999,", 8));
    buf_clear(&buf);
    CHECK_TEXT(buf_text(&buf), "");
    CHECK_OK(buf_add(&buf, "a\0b", 3));
    CHECK(buf.len == 3 && !memcmp(buf.data, "a\0b", 4));
    TEXT_CLEANUP char *taken = buf_take(&buf);
    CHECK_TEXT(taken, "a");
    CHECK(!buf.data && !buf.len && !buf.room);
    TEXT_CLEANUP char *empty = buf_take(&buf);
    CHECK_TEXT(empty, "");
}

static void past_its_limit_nothing_is_added(void) {
    BUF_CLEANUP struct buf buf = {.limit = 5};
    CHECK_OK(buf_text_add(&buf, "abc"));
    CHECK_ERROR(buf_text_add(&buf, "def"), -EFBIG);
    CHECK_ERROR(buf_format(&buf, "%d", 123), -EFBIG);
    CHECK_ERROR(buf_json_string(&buf, "x"), -EFBIG);
    CHECK_TEXT(buf.data, "abc");
    CHECK_OK(buf_text_add(&buf, "de"));
    CHECK_ERROR(buf_text_add(&buf, "f"), -EFBIG);
    CHECK_OK(buf_text_add(&buf, ""));
    buf_done(&buf);
    CHECK_NUMBER((int64_t)buf.limit, 5);
    CHECK_ERROR(buf_add(&buf, "", SIZE_MAX), -EFBIG);
}

static void json_strings_are_escaped(void) {
    static const struct {
        const char *text, *json;
    } ROWS[] = {
        {NULL,                      "null"                                      },
        {"",                        "\"\""                                      },
        {"plain \xe2\x82\xac",      "\"plain \xe2\x82\xac\""                    },
        {"\"\\/\n\r\t\b\f\x01\x7f", "\"\\\"\\\\/\\n\\r\\t\\b\\f\\u0001\\u007f\""},
        {"a\xff"
         "b\xc3",          "\"a\xef\xbf\xbd"
            "b\xef\xbf\xbd\""                         },
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        BUF_CLEANUP struct buf buf = BUF_INIT;
        CHECK_OK(buf_json_string(&buf, ROWS[i].text));
        CHECK_TEXT(buf_text(&buf), ROWS[i].json);
    }
}

static void memory_is_zeroed_and_copied(void) {
    static const char zero[100];
    void *memory = mem_array(10, 10);
    CHECK(!memcmp(memory, zero, sizeof zero));
    memory = mem_resize(memory, 0, 10);
    CHECK(memory);
    free(memory);
    memory = mem_new(0);
    CHECK(memory);
    free(memory);
    CHECK(!mem_text(NULL));
}

static void too_much_memory(void) {
    volatile size_t much = SIZE_MAX / 2;
    free(mem_array(much, 4));
}

static void fixed_texts_are_whole_or_empty(void) {
    char to[4] = "zzz";
    CHECK_OK(text_copy(to, sizeof to, "abc"));
    CHECK_TEXT(to, "abc");
    CHECK_ERROR(text_copy(to, sizeof to, "abcd"), -ENAMETOOLONG);
    CHECK_TEXT(to, "");
    CHECK_ERROR(text_copy(NULL, 0, "a"), -ENAMETOOLONG);
}

static void sizes_read_well(void) {
    static const struct {
        uint64_t bytes;
        const char *text;
    } ROWS[] = {
        {0,          "0 B"     },
        {317,        "317 B"   },
        {999,        "999 B"   },
        {1000,       "1.0 kB"  },
        {1049,       "1.0 kB"  },
        {1050,       "1.1 kB"  },
        {999949,     "999.9 kB"},
        {999950,     "1.0 MB"  },
        {945800000,  "945.8 MB"},
        {2200000000, "2.2 GB"  },
        {UINT64_MAX, "18.4 EB" },
    };
    char to[HUMAN_SIZE];
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        CHECK_TEXT(human_bytes(to, ROWS[i].bytes), ROWS[i].text);
}

static void times_read_well(void) {
    char to[HUMAN_SIZE];
    CHECK_TEXT(human_seconds(to, 0), "0:00");
    CHECK_TEXT(human_seconds(to, 15), "0:15");
    CHECK_TEXT(human_seconds(to, 3599), "59:59");
    CHECK_TEXT(human_seconds(to, 3 * 3600 + 2 * 60 + 41), "3:02:41");
    CHECK_TEXT(human_seconds(to, UINT64_MAX), "--:--");
    CHECK(strlen(human_seconds(to, UINT64_MAX - 1)) < HUMAN_SIZE);
}

static void sizes_are_parsed(void) {
    static const struct {
        const char *text;
        int64_t bytes; /* -1: refused */
    } ROWS[] = {
        {"0",                     0                     },
        {"1048576",               1048576               },
        {"317B",                  317                   },
        {"1K",                    1024                  },
        {"1k",                    1024                  },
        {"1KB",                   1000                  },
        {"1KiB",                  1024                  },
        {"512MiB",                INT64_C(512) << 20    },
        {"50G",                   INT64_C(50) << 30     },
        {"2TB",                   INT64_C(2000000000000)},
        {"2T",                    INT64_C(2) << 40      },
        {"",                      -1                    },
        {"K",                     -1                    },
        {"-1",                    -1                    },
        {"+1",                    -1                    },
        {" 1",                    -1                    },
        {"1 ",                    -1                    },
        {"1.5G",                  -1                    },
        {"1X",                    -1                    },
        {"1iB",                   -1                    },
        {"1KiBs",                 -1                    },
        {"0x10",                  -1                    },
        {"99999999999999999999",  -1                    },
        {"18446744073709551615K", -1                    },
        {"99999999T",             -1                    },
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        uint64_t bytes = 12345;
        int error = bytes_parse(ROWS[i].text, &bytes);
        CHECK_ERROR(error, ROWS[i].bytes < 0 ? -ERR_BAD_VALUE : 0);
        CHECK_NUMBER((int64_t)bytes, ROWS[i].bytes < 0 ? 12345 : ROWS[i].bytes);
    }
    uint64_t most;
    CHECK_OK(bytes_parse("18446744073709551615", &most));
    CHECK(most == UINT64_MAX);
}

static void words_have_a_distance(void) {
    CHECK_NUMBER(text_distance("", ""), 0);
    CHECK_NUMBER(text_distance("abc", ""), 3);
    CHECK_NUMBER(text_distance("", "abc"), 3);
    CHECK_NUMBER(text_distance("kitten", "sitting"), 3);
    CHECK_NUMBER(text_distance("cahce", "cache"), 1);
    CHECK_NUMBER(text_distance("ca", "abc"), 3);
    char text[200];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    CHECK_NUMBER(text_distance(text, ""), 63);
    CHECK_NUMBER(text_distance(text, text), 0);
}

int main(void) {
    it_grows_and_is_a_string();
    past_its_limit_nothing_is_added();
    json_strings_are_escaped();
    memory_is_zeroed_and_copied();
    CHECK_ABORTS(too_much_memory);
    fixed_texts_are_whole_or_empty();
    sizes_read_well();
    times_read_well();
    sizes_are_parsed();
    words_have_a_distance();
    return check_result();
}
