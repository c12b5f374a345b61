/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TESTS_UNIT_GGUF_FIXTURE_H
#define WEIGHTFS_TESTS_UNIT_GGUF_FIXTURE_H

/* GGUF files, put together piece by piece. */

#include "format-fixture.h"
#include "model/gguf.h"

static inline void put_string(struct buf *bytes, const char *text) {
    put_number(bytes, strlen(text), 8);
    put(bytes, text, strlen(text));
}

static inline void put_begin(struct buf *bytes, uint32_t version, uint64_t tensors, uint64_t keys) {
    put(bytes, "GGUF", 4);
    put_number(bytes, version, 4);
    put_number(bytes, tensors, 8);
    put_number(bytes, keys, 8);
}

static inline void put_key(struct buf *bytes, const char *key, enum gguf_type type) {
    put_string(bytes, key);
    put_number(bytes, type, 4);
}

static inline void put_key_text(struct buf *bytes, const char *key, const char *text) {
    put_key(bytes, key, GGUF_STRING);
    put_string(bytes, text);
}

static inline void put_key_u32(struct buf *bytes, const char *key, uint32_t number) {
    put_key(bytes, key, GGUF_U32);
    put_number(bytes, number, 4);
}

static inline void put_array(struct buf *bytes, const char *key, enum gguf_type of, uint64_t count) {
    put_key(bytes, key, GGUF_ARRAY);
    put_number(bytes, of, 4);
    put_number(bytes, count, 8);
}

static inline void put_tensor(struct buf *bytes, const char *name, uint64_t row, uint64_t rows, uint32_t type,
    uint64_t offset) {
    put_string(bytes, name);
    put_number(bytes, 2, 4);
    put_number(bytes, row, 8);
    put_number(bytes, rows, 8);
    put_number(bytes, type, 4);
    put_number(bytes, offset, 8);
}

static inline void put_padding(struct buf *bytes) {
    put_zeros(bytes, (32 - bytes->len % 32) % 32);
}

/* A whole model: two layers of a llama with 512 cells, 4 of 8 heads for keys and values, 64 wide each. */
static inline struct buf gguf_model(void) {
    struct buf bytes = BUF_INIT;
    put_begin(&bytes, 3, 3, 14);
    put_key_text(&bytes, "general.architecture", "llama");
    put_key_text(&bytes, "general.name", "Tiny");
    put_key_text(&bytes, "general.license", "apache-2.0");
    put_key_u32(&bytes, "general.file_type", 15);
    put_key_u32(&bytes, "llama.context_length", 512);
    put_key_u32(&bytes, "llama.embedding_length", 512);
    put_key_u32(&bytes, "llama.block_count", 2);
    put_key_u32(&bytes, "llama.attention.head_count", 8);
    put_key_u32(&bytes, "llama.attention.head_count_kv", 4);
    put_key_text(&bytes, "tokenizer.ggml.model", "gpt2");
    put_array(&bytes, "tokenizer.ggml.tokens", GGUF_STRING, 3);
    put_string(&bytes, "a");
    put_string(&bytes, "");
    put_string(&bytes, "<s>");
    put_array(&bytes, "tokenizer.ggml.scores", GGUF_F32, 3);
    put_zeros(&bytes, 12);
    put_key_text(&bytes, "tokenizer.chat_template", "{{ messages }}");
    put_array(&bytes, "general.languages", GGUF_STRING, 1);
    put_string(&bytes, "en");
    put_tensor(&bytes, "token_embd.weight", 8, 3, 0, 0);        /* F32: 96 bytes */
    put_tensor(&bytes, "blk.0.attn_q.weight", 256, 2, 12, 96);  /* Q4_K: 288 */
    put_tensor(&bytes, "blk.1.attn_q.weight", 256, 1, 12, 384); /* Q4_K: 144, to 528 */
    put_padding(&bytes);
    put_zeros(&bytes, 528);
    return bytes;
}

#endif
