/* SPDX-License-Identifier: Apache-2.0 */
#include "model/json_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

void json_stream_init(struct json_stream *stream, struct scan *scan) {
    memset(stream, 0, sizeof *stream);
    stream->scan = scan;
}

void json_stream_done(struct json_stream *stream) {
    free(stream->names);
    stream->names = NULL;
}

static enum json_event bad(struct json_stream *stream, const char *fault) {
    if (stream->want != STREAM_FAILED) {
        stream->want = STREAM_FAILED;
        stream->fault = stream->scan->error ? NULL : fault;
        stream->fault_at = stream->scan->at;
    }
    return STREAM_BAD;
}

static int after_space(struct json_stream *stream) {
    int byte;
    while ((byte = scan_peek(stream->scan)) == ' ' || byte == '\n' || byte == '\r' || byte == '\t')
        stream->scan->at++;
    return byte;
}

/* ---- strings */

static void keep(struct json_stream *stream, const char *bytes, size_t len) {
    for (size_t i = 0; i < len; i++)
        stream->text_hash = (stream->text_hash ^ (uint8_t)bytes[i]) * 0x100000001b3ull;
    if (stream->text_cut || stream->text_len + len >= sizeof stream->text) {
        stream->text_cut = true;
        return;
    }
    memcpy(stream->text + stream->text_len, bytes, len);
    stream->text_len += len;
}

static void keep_character(struct json_stream *stream, uint32_t code) {
    char bytes[4];
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len; i-- > 1; code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3f));
    static const uint8_t LEADS[] = {0, 0, 0xc0, 0xe0, 0xf0};
    bytes[0] = (char)(LEADS[len] | code);
    stream->text_nul = stream->text_nul || bytes[0] == '\0';
    keep(stream, bytes, len);
}

/* The four digits of a \u escape. */
static bool hex(struct json_stream *stream, uint32_t *ret_code) {
    uint32_t code = 0;
    for (int i = 0; i < 4; i++) {
        int byte = scan_byte(stream->scan);
        int digit = byte >= '0' && byte <= '9'   ? byte - '0'
                    : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                    : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                                 : -1;
        if (digit < 0)
            return false;
        code = code << 4 | (uint32_t)digit;
    }
    *ret_code = code;
    return true;
}

static const char *escape(struct json_stream *stream) {
    static const char FROM[] = "\"\\/bfnrt", TO[] = "\"\\/\b\f\n\r\t";
    int byte = scan_byte(stream->scan);
    const char *simple = byte > 0 ? strchr(FROM, byte) : NULL;
    uint32_t code, low;
    if (simple) {
        keep_character(stream, (uint8_t)TO[simple - FROM]);
        return NULL;
    }
    if (byte != 'u' || !hex(stream, &code))
        return "a backslash with something after it that is no escape";
    if (code >= 0xd800 && code < 0xdc00) {
        if (scan_byte(stream->scan) != '\\' || scan_byte(stream->scan) != 'u' || !hex(stream, &low) ||
            low < 0xdc00 || low > 0xdfff)
            return "half of a surrogate pair";
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code < 0xe000) {
        return "half of a surrogate pair";
    }
    keep_character(stream, code);
    return NULL;
}

/* The rest of a character of several bytes whose first one was read. */
static const char *wide(struct json_stream *stream, int first) {
    char bytes[4] = {(char)first};
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    for (size_t i = 1; i < len; i++) {
        int byte = scan_byte(stream->scan);
        if (byte < 0)
            return "it ends within a string";
        bytes[i] = (char)byte;
    }
    if (utf8_char(bytes, len) != len)
        return "bytes that are not UTF-8";
    keep(stream, bytes, len);
    return NULL;
}

/* Behind the opening quote. */
static const char *string(struct json_stream *stream) {
    stream->text_len = 0;
    stream->text_cut = stream->text_nul = false;
    stream->text_hash = 0xcbf29ce484222325ull;
    for (;;) {
        int byte = scan_byte(stream->scan);
        const char *fault = NULL;
        if (byte == '"')
            break;
        if (byte < 0)
            return "it ends within a string";
        if (byte < 0x20)
            return "a control character within a string";
        if (byte == '\\')
            fault = escape(stream);
        else if (byte < 0x80)
            keep(stream, &(char){(char)byte}, 1);
        else
            fault = wide(stream, byte);
        if (fault)
            return fault;
    }
    stream->text[stream->text_len] = '\0';
    return NULL;
}

/* ---- names of an object */

static const char *note_name(struct json_stream *stream, uint64_t at) {
    if (stream->name_count == JSON_STREAM_NAMES)
        return "more names in one object than any model has";
    if (stream->name_count == stream->name_room) {
        stream->name_room = stream->name_room ? stream->name_room * 2 : 64;
        stream->names = mem_resize(stream->names, stream->name_room, sizeof *stream->names);
    }
    stream->names[stream->name_count++] = (struct json_stream_name){stream->text_hash, at};
    return NULL;
}

static int by_hash(const void *a, const void *b) {
    const struct json_stream_name *left = a, *right = b;
    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    return left->at < right->at ? -1 : left->at > right->at;
}

/* At the end of an object: no name may stand in it twice (parsers disagree which of the two counts). */
static bool names_are_unique(struct json_stream *stream, size_t first) {
    size_t count = stream->name_count - first;
    stream->name_count = first;
    if (count < 2)
        return true;
    struct json_stream_name *names = stream->names + first;
    qsort(names, count, sizeof *names, by_hash);
    for (size_t i = 1; i < count; i++)
        if (names[i].hash == names[i - 1].hash) {
            stream->scan->at = names[i].at;
            return false;
        }
    return true;
}

