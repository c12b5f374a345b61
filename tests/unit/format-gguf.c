/* SPDX-License-Identifier: Apache-2.0 */
/* GGUF: whole ones, cut ones, and what strangers try with counts, lengths and offsets */
#include "gguf-fixture.h"

static void one_key(struct buf *bytes) {
    put_begin(bytes, 3, 0, 1);
}

static void one_tensor(struct buf *bytes) {
    put_begin(bytes, 3, 1, 0);
}

#define CASE(name, ...)                   \
    static void name(struct buf *bytes) { \
        __VA_ARGS__;                      \
    }
CASE(nothing_in_it, put_begin(bytes, 3, 0, 0))
CASE(version_2, put_begin(bytes, 2, 0, 0))
CASE(version_1, put_begin(bytes, 1, 0, 0))
CASE(version_9, put_begin(bytes, 9, 0, 0))
CASE(big_endian, put_begin(bytes, 0x03000000, 0, 0))
CASE(many_keys, put_begin(bytes, 3, 0, UINT64_MAX))
CASE(many_tensors, put_begin(bytes, 3, 1ull << 63, 0); put_zeros(bytes, 100))
CASE(long_key, one_key(bytes); put_number(bytes, 1ull << 40, 8); put_zeros(bytes, 100))
CASE(empty_key, one_key(bytes); put_zeros(bytes, 100))
CASE(nul_key, one_key(bytes); put_number(bytes, 3, 8); put(bytes, "a\0b", 3); put_zeros(bytes, 100))
CASE(unknown_type, one_key(bytes); put_key(bytes, "k", 13); put_zeros(bytes, 8))
CASE(long_string, one_key(bytes); put_key(bytes, "k", GGUF_STRING); put_number(bytes, UINT64_MAX, 8))
CASE(nested, one_key(bytes); put_array(bytes, "k", GGUF_ARRAY, 1); put_zeros(bytes, 100))
CASE(long_array, one_key(bytes); put_array(bytes, "k", GGUF_U64, 1ull << 61); put_zeros(bytes, 100))
CASE(long_strings, one_key(bytes); put_array(bytes, "k", GGUF_STRING, 1ull << 60); put_zeros(bytes, 100))
CASE(string_in_array, one_key(bytes); put_array(bytes, "k", GGUF_STRING, 1); put_number(bytes, 1 << 20, 8))
CASE(unknown_array, one_key(bytes); put_array(bytes, "k", 77, 1); put_zeros(bytes, 100))
CASE(same_key, put_begin(bytes, 3, 0, 2); put_key_u32(bytes, "k", 1); put_key_u32(bytes, "k", 2))
CASE(alignment_3, one_key(bytes); put_key_u32(bytes, "general.alignment", 3))
CASE(alignment_0, one_key(bytes); put_key_u32(bytes, "general.alignment", 0))
CASE(alignment_huge, one_key(bytes); put_key_u32(bytes, "general.alignment", 1u << 31))
CASE(alignment_text, one_key(bytes); put_key_text(bytes, "general.alignment", "32"))
CASE(narrow_scores, one_key(bytes); put_array(bytes, "tokenizer.ggml.scores", GGUF_U8, 4);
     put_zeros(bytes, 4))
CASE(few_scores, put_begin(bytes, 3, 0, 2); put_array(bytes, "tokenizer.ggml.tokens", GGUF_STRING, 1);
     put_string(bytes, "a"); put_array(bytes, "tokenizer.ggml.scores", GGUF_F32, 2); put_zeros(bytes, 8))
CASE(tokens_no_array, one_key(bytes); put_key_u32(bytes, "tokenizer.ggml.tokens", 4))
CASE(many_layers, one_key(bytes); put_key_u32(bytes, "llama.block_count", 513))
CASE(five_dimensions, one_tensor(bytes); put_string(bytes, "t"); put_number(bytes, 5, 4);
     put_zeros(bytes, 100))
CASE(wrapping, one_tensor(bytes); put_tensor(bytes, "t", 1ull << 32, 1ull << 32, 0, 0))
CASE(negative, one_tensor(bytes); put_tensor(bytes, "t", UINT64_MAX, 1, 0, 0))
CASE(wrapping_bytes, one_tensor(bytes); put_tensor(bytes, "t", 1ull << 62, 1, 0, 0))
CASE(half_block, one_tensor(bytes); put_tensor(bytes, "t", 33, 1, 2, 0); put_zeros(bytes, 100))
CASE(beyond, one_tensor(bytes); put_tensor(bytes, "t", 32, 1, 0, 0); put_padding(bytes);
     put_zeros(bytes, 127))
CASE(without_padding, one_tensor(bytes); put_tensor(bytes, "t", 3, 1, 24, 0); put_padding(bytes);
     put_zeros(bytes, 3))
CASE(far_offset, one_tensor(bytes); put_tensor(bytes, "t", 1, 1, 0, 1ull << 50); put_zeros(bytes, 64))
CASE(hole, put_begin(bytes, 3, 2, 0); put_tensor(bytes, "t", 8, 1, 0, 0); put_tensor(bytes, "u", 8, 1, 0, 64);
     put_zeros(bytes, 200))
CASE(overlap, put_begin(bytes, 3, 2, 0); put_tensor(bytes, "t", 16, 1, 0, 0);
     put_tensor(bytes, "u", 8, 1, 0, 32); put_zeros(bytes, 200))
CASE(same_tensor, put_begin(bytes, 3, 2, 0); put_tensor(bytes, "t", 8, 1, 0, 0);
     put_tensor(bytes, "t", 8, 1, 0, 32); put_padding(bytes); put_zeros(bytes, 64))
