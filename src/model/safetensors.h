/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_SAFETENSORS_H
#define WEIGHTFS_MODEL_SAFETENSORS_H

/*
 * The header of a safetensors file: u64 N, N bytes of JSON, then data (github.com/huggingface/safetensors,
 * README "Format" and safetensors/src/tensor.rs for what is refused). Only the header is read.
 */

#include "model/finding.h"
#include "model/format.h"

#define SAFETENSORS_HEADER_MAX  100000000 /* bytes of JSON, as the reference has it */
#define SAFETENSORS_TENSORS_MAX 1000000

struct safetensors_tensor {
    const char *name; /* cut when longer than JSON_STREAM_TEXT */
    uint64_t name_hash;
    const char *dtype; /* "BF16" …, static */
    uint64_t elements, begin, end;
};

/* Both may be NULL. What they are given lasts for the call. */
struct safetensors_visitor {
    void (*tensor)(void *context, const struct safetensors_tensor *tensor);
    void (*metadata)(void *context, const char *name, const char *text);
    void *context;
};

/* Reads the header (which may have up to `header_max` bytes) and shows what it holds while going; what is
 * wrong becomes findings, and ends the walk when the rest can't be made sense of. 0, or a failed read's
 * error. */
int safetensors_walk(const struct format_reader *reader, uint64_t header_max,
    const struct safetensors_visitor *visitor, struct findings *findings);

#endif
