/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/caller.h"
#include "base/log.h"

#define WORDS(text) text, sizeof(text)

static void words_become_a_line(void) {
    static const struct {
        const char *words;
        size_t len;
        const char *line;
    } ROWS[] = {
        {WORDS("bash\0-c\0echo pull > ctl"), "bash -c echo pull > ctl"},
        {WORDS("curl\0-H\0Authorization: Bearer abc"), "curl -H Authorization:***"},
        {WORDS("tool\0--token\0abc\0--quiet"), "tool --token *** --quiet"},
        {WORDS("tool\0--api-key=abc\0x"), "tool --api-key=*** x"},
        {WORDS("env\0HF_TOKEN=whatever\0cp"), "env HF_TOKEN=*** cp"},
        {WORDS("login\0hf_abcdefgh"), "login ***"},
        {WORDS("wget\0https://u:hf_abc@host/x"), "wget https://u:***"},
        {WORDS("half_way\0task-list"), "half_way task-list"},
        {WORDS("a\nb\033[2J\0\xff"), "a?b?[2J ?"},
        {"cut", 3, "cut"},
        {"", 0, ""},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        char line[100];
        caller_describe_words(ROWS[i].words, ROWS[i].len, line, sizeof line);
        CHECK_TEXT(line, ROWS[i].line);
    }
}

static void it_is_bounded(void) {
    static const char LONG[] = "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4";
    char line[6];
    caller_describe_words(LONG, sizeof LONG, line, sizeof line);
    CHECK_TEXT(line, "\xc3\xa4\xc3\xa4");
}

static void known_secrets_are_hidden(void) {
    char line[100];
    log_secret("very-private-thing");
    caller_describe_words(WORDS("x\0very-private-thing"), line, sizeof line);
    CHECK_TEXT(line, "x ***");
}

static void a_process_is_described(void) {
    char line[300];
    caller_describe(getpid(), line, sizeof line);
    CHECK(strstr(line, "caller"));
    caller_describe(0, line, sizeof line);
    CHECK_TEXT(line, "");
    caller_describe(0x7ffffff0, line, sizeof line);
    CHECK_TEXT(line, "");
}

static void groups_are_the_kernels(void) {
    gid_t groups[1024];
    int count = getgroups(1024, groups);
    for (int i = 0; i < count; i++)
        CHECK(caller_has_group(getpid(), groups[i]));
    CHECK(!caller_has_group(getpid(), 987654321));
    CHECK(!caller_has_group(0, 0));
    CHECK(!caller_has_group(0x7ffffff0, 0));
}

int main(void) {
    words_become_a_line();
    it_is_bounded();
    known_secrets_are_hidden();
    a_process_is_described();
    groups_are_the_kernels();
    return check_result();
}
