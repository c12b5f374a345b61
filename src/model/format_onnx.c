/* SPDX-License-Identifier: Apache-2.0 */
#include "model/format.h"

#include <string.h>

#include "model/scan.h"

/*
 * A ModelProto (github.com/onnx/onnx, onnx.proto) in protobuf's wire format: each field is a number and a
 * length. What may hold tensors is walked into; their bytes are skipped. Looked for: tensors whose data are
 * in other files (the path may lead out of the model's folder), and operators that are not ONNX's own (they
 * need native libraries).
 */
static const unsigned DEPTH_MAX = 24; /* a message more for each subgraph of a subgraph */
static const uint64_t FIELDS_MAX = 20000000;
enum { TEXT_MAX = 1024 };

enum message { MODEL, GRAPH, NODE, ATTRIBUTE, TENSOR, SPARSE, FUNCTION, TRAINING, OPSET, ENTRY, MESSAGES };

static const struct {
    enum message in;
    uint32_t field;
    enum message of;
} INSIDE[] = {
    {MODEL, 7, GRAPH},
    {MODEL, 8, OPSET},
    {MODEL, 20, TRAINING},
    {MODEL, 25, FUNCTION},
    {TRAINING, 1, GRAPH},
    {TRAINING, 2, GRAPH},
    {GRAPH, 1, NODE},
    {GRAPH, 5, TENSOR},
    {GRAPH, 15, SPARSE},
    {SPARSE, 1, TENSOR},
    {SPARSE, 2, TENSOR},
    {NODE, 5, ATTRIBUTE},
    {ATTRIBUTE, 5, TENSOR},
    {ATTRIBUTE, 6, GRAPH},
    {ATTRIBUTE, 10, TENSOR},
    {ATTRIBUTE, 11, GRAPH},
    {ATTRIBUTE, 22, SPARSE},
    {ATTRIBUTE, 23, SPARSE},
    {FUNCTION, 7, NODE},
    {FUNCTION, 9, OPSET},
    {TENSOR, 13, ENTRY},
};

struct walk {
    struct scan scan;
    struct findings *findings;
    uint64_t fields;
    uint64_t external; /* tensors with data elsewhere */
    bool has_graph;
    char key[TEXT_MAX]; /* of the ENTRY that is read */
};

#define REFUSE(walk, ...) (findings_add((walk)->findings, FINDING_ERROR, __VA_ARGS__), false)

static bool damaged(struct walk *walk) {
    return walk->scan.error
               ? false
               : REFUSE(walk, "not protobuf from byte %llu on (cut off?)", (unsigned long long)walk->scan.at);
}

static bool varint(struct walk *walk, uint64_t *ret_number) {
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        int byte = scan_byte(&walk->scan);
        if (byte < 0 || (shift == 63 && byte > 1))
            return false;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_number = number;
            return true;
        }
    }
    return false;
}

/* A relative path that stays below the model's folder. */
static bool is_inside(const char *path) {
    if (!*path || *path == '/' || strchr(path, '\\') || strchr(path, ':'))
        return false;
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (!strncmp(part, "..", 2) && (part[2] == '/' || !part[2]))
            return false;
    }
    return true;
}

static void judge_location(struct walk *walk, const char *path, bool whole) {
    walk->external++;
    if (!whole || !is_inside(path))
        findings_add(walk->findings, FINDING_DANGER,
            "a tensor's data are said to be in %s, outside of the model's folder", path);
}

/* A text of a message that is looked at: the domain of an operator set, or half of a pair of texts. */
static bool read_text(struct walk *walk, enum message in, uint32_t field, uint64_t size) {
    char text[TEXT_MAX];
    size_t kept = size < TEXT_MAX ? (size_t)size : TEXT_MAX - 1;
    if (!scan_bytes(&walk->scan, text, kept) || !scan_skip(&walk->scan, size - kept))
        return false;
    text[kept] = '\0';
    bool whole = kept == size && strlen(text) == size;
    if (in == OPSET && *text && strcmp(text, "ai.onnx") && strncmp(text, "ai.onnx.", 8) &&
        strcmp(text, "com.microsoft"))
        findings_add(walk->findings, FINDING_WARNING,
            "operators of %s: they need a native library of somebody's", text);
    if (in == ENTRY && field == 1)
        memcpy(walk->key, text, kept + 1);
    if (in == ENTRY && field == 2 && !strcmp(walk->key, "location"))
        judge_location(walk, text, whole);
    return true;
}

static bool is_text(enum message in, uint32_t field) {
    return (in == OPSET && field == 1) || (in == ENTRY && (field == 1 || field == 2));
}

static bool message(struct walk *walk, enum message in, uint64_t end, unsigned depth);

static bool read_bytes(struct walk *walk, enum message in, uint32_t field, uint64_t end, unsigned depth) {
    uint64_t size;
    if (!varint(walk, &size) || size > end - walk->scan.at)
        return damaged(walk);
    for (size_t i = 0; i < sizeof INSIDE / sizeof *INSIDE; i++)
        if (INSIDE[i].in == in && INSIDE[i].field == field) {
            walk->has_graph = walk->has_graph || INSIDE[i].of == GRAPH;
            return message(walk, INSIDE[i].of, walk->scan.at + size, depth + 1);
        }
    if (is_text(in, field))
        return read_text(walk, in, field, size) || damaged(walk);
    return scan_skip(&walk->scan, size) || damaged(walk);
}

static bool read_field(struct walk *walk, enum message in, uint64_t end, unsigned depth) {
    uint64_t tag, number;
    if (walk->fields++ == FIELDS_MAX)
        return REFUSE(walk, "more fields than any model has");
    if (!varint(walk, &tag) || tag >> 32 || !(tag >> 3))
        return damaged(walk);
    bool whole = true;
    switch (tag & 7) {
    case 0: whole = varint(walk, &number); break;
    case 1: whole = scan_skip(&walk->scan, 8); break;
    case 2: return read_bytes(walk, in, (uint32_t)(tag >> 3), end, depth);
    case 5: whole = scan_skip(&walk->scan, 4); break;
    default: /* groups, which ONNX never had */ whole = false;
    }
    return (whole && walk->scan.at <= end) || damaged(walk);
}

static bool message(struct walk *walk, enum message in, uint64_t end, unsigned depth) {
    if (depth > DEPTH_MAX)
        return REFUSE(walk, "graphs within graphs deeper than any model has");
    if (in == TENSOR)
        walk->key[0] = '\0';
    while (walk->scan.at < end)
        if (!read_field(walk, in, end, depth))
            return false;
    return true;
}

int format_check_onnx(const struct format_reader *reader, struct findings *findings) {
    struct walk walk = {.findings = findings};
    scan_init(&walk.scan, reader, 0, reader->size);
    bool whole = message(&walk, MODEL, reader->size, 0);
    if (whole && !walk.has_graph)
        findings_add(findings, FINDING_ERROR, "no ONNX model: there is no graph in it");
    if (whole && walk.external)
        findings_add(findings, FINDING_NOTE, "%llu tensors have their data in other files",
            (unsigned long long)walk.external);
    return walk.scan.error;
}
