/* SPDX-License-Identifier: Apache-2.0 */
/* The part of buf.h that is about texts of a fixed size: sizes and times for people, and the distance of
 * words. */
#include "base/buf.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

int text_copy(char *to, size_t size, const char *text) {
    size_t len = strlen(text);
    if (len < size) {
        memcpy(to, text, len + 1);
        return 0;
    }
    if (size)
        to[0] = '\0';
    return -ENAMETOOLONG;
}

const char *human_bytes(char to[static HUMAN_SIZE], uint64_t bytes) {
    static const char *const UNITS[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        snprintf(to, HUMAN_SIZE, "%" PRIu64 " B", bytes);
        return to;
    }
    uint64_t tenth = 100; /* a tenth of the unit */
    for (size_t unit = 0;; unit++, tenth *= 1000) {
        uint64_t tenths = bytes / tenth + (bytes % tenth >= tenth / 2);
        /* 999,960 bytes are 1.0 MB, not 1000.0 kB. */
        if (tenths < 10000 || unit + 1 == sizeof UNITS / sizeof *UNITS) {
            snprintf(to, HUMAN_SIZE, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, UNITS[unit]);
            return to;
        }
    }
}

const char *human_seconds(char to[static HUMAN_SIZE], uint64_t seconds) {
    uint64_t hours = seconds / 3600;
    unsigned minutes = (unsigned)(seconds / 60 % 60);
    unsigned rest = (unsigned)(seconds % 60);
    if (seconds == UINT64_MAX)
        snprintf(to, HUMAN_SIZE, "--:--");
    else if (hours)
        snprintf(to, HUMAN_SIZE, "%" PRIu64 ":%02u:%02u", hours, minutes, rest);
    else
        snprintf(to, HUMAN_SIZE, "%u:%02u", minutes, rest);
    return to;
}

int bytes_parse(const char *text, uint64_t *ret_bytes) {
    static const char LETTERS[] = "KMGT";
    uint64_t bytes = 0;
    const char *at = text;
    for (; isdigit((unsigned char)*at); at++)
        if (__builtin_mul_overflow(bytes, 10, &bytes) ||
            __builtin_add_overflow(bytes, (uint64_t)(*at - '0'), &bytes))
            return -ERR_BAD_VALUE;
    if (at == text)
        return -ERR_BAD_VALUE;

    const char *letter = *at ? strchr(LETTERS, toupper((unsigned char)*at)) : NULL;
    at += letter != NULL;
    /* "K" and "KiB" are 1024, "KB" is 1000. */
    uint64_t factor = letter && !strcasecmp(at, "b") ? 1000 : 1024;
    if (*at && strcasecmp(at, "b") && !(letter && !strcasecmp(at, "ib")))
        return -ERR_BAD_VALUE;
    for (ptrdiff_t power = letter ? letter - LETTERS + 1 : 0; power; power--)
        if (__builtin_mul_overflow(bytes, factor, &bytes))
            return -ERR_BAD_VALUE;
    *ret_bytes = bytes;
    return 0;
}

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

/* Insertions, removals, replacements and swaps of neighbours (optimal string alignment), on three rows of
 * the matrix. */
unsigned text_distance(const char *a, const char *b) {
    enum { MOST = 63 };
    unsigned rows[3][MOST + 1];
    size_t a_len = strnlen(a, MOST);
    size_t b_len = strnlen(b, MOST);
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_len; i++) {
        unsigned *now = rows[i % 3];
        const unsigned *last = rows[(i + 2) % 3];
        const unsigned *before = rows[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}
