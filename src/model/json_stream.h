/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_JSON_STREAM_H
#define WEIGHTFS_MODEL_JSON_STREAM_H

/*
 * JSON (RFC 8259) of any size in bounded memory, for what a whole document (outside/json.h) would cost too
 * much: the header of a safetensors file may have 100 MB, a tokenizer.json has thirty. One event after the
 * other; strings are decoded into a short buffer, the rest of a long one is checked and not kept. Strict:
 * valid UTF-8, no byte order mark, no duplicate names in an object, depth up to JSON_STREAM_DEPTH, at most
 * JSON_STREAM_NAMES names in the objects that are open at once (16 bytes each).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/scan.h"

#define JSON_STREAM_DEPTH 64
#define JSON_STREAM_NAMES 1100000
#define JSON_STREAM_TEXT  512

enum json_event {
    STREAM_BAD, /* `fault` says why, or scan->error does; every further step gives it again */
    STREAM_END, /* the document is complete and nothing but white space follows */
    STREAM_OBJECT,
    STREAM_OBJECT_END,
    STREAM_ARRAY,
    STREAM_ARRAY_END,
    STREAM_NAME, /* of a member: text; its value comes next */
    STREAM_TEXT,
    STREAM_NUMBER, /* `whole` and `number` when it is an integer from 0 to 2^64-1 */
    STREAM_TRUE,
    STREAM_FALSE,
    STREAM_NULL,
};

struct json_stream_name {
    uint64_t hash, at;
};

struct json_stream {
    struct scan *scan;
    const char *fault; /* static; NULL when a read failed */
    uint64_t fault_at;
    char text[JSON_STREAM_TEXT]; /* of a name or string, ended by a NUL */
    size_t text_len;             /* what is in `text` */
    bool text_cut;               /* the string is longer */
    bool text_nul;               /* a NUL character stands in it */
    uint64_t text_hash;          /* of all of it */
    uint64_t number;
    bool whole;
    size_t depth; /* open objects and arrays, after the event */
    struct {
        bool is_object;
        size_t first_name;
    } open[JSON_STREAM_DEPTH];
    enum { STREAM_WANT_VALUE, STREAM_WANT_FIRST, STREAM_WANT_NEXT, STREAM_DONE, STREAM_FAILED } want;
    struct json_stream_name *names;
    size_t name_count, name_room;
};

/* `scan` (lent) stands where the document begins and ends where it has to end. */
void json_stream_init(struct json_stream *stream, struct scan *scan);
void json_stream_done(struct json_stream *stream);
#define JSON_STREAM_CLEANUP __attribute__((cleanup(json_stream_done)))
enum json_event json_stream_next(struct json_stream *stream);
/* After an event that opens (or the NAME before it): goes on behind what it opened. For a NAME: behind its
 * value. false: STREAM_BAD. */
bool json_stream_skip(struct json_stream *stream, enum json_event event);

#endif
