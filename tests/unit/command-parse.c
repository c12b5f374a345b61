/* SPDX-License-Identifier: Apache-2.0 */
/* Commands: every line is understood before one runs, what is wrong is said, and a repeat of the
 * kernel's is answered from the record. */

#include "manage-fixture.h"

#include "manage/internal.h"

static const char *joined(const char *text, char *to, size_t size) {
    struct words words WORDS_CLEANUP = {0};
    struct buf all BUF_CLEANUP = BUF_INIT;
    struct reason reason = {""};
    int result = words_parse(text, &words, &reason);
    for (size_t i = 0; result == 0 && i < words.count; i++)
        buf_format(&all, "[%s]", words.array[i]);
    snprintf(to, size, "%s", result < 0 ? err_name(result) : buf_text(&all));
    return to;
}

static void words_are_parted(void) {
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {"", ""},
        {" \t ", ""},
        {"a", "[a]"},
        {" a  b\tc\r", "[a][b][c]"},
        {"\"a b\" c", "[a b][c]"},
        {"x\"y z\"w", "[xy zw]"},
        {"\"\"", "[]"},
        {"\"a\\\"b\\\\c\"", "[a\"b\\c]"},
        {"a\\b", "[a\\b]"},
        {"\"\\n\"", "[\\n]"},
        {"\"open", "BAD_VALUE"},
        {"é ü", "[é][ü]"},
    };
    char to[200];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_TEXT(joined(rows[i].text, to, sizeof to), rows[i].wanted);
}

static void words_survive_a_row(void) {
    const char *array[] = {"plain", "two words", "", "q\"uote", "back\\slash", "a\\ b"};
    enum { COUNT = sizeof array / sizeof *array };
    char text[200];
    struct words words WORDS_CLEANUP = {0};
    struct reason reason = {""};
    CHECK_OK(words_print(array, COUNT, text, sizeof text, &reason));
    CHECK_OK(words_parse(text, &words, &reason));
    CHECK_NUMBER(words.count, COUNT);
    for (size_t i = 0; i < words.count; i++)
        CHECK_TEXT(words.array[i], array[i]);
    CHECK_ERROR(words_print(array, COUNT, text, 10, &reason), -ERR_BAD_VALUE);
}

static int refused(enum command_place place, const char *text, const char *wanted) {
    NEW_WAIT(wait);
    int answer = begin_command(place, 1, text, &wait);
    if (!CHECK(strstr(last_words(place, 1), wanted) != NULL))
        fprintf(stderr, "    is     %s\n    wanted %s\n", last_words(place, 1), wanted);
    return await(answer, &wait);
}

static void what_is_wrong_is_said(void) {
    CHECK_ERROR(refused(COMMAND_MODEL, "pul\n", "the nearest is \"pull\""), -ERR_UNKNOWN_COMMAND);
    CHECK_ERROR(refused(COMMAND_MODEL, "add hf:a/b\n", "no command \"add\""), -ERR_UNKNOWN_COMMAND);
    CHECK_ERROR(refused(COMMAND_JOB, "pull\n", "no command \"pull\""), -ERR_UNKNOWN_COMMAND);
    CHECK_ERROR(refused(COMMAND_MODEL, "evict all\n", "no arguments"), -ERR_BAD_VALUE);
    CHECK_ERROR(refused(COMMAND_ROOT, "offline maybe\n", "`on` or `off`"), -ERR_BAD_VALUE);
    CHECK_ERROR(refused(COMMAND_ROOT, "add\n", "a KEY"), -ERR_BAD_VALUE);
    CHECK_ERROR(refused(COMMAND_ROOT, "add nosuch:a/b\n", "no source \"nosuch\""), -ERR_BAD_NAME);
    CHECK_ERROR(refused(COMMAND_ROOT, "add hf:a/b hf:../c\n", "add hf:a/b hf:../c"), -ERR_BAD_NAME);
    CHECK_ERROR(refused(COMMAND_MODEL, "pull \"x\n", "not closed"), -ERR_BAD_VALUE);
    CHECK_ERROR(refused(COMMAND_MODEL, "\x1b[2J\n", "?[2J"), -ERR_UNKNOWN_COMMAND); /* shown, not obeyed */
}

static void nothing_runs_when_one_line_is_wrong(void) {
    char value[16];
    NEW_WAIT(wait);
    CHECK_ERROR(begin_command(COMMAND_ROOT, 0, "offline on\nofline off\n", &wait), -ERR_UNKNOWN_COMMAND);
    CHECK_ERROR(catalog_setting(catalog, "offline", value, sizeof value), -ENOENT);
    CHECK_OK(begin_command(COMMAND_ROOT, 0, "\n  \n# a comment\n\t# another", &wait));
    const struct command_request zero = {.place = COMMAND_ROOT,
        .text = "retry\0\n",
        .len = 7,
        .allowed = true};
    CHECK_ERROR(command_await(manage, &zero, &wait.wait), -ERR_BAD_VALUE);
    char *large = mem_new(100000);
    memset(large, '\n', 100000 - 1);
    CHECK_ERROR(begin_command(COMMAND_ROOT, 0, large, &wait), -ERR_BAD_VALUE);
    free(large);
}

