/* SPDX-License-Identifier: Apache-2.0 */
#include "model/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/json_stream.h"

static const struct dtype {
    const char *name;
    unsigned bits;
} DTYPES[] = {
    {"F4", 4},
    {"F6_E2M3", 6},
    {"F6_E3M2", 6},
    {"BOOL", 8},
    {"U8", 8},
    {"I8", 8},
    {"F8_E5M2", 8},
    {"F8_E4M3", 8},
    {"F8_E8M0", 8},
    {"F8_E4M3FNUZ", 8},
    {"F8_E5M2FNUZ", 8},
    {"I16", 16},
    {"U16", 16},
    {"F16", 16},
    {"BF16", 16},
    {"I32", 32},
    {"U32", 32},
    {"F32", 32},
    {"I64", 64},
    {"U64", 64},
    {"F64", 64},
    {"C64", 64},
};

struct extent {
    uint64_t begin, end;
};

struct walk {
    const struct safetensors_visitor *visitor;
    struct findings *findings;
    struct scan scan;
    struct json_stream stream;
    uint64_t data_size;
    struct extent *extents;
    size_t count, room;
};

/* One tensor, as its members come: each counts once the object is complete. */
struct entry {
    char name[JSON_STREAM_TEXT];
    uint64_t name_hash;
    const struct dtype *dtype;
    uint64_t elements, begin, end;
    bool has_dtype, has_shape, has_offsets, overflows;
};

/* A refusal of the walk: false, so that it can be returned. */
#define REFUSE(walk, ...) (findings_add((walk)->findings, FINDING_ERROR, __VA_ARGS__), false)

static bool bad_json(struct walk *walk) {
    if (!walk->stream.fault) /* a read failed: the caller hands that on */
        return false;
    return REFUSE(walk, "the header is not valid JSON: byte %llu: %s",
        (unsigned long long)walk->stream.fault_at, walk->stream.fault);
}

static const struct dtype *dtype_of(const char *name) {
    for (size_t i = 0; i < sizeof DTYPES / sizeof *DTYPES; i++)
        if (!strcmp(DTYPES[i].name, name))
            return &DTYPES[i];
    return NULL;
}

static bool read_dtype(struct walk *walk, struct entry *entry) {
    enum json_event event = json_stream_next(&walk->stream);
    if (event == STREAM_BAD)
        return bad_json(walk);
    if (event != STREAM_TEXT)
        return REFUSE(walk, "tensor %s: dtype is not a string", entry->name);
    entry->has_dtype = true;
    entry->dtype = walk->stream.text_nul ? NULL : dtype_of(walk->stream.text);
    if (!entry->dtype)
        return REFUSE(walk, "tensor %s: unknown dtype %s", entry->name, walk->stream.text);
    return true;
}

static bool read_shape(struct walk *walk, struct entry *entry) {
    enum json_event event = json_stream_next(&walk->stream);
    if (event == STREAM_BAD)
        return bad_json(walk);
    if (event != STREAM_ARRAY)
        return REFUSE(walk, "tensor %s: shape is not an array", entry->name);
    entry->has_shape = true;
    entry->elements = 1;
    while ((event = json_stream_next(&walk->stream)) == STREAM_NUMBER && walk->stream.whole)
        entry->overflows = __builtin_mul_overflow(entry->elements, walk->stream.number, &entry->elements) ||
                           entry->overflows;
    if (event == STREAM_BAD)
        return bad_json(walk);
    if (event != STREAM_ARRAY_END)
        return REFUSE(walk, "tensor %s: its shape holds something that is no size", entry->name);
    return true;
}