CASE(long_tensor_name, one_tensor(bytes); put_number(bytes, 64, 8); put_zeros(bytes, 200))
CASE(new_type, one_tensor(bytes); put_tensor(bytes, "t", 8, 1, 99, 0); put_zeros(bytes, 64))
CASE(removed_type, one_tensor(bytes); put_tensor(bytes, "t", 32, 1, 4, 0); put_zeros(bytes, 64))
CASE(forty_three_bytes, one_key(bytes); put_array(bytes, "k", GGUF_STRING, UINT32_MAX))

static void files_are_judged(void) {
    static const struct {
        const char *name, *said;
        void (*make)(struct buf *bytes);
    } FILES[] = {
#define FILE_OF(name, said) {#name, said, name}
        FILE_OF(nothing_in_it, "ok: gguf: the structure is right"),
        FILE_OF(version_2, "ok"),
        FILE_OF(version_1, "error: GGUF version 1"),
        FILE_OF(version_9, "error: GGUF version 9"),
        FILE_OF(big_endian, "error: it was written for big-endian machines"),
        FILE_OF(many_keys, "error: 18446744073709551615 keys can't be in it"),
        FILE_OF(many_tensors, "error: 9223372036854775808 tensors can't be in it"),
        FILE_OF(long_key, "error: a key of 1099511627776 bytes"),
        FILE_OF(empty_key, "error: a key of 0 bytes"),
        FILE_OF(nul_key, "error: a key with a NUL"),
        FILE_OF(unknown_type, "error: k is of an unknown type (13)"),
        FILE_OF(long_string, "error: k: a string of 18446744073709551615 bytes"),
        FILE_OF(nested, "error: k: an array of arrays"),
        FILE_OF(long_array, "error: k: an array of 2305843009213693952 elements"),
        FILE_OF(long_strings, "error: k: an array of 1152921504606846976 elements"),
        FILE_OF(string_in_array, "error: k: its string 0 should have 1048576 bytes"),
        FILE_OF(unknown_array, "error: k: an array of an unknown type (77)"),
        FILE_OF(same_key, "error: a key is there twice"),
        FILE_OF(alignment_3, "error: general.alignment is no power of two"),
        FILE_OF(alignment_0, "error: general.alignment is no power of two"),
        FILE_OF(alignment_huge, "error: general.alignment is no power of two"),
        FILE_OF(alignment_text, "error: general.alignment is no power of two"),
        FILE_OF(narrow_scores, "error: tokenizer.ggml.scores is not an array of the type"),
        FILE_OF(few_scores, "error: tokenizer.ggml.scores has 2 elements for 1 tokens"),
        FILE_OF(tokens_no_array, "error: tokenizer.ggml.tokens is not an array of the type"),
        FILE_OF(many_layers, "warning: llama.block_count is 513"),
        FILE_OF(five_dimensions, "error: tensor t has 5 dimensions"),
        FILE_OF(wrapping, "error: tensor t has more elements"),
        FILE_OF(negative, "error: tensor t has more elements"),
        FILE_OF(wrapping_bytes, "error: tensor t"),
        FILE_OF(half_block, "error: tensor t: its rows are not whole blocks of Q4_0"),
        FILE_OF(beyond, "error: the last tensors are not within the file"),
        FILE_OF(without_padding, "ok"),
        FILE_OF(far_offset, "error: tensor t begins at byte 1125899906842624"),
        FILE_OF(hole, "error: tensor u begins at byte 64 of the data, the one before it ends at 32"),
        FILE_OF(overlap, "error: tensor u begins at byte 32 of the data, the one before it ends at 64"),
        FILE_OF(same_tensor, "error: a tensor is there twice"),
        FILE_OF(long_tensor_name, "error: a tensor's name of 64 bytes"),
        FILE_OF(new_type, "warning: tensor t is of type 99"),
        FILE_OF(removed_type, "warning: tensor t is of type 4"),
        FILE_OF(forty_three_bytes, "error: k: an array of 4294967295 elements"),
    };
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        struct buf bytes = BUF_INIT;
        FILES[i].make(&bytes);
        check_said(FORMAT_GGUF, &bytes, FILES[i].said, FILES[i].name);
    }
}

static void a_whole_model_is_right(void) {
    struct buf bytes = gguf_model();
    check_said(FORMAT_GGUF, &bytes, "ok: gguf: the structure is right", "a model");
}

static void a_cut_or_broken_file_is_told(void) {
    struct buf bytes = gguf_model();
    check_cut(FORMAT_GGUF, &bytes);
    bytes = gguf_model();
    check_broken(FORMAT_GGUF, &bytes, bytes.len - 528);
}

/* Every bit of the head turned: the check ends, whatever it says. */
static void turned_bits_do_no_harm(void) {
    struct buf model = gguf_model();
    for (size_t i = 0; i < (model.len - 528) * 8; i++) {
        struct buf bytes = BUF_INIT;
        put(&bytes, model.data, model.len);
        bytes.data[i / 8] = (char)(bytes.data[i / 8] ^ 1 << i % 8);
        CHECK(*said_of(FORMAT_GGUF, &bytes));
    }
    buf_done(&model);
}

static void types_are_named(void) {
    CHECK_TEXT(gguf_file_type(15), "Q4_K_M");
    CHECK_TEXT(gguf_file_type(1024 + 7), "Q8_0");
    CHECK(!gguf_file_type(4));
    CHECK(!gguf_file_type(UINT64_MAX));
}

int main(void) {
    files_are_judged();
    a_whole_model_is_right();
    a_cut_or_broken_file_is_told();
    turned_bits_do_no_harm();
    types_are_named();
    return check_result();
}