static void strangers_are_refused_and_written_down(void) {
    NEW_WAIT(wait);
    char value[16];
    const struct command_request request = {.place = COMMAND_ROOT,
        .text = "offline on",
        .len = 10,
        .uid = 1234};
    CHECK_ERROR(await(command_await(manage, &request, &wait.wait), &wait), -ERR_NOT_ALLOWED);
    CHECK_ERROR(catalog_setting(catalog, "offline", value, sizeof value), -ENOENT);
    CHECK(was_told("\"uid\":1234,\"gid\":0,\"pid\":0,\"result\":\"NOT_ALLOWED\""));
}

static int resend(uint64_t unique, bool resent, const char *text) {
    NEW_WAIT(wait);
    const struct command_request request = {.place = COMMAND_ROOT,
        .text = text,
        .len = strlen(text),
        .allowed = true,
        .unique = unique,
        .resent = resent};
    return await(command_await(manage, &request, &wait.wait), &wait);
}

static void a_repeat_is_answered_from_the_record(void) {
    char value[16];
    int recorded;
    CHECK_OK(resend(100, false, "offline on\nretry\n"));
    CHECK_OK(catalog_answer(catalog, "session-1", 100, &recorded));
    CHECK_NUMBER(recorded, 0);
    CHECK_OK(catalog_set_setting(catalog, "offline", "off"));
    CHECK_OK(resend(100, true, "offline on\nretry\n"));
    CHECK_OK(catalog_setting(catalog, "offline", value, sizeof value));
    CHECK_TEXT(value, "off");                                   /* it was not done again */
    CHECK_OK(catalog_set_answer(catalog, "session-1", 101, 1)); /* a daemon died after the first line */
    CHECK_OK(resend(101, true, "offline on\nretry\n"));
    CHECK_OK(catalog_setting(catalog, "offline", value, sizeof value));
    CHECK_TEXT(value, "off");
    CHECK_OK(catalog_answer(catalog, "session-1", 101, &recorded));
    CHECK_NUMBER(recorded, 0);
    CHECK_OK(resend(102, true, "offline on\n")); /* it never ran: now it does */
    CHECK_OK(catalog_setting(catalog, "offline", value, sizeof value));
    CHECK_TEXT(value, "on");
    CHECK_ERROR(resend(104, false, "add hf:acme/dark\n"), -ERR_OFFLINE);
    CHECK_OK(resend(105, false, "offline off\n"));
    CHECK_ERROR(resend(104, true, "add hf:acme/dark\n"), -ERR_OFFLINE);
}

static void a_command_may_be_left(void) {
    NEW_WAIT(wait);
    CHECK_NUMBER(begin_command(COMMAND_ROOT, 0, "add hf:acme/left\n", &wait), PARKED);
    CHECK(wait_withdraw(&wait.wait)); /* its writer was killed */
    play_answer(0, 200, "", TINY);
    await_told("\"command\":\"add hf:acme/left\"");
    CHECK(!wait.ended);
}

static void keys_are_added_and_pulled(void) {
    NEW_WAIT(wait);
    struct catalog_model model;
    char words[2][NAME_PATH_SIZE];
    int answer = begin_command(COMMAND_ROOT, 0, "add hf:acme/one:Q8_0 hf:gpt2", &wait);
    play_answer(0, 200, "", TINY);
    play_answer(0, 200, "", TINY);
    CHECK_OK(await(answer, &wait));
    CHECK_OK(catalog_find_model(catalog, "hf", "acme/one", &model));
    CHECK_NUMBER(catalog_list_words(catalog, model.id, words, 2), 1);
    CHECK_TEXT(words[0], "Q8_0");
    CHECK_OK(catalog_find_model(catalog, "hf", "full/gpt2", &model)); /* the name that the source uses */
    size_t before = play_asked();
    CHECK_OK(run_command(COMMAND_ROOT, 0, "pull acme/one\n"));
    CHECK_NUMBER(play_asked() - before, 0); /* it is known */
    await_wants(SHA_2, 1);
    CHECK_NUMBER(wants_of(SHA_1), 0);
    CHECK_OK(catalog_find_model(catalog, "hf", "acme/one", &model));
    CHECK_OK(run_command(COMMAND_JOB, report_of(model.id).job_id, "cancel"));
    CHECK_NUMBER(wants_of(SHA_2), 0);
    CHECK_ERROR(run_command(COMMAND_MODEL, 999, "pull"), -ENOENT);
}

static void ctl_lists_what_there_is(void) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    command_print(manage, COMMAND_MODEL, 12345, &text);
    for (size_t i = 0; command_row(i); i++) {
        const struct command_row *row = command_row(i);
        CHECK(row->places && row->help && row->parse && row->run);
        if (row->places & COMMAND_MODEL)
            CHECK(strstr(buf_text(&text), row->name) != NULL);
    }
    CHECK(!strstr(buf_text(&text), "last:"));
}

int main(void) {
    words_are_parted();
    words_survive_a_row();
    house_begin();
    what_is_wrong_is_said();
    nothing_runs_when_one_line_is_wrong();
    strangers_are_refused_and_written_down();
    a_repeat_is_answered_from_the_record();
    a_command_may_be_left();
    keys_are_added_and_pulled();
    ctl_lists_what_there_is();
    house_end();
    return check_result();
}
