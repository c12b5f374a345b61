/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_GGUF_H
#define WEIGHTFS_MODEL_GGUF_H

/*
 * The head of a GGUF file: keys with values, then what tensors there are; little-endian, versions 2 and 3
 * (github.com/ggml-org/ggml, docs/gguf.md; what is refused follows ggml/src/gguf.cpp). Only the head is read,
 * forwards, once. A head has some KB to some MB: a vocabulary stands in it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/finding.h"
#include "model/format.h"

#define GGUF_KEYS_MAX    100000
#define GGUF_TENSORS_MAX 1000000
#define GGUF_STRING_MAX  (64u << 20)
#define GGUF_TEXT_KEPT   (64u << 10) /* of a string value; the rest is skipped */
#define GGUF_DIMENSIONS  4

enum gguf_type {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64,
    GGUF_TYPES
};

struct gguf_value {
    enum gguf_type type;
    bool is_whole;      /* an integer or bool that is not negative, or an array of such: `number` */
    uint64_t number;    /* of an array: the sum, UINT64_MAX when that is too large */
    const char *text;   /* of a string: the kept part, ended by a NUL (it may hold others before) */
    uint64_t text_size; /* of a string: of all of it */
    enum gguf_type of;  /* of an array: its elements' type */
    uint64_t count;     /* of an array */
};

struct gguf_tensor {
    const char *name;
    const char *type; /* "Q4_K" …, static; NULL: of a type that we don't know, `bytes` is 0 then */
    uint64_t elements, bytes;
};

/* Both may be NULL. What they are given lasts for the call. */
struct gguf_visitor {
    void (*key)(void *context, const char *key, const struct gguf_value *value);
    void (*tensor)(void *context, const struct gguf_tensor *tensor);
    void *context;
};

/* Reads the head and shows what it holds while going; what is wrong becomes findings, and ends the walk when
 * the rest can't be made sense of. 0, or a failed read's error. */
int gguf_walk(const struct format_reader *reader, const struct gguf_visitor *visitor,
    struct findings *findings);

/* What general.file_type says ("Q4_K_M"), or NULL. */
const char *gguf_file_type(uint64_t number);

#endif
