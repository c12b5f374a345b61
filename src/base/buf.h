/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_BUF_H
#define WEIGHTFS_BASE_BUF_H

/*
 * A growing buffer of bytes that is also always a C string (a NUL follows the last byte). Out of memory ends
 * the process (as git's xmalloc): sizes that come from outside are bounded by `limit` before anything is
 * allocated.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct buf {
    char *data; /* NULL until something is added; use buf_text() for a string */
    size_t len;
    size_t room;
    size_t limit; /* 0: none. Adding past it fails with -EFBIG and adds nothing */
};

#define BUF_INIT \
    { NULL, 0, 0, 0 }
#define BUF_CLEANUP __attribute__((cleanup(buf_done)))

void buf_done(struct buf *buf);  /* frees; the buf is as BUF_INIT again (limit kept) */
void buf_clear(struct buf *buf); /* length 0, room kept */
int buf_add(struct buf *buf, const void *data, size_t len);
int buf_text_add(struct buf *buf, const char *text);
int buf_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
int buf_vformat(struct buf *buf, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
int buf_json_string(struct buf *buf,
    const char *text); /* quoted and escaped; NULL gives null; invalid UTF-8 becomes U+FFFD */
const char *buf_text(const struct buf *buf); /* never NULL; valid until the next change */
char *buf_take(struct buf *buf);             /* hands the string over (free() it); the buf is empty */

/* Allocation that does not fail. */
void *mem_new(size_t size);                 /* zeroed */
void *mem_array(size_t count, size_t size); /* zeroed, overflow checked */
void *mem_resize(void *old, size_t count, size_t size);
char *mem_text(const char *text); /* a copy; NULL gives NULL */

static inline void mem_free_text(char **text) {
    free(*text);
}
#define TEXT_CLEANUP __attribute__((cleanup(mem_free_text)))

/* Copies `text` into `to` of `size` bytes; -ENAMETOOLONG (and an empty `to`) when it does not fit. */
int text_copy(char *to, size_t size, const char *text);

/* "945.8 MB", "2.2 GB" (powers of 1000, as disks are sold), "317 B". */
#define HUMAN_SIZE 32
const char *human_bytes(char to[static HUMAN_SIZE], uint64_t bytes);
/* "0:15", "3:02:41"; UINT64_MAX seconds gives "--:--". */
const char *human_seconds(char to[static HUMAN_SIZE], uint64_t seconds);
/* "50G", "512MiB", "1048576": K M G T are powers of 1024 (and KB MB GB TB, KiB …: B 1000, iB 1024).
 * -ERR_BAD_VALUE. */
int bytes_parse(const char *text, uint64_t *ret_bytes);
/* The number of edits between two words (for "did you mean"). */
unsigned text_distance(const char *a, const char *b);

#endif
