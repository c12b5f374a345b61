/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"

static const size_t FIRST_ROOM = 64;

static _Noreturn void out_of_memory(void) {
    static const char LINE[] = "weightfs: out of memory\n";
    (void)!write(STDERR_FILENO, LINE, sizeof LINE - 1); /* there is nothing left to do about a failure */
    abort();
}

void *mem_new(size_t size) {
    return mem_array(1, size);
}

void *mem_array(size_t count, size_t size) {
    size_t total;
    bool fits = !__builtin_mul_overflow(count, size,
        &total); /* looked at here: sanitizers end calloc their own way */
    void *memory = fits ? calloc(1, total ? total : 1) : NULL;
    if (!memory)
        out_of_memory();
    return memory;
}

void *mem_resize(void *old, size_t count, size_t size) {
    void *memory = count && size ? reallocarray(old, count, size) : realloc(old, 1);
    if (!memory)
        out_of_memory();
    return memory;
}

char *mem_text(const char *text) {
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(mem_new(size), text, size);
}

void buf_done(struct buf *buf) {
    free(buf->data);
    *buf = (struct buf){.limit = buf->limit};
}

void buf_clear(struct buf *buf) {
    buf->len = 0;
    if (buf->data)
        buf->data[0] = '\0';
}

/* Makes room for `more` bytes and the NUL behind them. */
static int buf_grow(struct buf *buf, size_t more) {
    if (buf->limit && (buf->len > buf->limit || more > buf->limit - buf->len))
        return -EFBIG;
    if (more >= SIZE_MAX / 2 - buf->len)
        out_of_memory();
    size_t need = buf->len + more + 1;
    if (need > buf->room) {
        size_t room = buf->room ? buf->room * 2 : FIRST_ROOM;
        buf->room = room > need ? room : need;
        buf->data = mem_resize(buf->data, buf->room, 1);
    }
    return 0;
}

int buf_add(struct buf *buf, const void *data, size_t len) {
    int error = buf_grow(buf, len);
    if (error)
        return error;
    if (len)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
    return 0;
}

int buf_text_add(struct buf *buf, const char *text) {
    return buf_add(buf, text, strlen(text));
}

int buf_format(struct buf *buf, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int error = buf_vformat(buf, format, args);
    va_end(args);
    return error;
}

int buf_vformat(struct buf *buf, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        return -errno;
    int error = buf_grow(buf, (size_t)len);
    if (error)
        return error;
    vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
    buf->len += (size_t)len;
    return 0;
}

/* What is written for one character; NULL: as it is. */
static const char *json_escape(const char *at, size_t size, char to[static 8]) {
    static const char SHORT[128] =
        {['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['\b'] = 'b', ['\f'] = 'f'};
    if (!size)
        return "\xef\xbf\xbd";
    unsigned char byte = (unsigned char)*at;
    if (byte < 128 && SHORT[byte]) {
        snprintf(to, 8, "\\%c", SHORT[byte]);
        return to;
    }
    if (byte < 0x20 || byte == 0x7f) {
        snprintf(to, 8, "\\u%04x", byte);
        return to;
    }
    return NULL;
}

static int json_characters(struct buf *buf, const char *text) {
    size_t left = strlen(text);
    size_t plain = 0; /* characters before text that need no escape and are not added yet */
    int error = 0;
    while (left && !error) {
        char room[8];
        size_t size = utf8_char(text, left);
        const char *escape = json_escape(text, size, room);
        size = size ? size : 1;
        if (escape) {
            error = buf_add(buf, text - plain, plain);
            error = error ? error : buf_text_add(buf, escape);
            plain = 0;
        } else {
            plain += size;
        }
        text += size;
        left -= size;
    }
    return error ? error : buf_add(buf, text - plain, plain);
}

int buf_json_string(struct buf *buf, const char *text) {
    if (!text)
        return buf_text_add(buf, "null");
    size_t before = buf->len;
    int error = buf_add(buf, "\"", 1);
    error = error ? error : json_characters(buf, text);
    error = error ? error : buf_add(buf, "\"", 1);
    if (error && buf->data) {
        buf->len = before;
        buf->data[before] = '\0';
    }
    return error;
}

const char *buf_text(const struct buf *buf) {
    return buf->data ? buf->data : "";
}

char *buf_take(struct buf *buf) {
    char *text = buf->data ? buf->data : mem_text("");
    *buf = (struct buf){.limit = buf->limit};
    return text;
}
