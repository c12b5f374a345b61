/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <limits.h>

#include "base/err.h"
#include "base/log.h"
#include "base/utf8.h"

static void numbers_have_names_and_errnos(void) {
    CHECK_NUMBER(err_errno(0), 0);
    CHECK_NUMBER(err_errno(-ENOENT), ENOENT);
    CHECK_NUMBER(err_errno(-ERR_BAD_NAME), EINVAL);
    CHECK_NUMBER(err_errno(-ERR_CONFIG), EINVAL);
    CHECK_NUMBER(err_errno(-ERR_STALE), ESTALE);
    CHECK_TEXT(err_name(0), "OK");
    CHECK_TEXT(err_name(-ENOSPC), "ENOSPC");
    CHECK_TEXT(err_name(-ERR_MISMATCH), "MISMATCH");
    CHECK_TEXT(err_sentence(-ENOENT), "No such file or directory");
    CHECK_TEXT(err_sentence(-ERR_BUSY), "something contradicting it is under way");
}

static void unknown_numbers_are_eio(void) {
    const int unknown[] = {-ERR_FIRST, -ERR_END, -999, -41 /* a hole among the errnos */, INT_MIN, 1};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        CHECK_NUMBER(err_errno(unknown[i]), EIO);
        CHECK_TEXT(err_name(unknown[i]), "UNKNOWN");
        CHECK(*err_sentence(unknown[i]));
    }
}

static void rows_are_complete(void) {
    CHECK_NUMBER((int64_t)err_count(), ERR_END - ERR_FIRST - 1);
    for (size_t i = 0; i < err_count(); i++) {
        const char *name, *sentence;
        int number;
        err_row(i, &name, &number, &sentence);
        int error = -(ERR_FIRST + 1 + (int)i);
        CHECK_TEXT(err_name(error), name);
        CHECK_TEXT(err_sentence(error), sentence);
        CHECK_NUMBER(err_errno(error), number);
        CHECK(number > 0 && *sentence);
        CHECK(sentence[strlen(sentence) - 1] != '.');
    }
}

static void a_reason_is_formatted_and_tamed(void) {
    struct reason reason = {""};
    CHECK_TEXT(err_text(NULL, -ERR_BUSY), err_sentence(-ERR_BUSY));
    CHECK_TEXT(err_text(&reason, -ERR_BUSY), err_sentence(-ERR_BUSY));
    CHECK_ERROR(err_because(NULL, -ERR_SERVER, "%d", 1), -ERR_SERVER);
    CHECK_ERROR(err_because(&reason, -ERR_SERVER, "%s answered %d", "host", 503), -ERR_SERVER);
    CHECK_TEXT(err_text(&reason, -ERR_SERVER), "host answered 503");
    err_because(&reason, -ERR_SERVER, "%s: again", reason.text);
    CHECK_TEXT(reason.text, "host answered 503: again");
    err_because(&reason, -EIO, "a\033[31m\nb\x7f\xc2\x9b\xff\xed\xa0\x80z\xc3\xa4");
    CHECK_TEXT(reason.text, "a?[31m?b?\?\?\?\?\?z\xc3\xa4");
    errno = EDOM;
    err_because(&reason, -EIO, "x");
    CHECK_NUMBER(errno, EDOM);
}

static void a_reason_is_cut_between_characters(void) {
    struct reason reason;
    char text[2000];
    for (size_t before = 0; before < 4; before++) {
        memset(text, 'x', before);
        for (size_t at = before; at + 3 < sizeof text; at += 3)
            memcpy(text + at, "\xe2\x82\xac", 4);
        err_because(&reason, -EIO, "%s", text);
        size_t len = strlen(reason.text);
        CHECK(len < sizeof reason.text && len + 3 >= sizeof reason.text);
        CHECK_NUMBER((int64_t)((len - before) % 3), 0);
    }
}

static void a_reason_holds_no_secret_not_even_half(void) {
    struct reason reason;
    log_secret("hf_verysecrettoken");
    err_because(&reason, -ERR_TOKEN, "token hf_verysecrettoken refused");
    CHECK_TEXT(reason.text, "token *** refused");
    err_because(&reason, -ERR_TOKEN, "%390s%s", "", "hf_verysecrettoken");
    CHECK(!strstr(reason.text, "hf_"));
}

static void utf8_knows_what_is_well_formed(void) {
    static const struct {
        const char *text;
        size_t size;
    } ROWS[] = {
        {"a",                1},
        {"\xc3\xa4",         2},
        {"\xe2\x82\xac",     3},
        {"\xf0\x9f\x98\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"\x80",             0},
        {"\xc0\x80",         0},
        {"\xc1\xbf",         0},
        {"\xe0\x9f\xbf",     0},
        {"\xed\xa0\x80",     0},
        {"\xf0\x8f\xbf\xbf", 0},
        {"\xf4\x90\x80\x80", 0},
        {"\xf5\x80\x80\x80", 0},
        {"\xff",             0},
        {"\xe2\x82",         0},
        {"\xe2\x82(",        0},
        {"",                 0},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        CHECK_NUMBER((int64_t)utf8_char(ROWS[i].text, strlen(ROWS[i].text)), (int64_t)ROWS[i].size);
    CHECK_NUMBER((int64_t)utf8_char("", 1), 1);
}

int main(void) {
    numbers_have_names_and_errnos();
    unknown_numbers_are_eio();
    rows_are_complete();
    a_reason_is_formatted_and_tamed();
    a_reason_is_cut_between_characters();
    a_reason_holds_no_secret_not_even_half();
    utf8_knows_what_is_well_formed();
    return check_result();
}
