/* SPDX-License-Identifier: Apache-2.0 */
#include "model/gguf.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/gguf_types.h"
#include "model/scan.h"

static const size_t KEY_MAX = 65535;
#define NAME_SIZE 64 /* of a tensor, with its NUL: ggml's own */
static const uint64_t ALIGNMENT_MAX = 1 << 20;
static const uint64_t LEAST_KEY = 13, LEAST_TENSOR = 24; /* bytes that each takes at the very least */
static const uint64_t LAYERS_MAX = 512;                  /* llama.cpp's arrays have so many */

static const uint8_t SIZES[GGUF_TYPES] = {
    [GGUF_U8] = 1,
    [GGUF_I8] = 1,
    [GGUF_U16] = 2,
    [GGUF_I16] = 2,
    [GGUF_U32] = 4,
    [GGUF_I32] = 4,
    [GGUF_F32] = 4,
    [GGUF_BOOL] = 1,
    [GGUF_STRING] = 8, /* at least */
    [GGUF_U64] = 8,
    [GGUF_I64] = 8,
    [GGUF_F64] = 8,
};

struct walk {
    const struct gguf_visitor *visitor;
    struct findings *findings;
    struct scan scan;
    uint64_t key_count, tensor_count, alignment;
    uint64_t data_end; /* where the next tensor begins, counted from the begin of the data */
    uint64_t last_end; /* where the last one ends: it may go without padding */
    bool sizes_known;  /* no tensor so far was of an unknown type */
    uint64_t tokens;   /* elements of tokenizer.ggml.tokens */
    uint64_t *hashes;  /* of names, to find those that are there twice */
    size_t hash_count;
    char *key;  /* of KEY_MAX + 1 bytes */
    char *text; /* of GGUF_TEXT_KEPT + 1 bytes */
};

#define REFUSE(walk, ...) (findings_add((walk)->findings, FINDING_ERROR, __VA_ARGS__), false)

/* The file ends within something, or can't be read (which the caller of the walk is told). */
static bool cut(struct walk *walk, const char *within) {
    return walk->scan.error ? false : REFUSE(walk, "the file ends within %s (cut off?)", within);
}

static bool integer_is_signed(enum gguf_type type) {
    return type == GGUF_I8 || type == GGUF_I16 || type == GGUF_I32 || type == GGUF_I64;
}

static bool is_integer(enum gguf_type type) {
    return type != GGUF_F32 && type != GGUF_F64 && type != GGUF_STRING && type != GGUF_ARRAY;
}

/* ---- names */

static void note_name(struct walk *walk, const char *name, size_t len) {
    uint64_t hash = 0xcbf29ce484222325ull;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)name[i]) * 0x100000001b3ull;
    walk->hashes[walk->hash_count++] = hash;
}

static int by_value(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static bool names_are_unique(struct walk *walk, const char *what) {
    size_t count = walk->hash_count;
    walk->hash_count = 0;
    if (count > 1)
        qsort(walk->hashes, count, sizeof *walk->hashes, by_value);
    for (size_t i = 1; i < count; i++)
        if (walk->hashes[i] == walk->hashes[i - 1])
            return REFUSE(walk, "%s is there twice", what);
    return true;
}

/* ---- values */

static bool read_string(struct walk *walk, struct gguf_value *value) {
    uint64_t size;
    if (!scan_u64(&walk->scan, &size))
        return cut(walk, walk->key);
    if (size > GGUF_STRING_MAX || size > scan_left(&walk->scan))
        return REFUSE(walk, "%s: a string of %llu bytes, the file has %llu more", walk->key,
            (unsigned long long)size, (unsigned long long)scan_left(&walk->scan));
    size_t kept = size < GGUF_TEXT_KEPT ? (size_t)size : GGUF_TEXT_KEPT;
    if (!scan_bytes(&walk->scan, walk->text, kept) || !scan_skip(&walk->scan, size - kept))
        return cut(walk, walk->key);
    walk->text[kept] = '\0';
    value->text = walk->text;
    value->text_size = size;
    return true;
}

static bool read_integer(struct walk *walk, enum gguf_type type, uint64_t *ret_number,
    bool *ret_is_negative) {
    uint64_t number;
    if (!scan_number(&walk->scan, SIZES[type], &number))
        return cut(walk, walk->key);
    *ret_is_negative = integer_is_signed(type) && number >> (SIZES[type] * 8 - 1);
    *ret_number = number;
    return true;
}

static bool read_strings(struct walk *walk, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        uint64_t size;
        if (!scan_u64(&walk->scan, &size))
            return cut(walk, walk->key);
        if (size > GGUF_STRING_MAX || !scan_skip(&walk->scan, size))
            return REFUSE(walk, "%s: its string %llu should have %llu bytes, the file has %llu more",
                walk->key, (unsigned long long)i, (unsigned long long)size,
                (unsigned long long)scan_left(&walk->scan));
    }
    return true;
}

