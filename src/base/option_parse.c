/* SPDX-License-Identifier: Apache-2.0 */
#include "base/option_parse.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define REAL_SIZE 40 /* more digits say nothing */

static int parse_bool(const struct option_row *row, const char *text, int64_t *ret_number,
    const char **ret_text) {
    static const struct {
        const char *word;
        bool on;
    } WORDS[] = {{"on", true}, {"true", true}, {"yes", true}, {"1", true}, {"off", false}, {"false", false},
        {"no", false}, {"0", false}};
    (void)row;
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        if (!strcasecmp(text, WORDS[i].word)) {
            *ret_number = WORDS[i].on;
            *ret_text = WORDS[i].on ? "on" : "off";
            return 0;
        }
    }
    return -ERR_BAD_VALUE;
}

static int parse_number(const struct option_row *row, const char *text, int64_t *ret_number,
    const char **ret_text) {
    char *end;
    errno = 0;
    intmax_t number = strtoimax(text, &end, 10);
    /* strtoimax itself would take white space and a plus. */
    if (!isdigit((unsigned char)text[text[0] == '-']) || *end || errno || number < row->least ||
        number > row->most)
        return -ERR_BAD_VALUE;
    *ret_number = number;
    *ret_text = text;
    return 0;
}

static int parse_bytes(const struct option_row *row, const char *text, int64_t *ret_number,
    const char **ret_text) {
    uint64_t bytes;
    if (bytes_parse(text, &bytes) || bytes > INT64_MAX || (int64_t)bytes < row->least ||
        (int64_t)bytes > row->most)
        return -ERR_BAD_VALUE;
    *ret_number = (int64_t)bytes;
    *ret_text = text;
    return 0;
}

/* A percentage is a negative number. */
static int parse_share(const struct option_row *row, const char *text, int64_t *ret_number,
    const char **ret_text) {
    size_t digits = strspn(text, "0123456789");
    if (strcmp(text + digits, "%") != 0)
        return parse_bytes(row, text, ret_number, ret_text);
    long percent = digits && digits <= 3 ? strtol(text, NULL, 10) : 0;
    if (percent < 1 || percent > 100)
        return -ERR_BAD_VALUE;
    *ret_number = -percent;
    *ret_text = text;
    return 0;
}

static int parse_word(const struct option_row *row, const char *text, int64_t *ret_number,
    const char **ret_text) {
    size_t len = strlen(text);
    (void)ret_number;
    for (const char *at = row->words; len;) {
        size_t word = strcspn(at, "|");
        if (word == len && !memcmp(at, text, len)) {
            *ret_text = text;
            return 0;
        }
        if (!at[word])
            break;
        at += word + 1;
    }
    return -ERR_BAD_VALUE;
}

static int parse_text(const struct option_row *row, const char *text, int64_t *ret_number,
    const char **ret_text) {
    (void)ret_number;
    if (strnlen(text, OPTION_TEXT_SIZE) == OPTION_TEXT_SIZE)
        return -ERR_BAD_VALUE;
    for (const char *at = text; *at; at++)
        if (iscntrl((unsigned char)*at)) /* a value is one line of a file in config/ */
            return -ERR_BAD_VALUE;
    if (*text && row->fits && !row->fits(text))
        return -ERR_BAD_VALUE;
    *ret_text = *text ? text : NULL;
    return 0;
}

bool option_is_bound(double real) {
    return fabs(real) < DBL_MAX;
}

bool option_real_bounded(const struct option_row *row) {
    return row->least_real < row->most_real &&
           (option_is_bound(row->least_real) || option_is_bound(row->most_real));
}

/* A decimal number as JSON writes it: strtod itself would take white space, hexadecimal, "inf" and "nan". */
static int parse_real(const struct option_row *row, const char *text, int64_t *ret_number,
    const char **ret_text) {
    (void)ret_number;
    size_t len = strspn(text, "0123456789+-.eE");
    if (!len || text[len] || len >= REAL_SIZE || !isdigit((unsigned char)text[text[0] == '-']) ||
        !isdigit((unsigned char)text[len - 1]))
        return -ERR_BAD_VALUE;
    char *end;
    errno = 0;
    double real = strtod(text, &end);
    if (*end || (errno && fabs(real) > 1) || !isfinite(real) ||
        (option_real_bounded(row) && (real < row->least_real || real > row->most_real)))
        return -ERR_BAD_VALUE;
    *ret_text = text;
    return 0;
}

static int (*const PARSE[])(const struct option_row *, const char *, int64_t *, const char **) = {
    [OPTION_BOOL] = parse_bool,
    [OPTION_NUMBER] = parse_number,
    [OPTION_BYTES] = parse_bytes,
    [OPTION_WORD] = parse_word,
    [OPTION_TEXT] = parse_text,
    [OPTION_SECRET_FILE] = parse_text,
    [OPTION_REAL] = parse_real,
    [OPTION_SHARE] = parse_share,
};

int option_parse(const struct option_row *row, const char *text, int64_t *ret_number, const char **ret_text) {
    return PARSE[row->type](row, text, ret_number, ret_text);
}

/* "a number", "a size", each with its range where it has one. */
static int wanted_range(const struct option_row *row, struct buf *to) {
    bool is_size = row->type == OPTION_BYTES;
    int error = buf_text_add(to, is_size ? "a size in bytes (512M, 50G …)" : "a whole number");
    if (!error && row->most == INT64_MAX)
        error = row->least == INT64_MIN ? 0 : buf_format(to, ", at least %" PRId64, row->least);
    else if (!error)
        error = buf_format(to, " from %" PRId64 " to %" PRId64, row->least, row->most);
    return error;
}

static int wanted_real(const struct option_row *row, struct buf *to) {
    if (!option_real_bounded(row))
        return buf_text_add(to, "a number");
    if (!option_is_bound(row->most_real))
        return buf_format(to, "a number, at least %g", row->least_real);
    if (!option_is_bound(row->least_real))
        return buf_format(to, "a number, at most %g", row->most_real);
    return buf_format(to, "a number from %g to %g", row->least_real, row->most_real);
}

static int wanted_words(const char *words, struct buf *to) {
    int error = 0;
    for (const char *at = words; !error && *at;) {
        size_t len = strcspn(at, "|");
        const char *last = strrchr(at, '|');
        error = buf_format(to, "%.*s%s", (int)len, at, !last ? "" : last == at + len ? " or " : ", ");
        at += len + (at[len] == '|');
    }
    return error;
}

void option_wanted(const struct option_row *row, char *to, size_t size) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    int error = 0;
    switch (row->type) {
    case OPTION_BOOL: error = buf_text_add(&text, "on or off"); break;
    case OPTION_NUMBER:
    case OPTION_BYTES: error = wanted_range(row, &text); break;
    case OPTION_WORD: error = wanted_words(row->words, &text); break;
    case OPTION_TEXT: error = buf_text_add(&text, row->wanted ? row->wanted : "a text of one line"); break;
    case OPTION_SECRET_FILE: error = buf_text_add(&text, "the path of a file"); break;
    case OPTION_REAL: error = wanted_real(row, &text); break;
    case OPTION_SHARE: error = buf_text_add(&text, "a size in bytes (512M, 50G …), or 1% to 100%"); break;
    }
    if (error || text_copy(to, size, buf_text(&text)))
        (void)text_copy(to, size, "another value");
}
