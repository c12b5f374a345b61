/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_GGUF_TYPES_H
#define WEIGHTFS_MODEL_GGUF_TYPES_H

/* Types of tensors in GGUF files: so many elements make a block of so many bytes (ggml's type table). */

#include <stdint.h>

struct gguf_tensor_type {
    const char *name;
    uint32_t elements, bytes;
};
/* NULL: not one that we know (new ones appear). */
const struct gguf_tensor_type *gguf_tensor_type(uint32_t number);

#endif
