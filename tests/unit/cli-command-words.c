/* SPDX-License-Identifier: Apache-2.0 */
/* From the words of a command line to a line of ctl. */

#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/command_words.h"
#include "daemon/follow.h"

static void arguments_are_read(void) {
    static const struct {
        const char *arguments, *word;
        bool with_value, wanted;
    } rows[] = {
        {"[keep=N] [unused=TIME] [dry-run]", "keep", true, true},
        {"[keep=N] [unused=TIME] [dry-run]", "keep", false, false},
        {"[keep=N] [unused=TIME] [dry-run]", "dry-run", false, true},
        {"[keep=N] [unused=TIME] [dry-run]", "dry", false, false},
        {"[keep=N]|[dry-run]", "N", false, false},
        {"KEY…|category=NAME|recommended|all", "recommended", false, true},
        {"KEY…|category=NAME|recommended|all", "category", true, true},
        {"KEY…|category=NAME|recommended|all", "KEY", false, false},
        {"high|normal|low", "low", false, true},
        {"", "", false, false},
        {"on|off", "o", false, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].word);
        if (!CHECK(
                command_mentions(rows[i].arguments, rows[i].word, len, rows[i].with_value) == rows[i].wanted))
            fprintf(stderr, "    %s of %s\n", rows[i].word, rows[i].arguments);
    }
}

static void subjects_are_told_from_arguments(void) {
    static const char *const subjects[] = {"acme/tiny", "hf:acme/tiny", "hf:gpt2", "hf/acme/tiny/", "/mnt/hf",
        ".", "..", "./x", "../x", "hf:acme/many:Q4_K_M@main"};
    static const char *const others[] = {"keep=3", "50G", "recommended", "category=a/b", "12", "on", "",
        "dry-run"};
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
        if (!CHECK(command_is_subject(subjects[i])))
            fprintf(stderr, "    %s\n", subjects[i]);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (!CHECK(!command_is_subject(others[i])))
            fprintf(stderr, "    %s\n", others[i]);
    CHECK(command_is_job("12"));
    CHECK(!command_is_job(""));
    CHECK(!command_is_job("12a"));
    CHECK(!command_is_job("99999999999999999999"));
}

static void words_are_quoted(void) {
    struct buf line BUF_CLEANUP = BUF_INIT;
    struct reason reason = {""};
    CHECK_OK(command_add_word(&line, "plain", &reason));
    CHECK_OK(command_add_word(&line, "two words", &reason));
    CHECK_OK(command_add_word(&line, "q\"b\\", &reason));
    CHECK_OK(command_add_word(&line, "", &reason));
    CHECK_TEXT(buf_text(&line), " plain \"two words\" \"q\\\"b\\\\\" \"\"");
    CHECK_ERROR(command_add_word(&line, "a\npull b", &reason), -ERR_BAD_NAME);
}

static void flags_become_words(void) {
    char *argv[] = {"pull", "--category=vision", "-q", "--nonsense", "--", "x", NULL};
    int argc = command_flags_to_words("pull", 6, argv);
    CHECK_NUMBER(argc, 6);
    if (command_row_of("pull", COMMAND_ROOT) &&
        command_mentions(command_row_of("pull", COMMAND_ROOT)->arguments, "category", 8, true)) {
        CHECK_TEXT(argv[1], "category=vision");
        free(argv[1]);
    } else
        CHECK_TEXT(argv[1], "--category=vision");
    CHECK_TEXT(argv[2], "-q");
    CHECK_TEXT(argv[3], "--nonsense");
    CHECK_TEXT(argv[5], "x");
}

static int add_id(void *context, int64_t id) {
    struct buf *to = context;
    return buf_format(to, "%lld ", (long long)id);
}

static void jobs_in_sentences_are_found(void) {
    static const struct {
        const char *sentence, *wanted;
    } rows[] = {
        {"job 12 fetches 3.1 MB of 5 files", "12 "},
        {"jobs 3, 4 and 15 begin", "3 4 15 "},
        {"all 5 files are here", ""},
        {"no jobs", ""},
        {"2 models: job 7, job 8", "7 8 "},
        {"jobber 4", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf ids BUF_CLEANUP = BUF_INIT;
        CHECK_NUMBER(follow_each_job(rows[i].sentence, add_id, &ids), 0);
        CHECK_TEXT(buf_text(&ids), rows[i].wanted);
    }
}

int main(void) {
    arguments_are_read();
    subjects_are_told_from_arguments();
    words_are_quoted();
    flags_become_words();
    jobs_in_sentences_are_found();
    return check_result();
}