static bool read_offsets(struct walk *walk, struct entry *entry) {
    uint64_t offsets[2];
    size_t count = 0;
    enum json_event event = json_stream_next(&walk->stream);
    if (event == STREAM_ARRAY)
        while ((event = json_stream_next(&walk->stream)) == STREAM_NUMBER && walk->stream.whole && count < 2)
            offsets[count++] = walk->stream.number;
    if (event == STREAM_BAD)
        return bad_json(walk);
    if (event != STREAM_ARRAY_END || count != 2)
        return REFUSE(walk, "tensor %s: data_offsets are not two numbers", entry->name);
    entry->has_offsets = true;
    entry->begin = offsets[0];
    entry->end = offsets[1];
    return true;
}

static bool judge(struct walk *walk, const struct entry *entry) {
    uint64_t bits;
    if (!entry->has_dtype || !entry->has_shape || !entry->has_offsets)
        return REFUSE(walk, "tensor %s: dtype, shape or data_offsets is missing", entry->name);
    if (entry->overflows || __builtin_mul_overflow(entry->elements, entry->dtype->bits, &bits))
        return REFUSE(walk, "tensor %s: its shape has more elements than there are numbers", entry->name);
    if (entry->end < entry->begin || entry->end > walk->data_size)
        return REFUSE(walk, "tensor %s: bytes %llu to %llu are not within the file's %llu bytes of data%s",
            entry->name, (unsigned long long)entry->begin, (unsigned long long)entry->end,
            (unsigned long long)walk->data_size, entry->end > walk->data_size ? " (cut off?)" : "");
    if (bits % 8 || entry->end - entry->begin != bits / 8)
        return REFUSE(walk, "tensor %s: its shape needs %llu bytes of %s, its offsets have %llu", entry->name,
            (unsigned long long)(bits / 8), entry->dtype->name,
            (unsigned long long)(entry->end - entry->begin));
    return true;
}

static bool take(struct walk *walk, const struct entry *entry) {
    if (walk->count == SAFETENSORS_TENSORS_MAX)
        return REFUSE(walk, "more than %d tensors", SAFETENSORS_TENSORS_MAX);
    if (walk->count == walk->room) {
        walk->room = walk->room ? walk->room * 2 : 256;
        walk->extents = mem_resize(walk->extents, walk->room, sizeof *walk->extents);
    }
    walk->extents[walk->count++] = (struct extent){entry->begin, entry->end};
    struct safetensors_tensor tensor = {entry->name, entry->name_hash, entry->dtype->name, entry->elements,
        entry->begin, entry->end};
    if (walk->visitor && walk->visitor->tensor)
        walk->visitor->tensor(walk->visitor->context, &tensor);
    return true;
}

static bool read_tensor(struct walk *walk) {
    static const struct {
        const char *name;
        bool (*read)(struct walk *walk, struct entry *entry);
    } MEMBERS[] = {{"dtype", read_dtype}, {"shape", read_shape}, {"data_offsets", read_offsets}};
    struct entry entry = {.name_hash = walk->stream.text_hash};
    memcpy(entry.name, walk->stream.text, walk->stream.text_len);
    if (walk->stream.text_nul)
        return REFUSE(walk, "the name of a tensor holds a NUL character");
    enum json_event event = json_stream_next(&walk->stream);
    if (event == STREAM_BAD)
        return bad_json(walk);
    if (event != STREAM_OBJECT)
        return REFUSE(walk, "tensor %s is not described by an object", entry.name);
    while ((event = json_stream_next(&walk->stream)) == STREAM_NAME) {
        size_t i = 0;
        while (i < 3 && strcmp(MEMBERS[i].name, walk->stream.text))
            i++;
        if (i == 3)
            return REFUSE(walk, "tensor %s has a member %s, which the format does not know", entry.name,
                walk->stream.text);
        if (!MEMBERS[i].read(walk, &entry))
            return false;
    }
    if (event == STREAM_BAD)
        return bad_json(walk);
    return judge(walk, &entry) && take(walk, &entry);
}

