/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of the tree, as far as they are pure: progress, SHA256SUMS, sheets, the lines of a job. */
#include "check.h"

#include "base/buf.h"
#include "outside/json.h"
#include "tree/print.h"
#include "tree/sheet.h"

static void progress_is_one_line(void) {
    static const struct {
        uint64_t here, total, speed, left;
        const char *trouble, *line;
    } ROWS[] = {
        {945800000, 2200000000, 85300000, 15, NULL, "42.9% 945.8 MB/2.2 GB 85.3 MB/s ETA 0:15\n"},
        {0, 2200000000, 0, UINT64_MAX, NULL, "0.0% 0 B/2.2 GB 0 B/s ETA --:--\n"},
        {0, 2200000000, 0, 15, NULL, "0.0% 0 B/2.2 GB 0 B/s ETA --:--\n"},
        {0, 2200000000, 6, 356400, NULL, "0.0% 0 B/2.2 GB 6 B/s ETA 99:00:00\n"},
        {0, 2200000000, 6, 356401, NULL, "0.0% 0 B/2.2 GB 6 B/s ETA --:--\n"},
        {0, 2200000000, 0, UINT64_MAX, "no room", "0.0% 0 B/2.2 GB 0 B/s ETA --:--; no room\n"},
        {2200000000, 2200000000, 0, UINT64_MAX, NULL, "100.0% 2.2 GB/2.2 GB 0 B/s ETA 0:00\n"},
        {0, 0, 0, UINT64_MAX, NULL, "100.0% 0 B/0 B 0 B/s ETA 0:00\n"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        BUF_CLEANUP struct buf line = BUF_INIT;
        text_progress(&line, ROWS[i].here, ROWS[i].total, ROWS[i].speed, ROWS[i].left, ROWS[i].trouble);
        CHECK_TEXT(buf_text(&line), ROWS[i].line);
    }
}

static void progress_says_100_at_the_end_only(void) {
    BUF_CLEANUP struct buf line = BUF_INIT;
    text_progress(&line, UINT64_MAX - 1, UINT64_MAX, 1, 1, NULL);
    CHECK(!strncmp(buf_text(&line), "99.9% ", 6));
    buf_clear(&line);
    text_progress(&line, 11, 10, 1, 1, NULL);
    CHECK(!strncmp(buf_text(&line), "100.0% ", 7));
}

#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void sums_are_escaped_as_sha256sum_does(void) {
    static const struct {
        const char *sha256, *path;
        bool selected;
        const char *line;
    } ROWS[] = {
        {HEX, "model.gguf",       true,  HEX "  model.gguf\n"                          },
        {HEX, "sub/dir/a b.json", true,  HEX "  sub/dir/a b.json\n"                    },
        {HEX, "a\\b",             true,  "\\" HEX "  a\\\\b\n"                         },
        {HEX, "a\nb\rc",          true,  "\\" HEX "  a\\nb\\rc\n"                      },
        {HEX, "# no comment",     true,  HEX "  # no comment\n"                        },
        {HEX, "big.gguf",         false, "# not pulled: " HEX "  big.gguf\n"           },
        {"",  "config.json",      true,  "# not known before it is here: config.json\n"},
        {"",  "a\nb",             false, "# not known before it is here: \\a\\nb\n"    },
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        BUF_CLEANUP struct buf line = BUF_INIT;
        text_sums_line(&line, ROWS[i].sha256, ROWS[i].path, ROWS[i].selected);
        CHECK_TEXT(buf_text(&line), ROWS[i].line);
    }
}

static void add_all(struct sheet *sheet) {
    sheet_text(sheet, "name", "acme/\"tiny\"");
    sheet_number(sheet, "files", 3);
    sheet_bytes(sheet, "bytes", 2200000000);
    sheet_bool(sheet, "pinned", true);
    sheet_text(sheet, "reason", NULL);
    sheet_time(sheet, "updated", 0);
}

static void a_sheet_is_lines_or_json(void) {
    BUF_CLEANUP struct buf lines = BUF_INIT, text = BUF_INIT;
    struct sheet sheet;
    sheet_begin(&sheet, &lines, false);
    add_all(&sheet);
    sheet_end(&sheet);
    CHECK_TEXT(buf_text(&lines), "name             acme/\"tiny\"\n"
                                 "files            3\n"
                                 "bytes            2200000000 (2.2 GB)\n"
                                 "pinned           yes\n");

    sheet_begin(&sheet, &text, true);
    add_all(&sheet);
    sheet_end(&sheet);
    JSON_CLEANUP struct json *document = NULL;
    struct reason reason;
    CHECK_OK(json_parse(buf_text(&text), text.len, &document, &reason));
    CHECK_TEXT(json_text(json_get(document, "name"), NULL), "acme/\"tiny\"");
    int64_t bytes = 0;
    CHECK(json_number(json_get(document, "bytes"), &bytes) && bytes == 2200000000);
    CHECK(json_bool(json_get(document, "pinned"), false));
    CHECK(json_type_of(json_get(document, "reason")) == JSON_NULL);
    CHECK(json_type_of(json_get(document, "updated")) == JSON_NULL);
    CHECK(text.data[text.len - 1] == '\n');
}

static void an_empty_sheet_is_json_too(void) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    struct sheet sheet;
    sheet_begin(&sheet, &text, true);
    sheet_end(&sheet);
    CHECK_TEXT(buf_text(&text), "{}\n");
}

static void a_job_knows_its_lines(void) {
    static const struct {
        const char *line;
        bool is;
    } ROWS[] = {
        {"{\"event\":\"job.began\",\"job\":12}\n",  true },
        {"{\"job\":12,\"event\":\"x\"}\n",          true },
        {"{\"event\":\"job.began\",\"job\":123}\n", false},
        {"{\"event\":\"job.began\",\"job\":1}\n",   false},
        {"{\"event\":\"x\",\"job\":12",             false},
        {"\n",                                      false},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        CHECK(text_is_of_job(ROWS[i].line, strlen(ROWS[i].line), 12) == ROWS[i].is);
}

int main(void) {
    progress_is_one_line();
    progress_says_100_at_the_end_only();
    sums_are_escaped_as_sha256sum_does();
    a_sheet_is_lines_or_json();
    an_empty_sheet_is_json_too();
    a_job_knows_its_lines();
    return check_result();
}