static bool read_integers(struct walk *walk, struct gguf_value *value) {
    value->is_whole = true;
    for (uint64_t i = 0; i < value->count; i++) {
        uint64_t number;
        bool is_negative;
        if (!read_integer(walk, value->of, &number, &is_negative))
            return false;
        value->is_whole = value->is_whole && !is_negative;
        if (__builtin_add_overflow(value->number, number, &value->number))
            value->number = UINT64_MAX;
    }
    return true;
}

static bool read_array(struct walk *walk, struct gguf_value *value) {
    uint32_t type;
    if (!scan_u32(&walk->scan, &type) || !scan_u64(&walk->scan, &value->count))
        return cut(walk, walk->key);
    if (type >= GGUF_TYPES)
        return REFUSE(walk, "%s: an array of an unknown type (%lu)", walk->key, (unsigned long)type);
    if (type == GGUF_ARRAY)
        return REFUSE(walk, "%s: an array of arrays, which loaders refuse", walk->key);
    value->of = (enum gguf_type)type;
    if (value->count > scan_left(&walk->scan) / SIZES[type])
        return REFUSE(walk, "%s: an array of %llu elements, the file has %llu more bytes", walk->key,
            (unsigned long long)value->count, (unsigned long long)scan_left(&walk->scan));
    if (type == GGUF_STRING)
        return read_strings(walk, value->count);
    /* Only short ones are of interest (a number for each layer). */
    if (is_integer(value->of) && value->count <= 4096)
        return read_integers(walk, value);
    return scan_skip(&walk->scan, value->count * SIZES[type]);
}

static bool read_value(struct walk *walk, struct gguf_value *value) {
    uint32_t type;
    bool is_negative;
    if (!scan_u32(&walk->scan, &type))
        return cut(walk, walk->key);
    if (type >= GGUF_TYPES)
        return REFUSE(walk, "%s is of an unknown type (%lu)", walk->key, (unsigned long)type);
    value->type = (enum gguf_type)type;
    if (type == GGUF_STRING)
        return read_string(walk, value);
    if (type == GGUF_ARRAY)
        return read_array(walk, value);
    if (!is_integer(value->type))
        return scan_skip(&walk->scan, SIZES[type]) || cut(walk, walk->key);
    if (!read_integer(walk, value->type, &value->number, &is_negative))
        return false;
    value->is_whole = !is_negative;
    return true;
}

/* ---- keys */

static bool judge_alignment(struct walk *walk, const struct gguf_value *value) {
    if (value->type != GGUF_U32 || !value->number || value->number & (value->number - 1) ||
        value->number > ALIGNMENT_MAX)
        return REFUSE(walk, "general.alignment is no power of two up to %llu",
            (unsigned long long)ALIGNMENT_MAX);
    walk->alignment = value->number;
    return true;
}

/* Loaders read these arrays as what they should be, side by side. */
static bool judge_vocabulary(struct walk *walk, const struct gguf_value *value) {
    static const struct {
        const char *key;
        enum gguf_type of;
    } ARRAYS[] = {{"tokenizer.ggml.tokens", GGUF_STRING}, {"tokenizer.ggml.scores", GGUF_F32},
        {"tokenizer.ggml.token_type", GGUF_I32}, {"tokenizer.ggml.merges", GGUF_STRING}};
    for (size_t i = 0; i < sizeof ARRAYS / sizeof *ARRAYS; i++) {
        if (strcmp(ARRAYS[i].key, walk->key))
            continue;
        if (value->type != GGUF_ARRAY || value->of != ARRAYS[i].of)
            return REFUSE(walk, "%s is not an array of the type that loaders read", walk->key);
        if (i == 0)
            walk->tokens = value->count;
        else if (i < 3 && walk->tokens && value->count != walk->tokens)
            return REFUSE(walk, "%s has %llu elements for %llu tokens", walk->key,
                (unsigned long long)value->count, (unsigned long long)walk->tokens);
    }
    return true;
}

