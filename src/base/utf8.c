/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

/* The second byte's range is narrower after E0, ED, F0 and F4: that is what excludes overlong forms and
 * surrogates. */
static const struct lead {
    unsigned char first, last;
    unsigned char least, most;
    unsigned char size;
} LEADS[] = {
    {0x00, 0x7f, 0x00, 0x00, 1},
    {0xc2, 0xdf, 0x80, 0xbf, 2},
    {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3},
    {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4},
    {0xf4, 0xf4, 0x80, 0x8f, 4},
};

size_t utf8_char(const char *text, size_t len) {
    const unsigned char *bytes = (const unsigned char *)text;
    if (!len)
        return 0;
    for (size_t i = 0; i < sizeof LEADS / sizeof *LEADS; i++) {
        const struct lead *lead = &LEADS[i];
        if (bytes[0] < lead->first || bytes[0] > lead->last)
            continue;
        if (len < lead->size)
            return 0;
        if (lead->size > 1 && (bytes[1] < lead->least || bytes[1] > lead->most))
            return 0;
        for (size_t at = 2; at < lead->size; at++)
            if ((bytes[at] & 0xc0) != 0x80)
                return 0;
        return lead->size;
    }
    return 0;
}

void utf8_tame(char *text) {
    size_t left = strlen(text);
    char *to = text;
    while (left) {
        size_t size = utf8_char(text, left);
        unsigned char first = (unsigned char)text[0];
        unsigned char second = size == 2 ? (unsigned char)text[1] : 0;
        bool control =
            (size == 1 && (first < 0x20 || first == 0x7f)) || (first == 0xc2 && second && second < 0xa0);
        if (!size || control) {
            *to++ = '?';
            size = size ? size : 1;
        } else {
            memmove(to, text, size);
            to += size;
        }
        text += size;
        left -= size;
    }
    *to = '\0';
}

void utf8_cut(char *to, size_t size, const char *text) {
    size_t len = strlen(text);
    if (len >= size) {
        len = size - 1;
        /* Back over a character's later bytes (at most three, so that malformed text is not eaten up). */
        for (int back = 0; back < 3 && len && ((unsigned char)text[len] & 0xc0) == 0x80; back++)
            len--;
    }
    memcpy(to, text, len);
    to[len] = '\0';
}