/* ---- values */

static bool digits(struct json_stream *stream, bool *ret_fits) {
    int byte = scan_peek(stream->scan);
    if (byte < '0' || byte > '9')
        return false;
    for (; byte >= '0' && byte <= '9'; byte = scan_peek(stream->scan)) {
        if (__builtin_mul_overflow(stream->number, 10, &stream->number) ||
            __builtin_add_overflow(stream->number, (uint64_t)(byte - '0'), &stream->number))
            *ret_fits = false;
        stream->scan->at++;
    }
    return true;
}

static enum json_event number(struct json_stream *stream) {
    bool negative = scan_peek(stream->scan) == '-', fits = true, ignored = true;
    stream->scan->at += negative;
    stream->number = 0;
    bool zero = scan_peek(stream->scan) == '0';
    uint64_t from = stream->scan->at;
    if (!digits(stream, &fits) || (zero && stream->scan->at > from + 1))
        return bad(stream, "something that is no number");
    uint64_t value = stream->number;
    stream->whole = fits && !negative;
    if (scan_peek(stream->scan) == '.') {
        stream->scan->at++;
        stream->whole = false;
        if (!digits(stream, &ignored))
            return bad(stream, "something that is no number");
    }
    int byte = scan_peek(stream->scan);
    if (byte == 'e' || byte == 'E') {
        stream->scan->at++;
        stream->whole = false;
        byte = scan_peek(stream->scan);
        stream->scan->at += byte == '+' || byte == '-';
        if (!digits(stream, &ignored))
            return bad(stream, "something that is no number");
    }
    stream->number = value;
    return STREAM_NUMBER;
}

static enum json_event word(struct json_stream *stream) {
    static const struct {
        const char *text;
        enum json_event event;
    } WORDS[] = {{"true", STREAM_TRUE}, {"false", STREAM_FALSE}, {"null", STREAM_NULL}};
    int first = scan_peek(stream->scan);
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        if (WORDS[i].text[0] != first)
            continue;
        for (const char *letter = WORDS[i].text; *letter; letter++)
            if (scan_byte(stream->scan) != *letter)
                return bad(stream, "a word that is none of true, false and null");
        return WORDS[i].event;
    }
    return bad(stream, first < 0 ? "it ends where a value should stand" : "something that is no value");
}

static enum json_event opened(struct json_stream *stream, bool is_object) {
    if (stream->depth == JSON_STREAM_DEPTH)
        return bad(stream, "objects and arrays nested deeper than any model needs");
    stream->scan->at++;
    stream->open[stream->depth].is_object = is_object;
    stream->open[stream->depth].first_name = stream->name_count;
    stream->depth++;
    stream->want = STREAM_WANT_FIRST;
    return is_object ? STREAM_OBJECT : STREAM_ARRAY;
}

static enum json_event value(struct json_stream *stream) {
    int byte = after_space(stream);
    if (byte == '{' || byte == '[')
        return opened(stream, byte == '{');
    stream->want = stream->depth ? STREAM_WANT_NEXT : STREAM_DONE;
    if (byte == '"') {
        stream->scan->at++;
        const char *fault = string(stream);
        return fault ? bad(stream, fault) : STREAM_TEXT;
    }
    return byte == '-' || (byte >= '0' && byte <= '9') ? number(stream) : word(stream);
}

static enum json_event name(struct json_stream *stream) {
    uint64_t at = stream->scan->at;
    if (scan_peek(stream->scan) != '"')
        return bad(stream, "something else where the name of a member should stand");
    stream->scan->at++;
    const char *fault = string(stream);
    fault = fault ? fault : note_name(stream, at);
    if (fault)
        return bad(stream, fault);
    if (after_space(stream) != ':')
        return bad(stream, "a name without a colon after it");
    stream->scan->at++;
    stream->want = STREAM_WANT_VALUE;
    return STREAM_NAME;
}

static enum json_event closed(struct json_stream *stream) {
    bool is_object = stream->open[stream->depth - 1].is_object;
    stream->scan->at++;
    stream->depth--;
    if (is_object && !names_are_unique(stream, stream->open[stream->depth].first_name))
        return bad(stream, "a name that stands twice in its object");
    stream->want = stream->depth ? STREAM_WANT_NEXT : STREAM_DONE;
    return is_object ? STREAM_OBJECT_END : STREAM_ARRAY_END;
}

enum json_event json_stream_next(struct json_stream *stream) {
    if (stream->want == STREAM_FAILED)
        return STREAM_BAD;
    if (stream->want == STREAM_WANT_VALUE)
        return value(stream);
    int byte = after_space(stream);
    if (stream->want == STREAM_DONE) {
        if (byte >= 0 || stream->scan->error)
            return bad(stream, "something after the end of the document");
        return STREAM_END;
    }
    bool is_object = stream->open[stream->depth - 1].is_object;
    if (byte == (is_object ? '}' : ']'))
        return closed(stream);
    if (stream->want == STREAM_WANT_NEXT) {
        if (byte != ',')
            return bad(stream, byte < 0 ? "it ends before it is complete" : "a comma is missing");
        stream->scan->at++;
        (void)after_space(stream);
    }
    return is_object ? name(stream) : value(stream);
}

bool json_stream_skip(struct json_stream *stream, enum json_event event) {
    if (event == STREAM_NAME)
        event = json_stream_next(stream);
    if (event == STREAM_BAD)
        return false;
    if (event != STREAM_OBJECT && event != STREAM_ARRAY)
        return true;
    size_t outside = stream->depth - 1;
    while (stream->depth > outside)
        if (json_stream_next(stream) == STREAM_BAD)
            return false;
    return true;
}