static bool judge_key(struct walk *walk, const struct gguf_value *value) {
    const char *last = strrchr(walk->key, '.');
    if (!strcmp(walk->key, "general.alignment"))
        return judge_alignment(walk, value);
    if (last && !strcmp(last, ".block_count") && value->is_whole && value->number > LAYERS_MAX)
        findings_add(walk->findings, FINDING_WARNING, "%s is %llu: more layers than any model has", walk->key,
            (unsigned long long)value->number);
    return judge_vocabulary(walk, value);
}

static bool read_key(struct walk *walk) {
    uint64_t size;
    struct gguf_value value = {0};
    if (!scan_u64(&walk->scan, &size))
        return cut(walk, "its keys");
    if (!size || size > KEY_MAX || size > scan_left(&walk->scan))
        return REFUSE(walk, "a key of %llu bytes", (unsigned long long)size);
    if (!scan_bytes(&walk->scan, walk->key, (size_t)size))
        return cut(walk, "its keys");
    walk->key[size] = '\0';
    if (strlen(walk->key) != size)
        return REFUSE(walk, "a key with a NUL character");
    note_name(walk, walk->key, (size_t)size);
    if (!read_value(walk, &value) || !judge_key(walk, &value))
        return false;
    if (walk->visitor && walk->visitor->key)
        walk->visitor->key(walk->visitor->context, walk->key, &value);
    return true;
}

/* ---- tensors */

static bool read_dimensions(struct walk *walk, const char *name, uint64_t *ret_row, uint64_t *ret_elements) {
    uint32_t dimensions;
    uint64_t elements = 1, row = 1;
    if (!scan_u32(&walk->scan, &dimensions))
        return cut(walk, "its tensors");
    if (dimensions > GGUF_DIMENSIONS)
        return REFUSE(walk, "tensor %s has %lu dimensions", name, (unsigned long)dimensions);
    for (uint32_t i = 0; i < dimensions; i++) {
        uint64_t size;
        if (!scan_u64(&walk->scan, &size))
            return cut(walk, "its tensors");
        row = i ? row : size;
        if (size > INT64_MAX || __builtin_mul_overflow(elements, size, &elements) || elements > INT64_MAX)
            return REFUSE(walk, "tensor %s has more elements than there are numbers", name);
    }
    *ret_row = row;
    *ret_elements = elements;
    return true;
}

/* Tensors follow each other in the order of the list: no holes, no overlaps. */
static bool place(struct walk *walk, const struct gguf_tensor *tensor, uint64_t offset) {
    if (walk->sizes_known && offset != walk->data_end)
        return REFUSE(walk, "tensor %s begins at byte %llu of the data, the one before it ends at %llu",
            tensor->name, (unsigned long long)offset, (unsigned long long)walk->data_end);
    if (offset % walk->alignment || offset < walk->data_end)
        return REFUSE(walk, "tensor %s begins at byte %llu, which is not aligned, or within another",
            tensor->name, (unsigned long long)offset);
    uint64_t end, padding;
    if (__builtin_add_overflow(offset, tensor->bytes, &end) || end > INT64_MAX)
        return REFUSE(walk, "tensor %s ends beyond all files", tensor->name);
    padding = (walk->alignment - end % walk->alignment) % walk->alignment;
    if (end > scan_left(&walk->scan))
        return REFUSE(walk, "tensor %s is not within the file, which is cut off or wrong", tensor->name);
    walk->data_end = end + padding;
    walk->last_end = end;
    walk->sizes_known = walk->sizes_known && tensor->type;
    return true;
}