static bool read_metadata(struct walk *walk) {
    char name[JSON_STREAM_TEXT];
    enum json_event event = json_stream_next(&walk->stream);
    if (event == STREAM_BAD)
        return bad_json(walk);
    if (event != STREAM_OBJECT)
        return REFUSE(walk, "__metadata__ is not an object");
    while ((event = json_stream_next(&walk->stream)) == STREAM_NAME) {
        memcpy(name, walk->stream.text, walk->stream.text_len + 1);
        event = json_stream_next(&walk->stream);
        if (event == STREAM_BAD)
            return bad_json(walk);
        if (event != STREAM_TEXT)
            return REFUSE(walk, "__metadata__ holds something that is no string (%s)", name);
        if (walk->visitor && walk->visitor->metadata)
            walk->visitor->metadata(walk->visitor->context, name, walk->stream.text);
    }
    return event == STREAM_BAD ? bad_json(walk) : true;
}

static int by_begin(const void *a, const void *b) {
    const struct extent *left = a, *right = b;
    if (left->begin != right->begin)
        return left->begin < right->begin ? -1 : 1;
    return left->end < right->end ? -1 : left->end > right->end;
}

/* Tensors cover the data exactly: a hole hides something, an overlap is a memory bomb. */
static bool covers(struct walk *walk) {
    uint64_t at = 0;
    if (walk->count > 1)
        qsort(walk->extents, walk->count, sizeof *walk->extents, by_begin);
    for (size_t i = 0; i < walk->count; i++) {
        if (walk->extents[i].begin != at)
            return REFUSE(walk, "tensors %s at byte %llu of the data",
                walk->extents[i].begin < at ? "overlap" : "leave a hole",
                (unsigned long long)(walk->extents[i].begin < at ? walk->extents[i].begin : at));
        at = walk->extents[i].end;
    }
    if (at != walk->data_size)
        return REFUSE(walk, "%llu bytes after the last tensor belong to none",
            (unsigned long long)(walk->data_size - at));
    return true;
}

static bool read_header(struct walk *walk) {
    enum json_event event;
    if (scan_peek(&walk->scan) != '{')
        return walk->scan.error ? false : REFUSE(walk, "the header does not begin with {");
    (void)json_stream_next(&walk->stream);
    while ((event = json_stream_next(&walk->stream)) == STREAM_NAME) {
        bool is_metadata = !strcmp(walk->stream.text, "__metadata__") && !walk->stream.text_nul;
        if (!(is_metadata ? read_metadata(walk) : read_tensor(walk)))
            return false;
    }
    if (event == STREAM_BAD || json_stream_next(&walk->stream) != STREAM_END)
        return bad_json(walk);
    return covers(walk);
}

int safetensors_walk(const struct format_reader *reader, uint64_t header_max,
    const struct safetensors_visitor *visitor, struct findings *findings) {
    struct walk *walk = mem_new(sizeof *walk);
    uint64_t size;
    walk->visitor = visitor;
    walk->findings = findings;
    scan_init(&walk->scan, reader, 0, reader->size);
    if (!scan_u64(&walk->scan, &size)) {
        if (!walk->scan.error)
            (void)REFUSE(walk, "the file is too short for a header");
    } else if (size > header_max) {
        (void)REFUSE(walk, "a header of %llu bytes: more than %llu are not read", (unsigned long long)size,
            (unsigned long long)header_max);
    } else if (size > scan_left(&walk->scan)) {
        (void)REFUSE(walk, "the header should have %llu bytes, the file has %llu more (cut off?)",
            (unsigned long long)size, (unsigned long long)scan_left(&walk->scan));
    } else {
        walk->scan.end = walk->scan.at + size;
        walk->data_size = reader->size - walk->scan.end;
        json_stream_init(&walk->stream, &walk->scan);
        (void)read_header(walk);
        json_stream_done(&walk->stream);
    }
    int error = walk->scan.error;
    free(walk->extents);
    free(walk);
    return error;
}

int format_check_safetensors(const struct format_reader *reader, struct findings *findings) {
    return safetensors_walk(reader, SAFETENSORS_HEADER_MAX, NULL, findings);
}
