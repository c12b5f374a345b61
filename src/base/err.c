/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/utf8.h"

static const struct row {
    const char *name;
    int number;
    const char *sentence;
} ROWS[] = {
#define ERR_ROW(name, number, sentence) {#name, number, sentence},
    ERR_TABLE(ERR_ROW)
#undef ERR_ROW
};

static const struct row *row_of(int error) {
    return error < -ERR_FIRST && error > -ERR_END ? &ROWS[-error - ERR_FIRST - 1] : NULL;
}

/* An errno that the C library knows by name; INT_MIN has no positive counterpart. */
static int known_errno(int error) {
    return error < 0 && error > -ERR_FIRST && strerrorname_np(-error) ? -error : 0;
}

int err_errno(int error) {
    const struct row *row = row_of(error);
    if (row)
        return row->number;
    if (!error)
        return 0;
    int number = known_errno(error);
    return number ? number : EIO;
}

const char *err_name(int error) {
    const struct row *row = row_of(error);
    if (row)
        return row->name;
    if (!error)
        return "OK";
    int number = known_errno(error);
    return number ? strerrorname_np(number) : "UNKNOWN";
}

const char *err_sentence(int error) {
    const struct row *row = row_of(error);
    if (row)
        return row->sentence;
    if (!error)
        return "no error";
    int number = known_errno(error);
    return number ? strerrordesc_np(number) : "an error that has no name";
}

int err_because(struct reason *reason, int error, const char *format, ...) {
    if (!reason)
        return error;
    int saved = errno;
    BUF_CLEANUP struct buf text = BUF_INIT;
    va_list args;
    va_start(args, format);
    (void)buf_vformat(&text, format,
        args); /* without a limit only a bad conversion fails: the sentence stands then */
    va_end(args);
    if (text.data) {
        /* Redacted before it is cut: half a secret would not be recognised. */
        log_redact(text.data);
        utf8_tame(text.data);
    }
    utf8_cut(reason->text, sizeof reason->text, buf_text(&text));
    errno = saved;
    return error;
}

const char *err_text(const struct reason *reason, int error) {
    return reason && *reason->text ? reason->text : err_sentence(error);
}

size_t err_count(void) {
    return sizeof ROWS / sizeof *ROWS;
}

void err_row(size_t index, const char **ret_name, int *ret_errno, const char **ret_sentence) {
    *ret_name = ROWS[index].name;
    *ret_errno = ROWS[index].number;
    *ret_sentence = ROWS[index].sentence;
}