static bool read_tensor(struct walk *walk) {
    char name[NAME_SIZE];
    uint64_t size, row, offset;
    uint32_t number;
    struct gguf_tensor tensor = {.name = name};
    if (!scan_u64(&walk->scan, &size))
        return cut(walk, "its tensors");
    if (!size || size >= NAME_SIZE)
        return REFUSE(walk, "a tensor's name of %llu bytes", (unsigned long long)size);
    if (!scan_bytes(&walk->scan, name, (size_t)size))
        return cut(walk, "its tensors");
    name[size] = '\0';
    if (strlen(name) != size)
        return REFUSE(walk, "a tensor's name with a NUL character");
    note_name(walk, name, (size_t)size);
    if (!read_dimensions(walk, name, &row, &tensor.elements))
        return false;
    if (!scan_u32(&walk->scan, &number) || !scan_u64(&walk->scan, &offset))
        return cut(walk, "its tensors");
    const struct gguf_tensor_type *type = gguf_tensor_type(number);
    if (!type && walk->sizes_known)
        findings_add(walk->findings, FINDING_WARNING, "tensor %s is of type %lu, which is not known here",
            name, (unsigned long)number);
    if (type && (row % type->elements ||
                    __builtin_mul_overflow(tensor.elements / type->elements, type->bytes, &tensor.bytes)))
        return REFUSE(walk, "tensor %s: its rows are not whole blocks of %s", name, type->name);
    tensor.type = type ? type->name : NULL;
    if (!place(walk, &tensor, offset))
        return false;
    if (walk->visitor && walk->visitor->tensor)
        walk->visitor->tensor(walk->visitor->context, &tensor);
    return true;
}

/* ---- the whole */

static bool read_begin(struct walk *walk) {
    uint32_t magic, version;
    if (!scan_u32(&walk->scan, &magic) || !scan_u32(&walk->scan, &version))
        return cut(walk, "its first bytes");
    if (magic != 0x46554747)
        return REFUSE(walk, "not a GGUF file: it does not begin with GGUF");
    if (!(version & 0xffff))
        return REFUSE(walk, "it was written for big-endian machines");
    if (version < 2 || version > 3)
        return REFUSE(walk, "GGUF version %lu: 2 and 3 are known", (unsigned long)version);
    if (!scan_u64(&walk->scan, &walk->tensor_count) || !scan_u64(&walk->scan, &walk->key_count))
        return cut(walk, "its first bytes");
    uint64_t left = scan_left(&walk->scan);
    if (walk->key_count > GGUF_KEYS_MAX || walk->key_count > left / LEAST_KEY)
        return REFUSE(walk, "%llu keys can't be in it", (unsigned long long)walk->key_count);
    if (walk->tensor_count > GGUF_TENSORS_MAX || walk->tensor_count > left / LEAST_TENSOR)
        return REFUSE(walk, "%llu tensors can't be in it", (unsigned long long)walk->tensor_count);
    return true;
}

static bool read_all(struct walk *walk) {
    if (!read_begin(walk))
        return false;
    walk->hashes = mem_array(walk->key_count > walk->tensor_count ? walk->key_count : walk->tensor_count,
        sizeof *walk->hashes);
    for (uint64_t i = 0; i < walk->key_count; i++)
        if (!read_key(walk))
            return false;
    if (!names_are_unique(walk, "a key"))
        return false;
    for (uint64_t i = 0; i < walk->tensor_count; i++)
        if (!read_tensor(walk))
            return false;
    if (!names_are_unique(walk, "a tensor"))
        return false;
    uint64_t data = walk->scan.at + (walk->alignment - walk->scan.at % walk->alignment) % walk->alignment;
    if (walk->last_end && (data > walk->scan.end || walk->last_end > walk->scan.end - data))
        return REFUSE(walk, "the last tensors are not within the file, which is cut off");
    return true;
}

int gguf_walk(const struct format_reader *reader, const struct gguf_visitor *visitor,
    struct findings *findings) {
    struct walk *walk = mem_new(sizeof *walk);
    walk->visitor = visitor;
    walk->findings = findings;
    walk->alignment = 32;
    walk->sizes_known = true;
    walk->key = mem_new(KEY_MAX + 1);
    walk->text = mem_new(GGUF_TEXT_KEPT + 1);
    scan_init(&walk->scan, reader, 0, reader->size);
    (void)read_all(walk);
    int error = walk->scan.error;
    free(walk->hashes);
    free(walk->key);
    free(walk->text);
    free(walk);
    return error;
}

int format_check_gguf(const struct format_reader *reader, struct findings *findings) {
    return gguf_walk(reader, NULL, findings);
}
