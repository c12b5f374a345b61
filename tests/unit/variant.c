/* SPDX-License-Identifier: Apache-2.0 */
/* which file of a GGUF repository is which quantisation, and which of them is taken */
#include "model/variant.h"
#include "check.h"

static void is(const char *path, const char *variant) {
    char found[NAME_VARIANT_SIZE];
    CHECK(variant_of(path, found));
    CHECK_TEXT(found, variant);
}

static void is_none(const char *path) {
    char found[NAME_VARIANT_SIZE];
    CHECK(!variant_of(path, found));
}

static void test_names(void) {
    is("Qwen3-0.6B-Q4_K_M.gguf", "Q4_K_M");
    is("qwen2.5-7b-instruct-q4_k_m-00001-of-00002.gguf", "Q4_K_M");
    is("Qwen3-0.6B-Q8_0.GGUF", "Q8_0");
    is("gemma.Q5_K_S.gguf", "Q5_K_S");
    is("llama_Q6_K.gguf", "Q6_K");
    is("Model.i1-IQ2_XXS.gguf", "IQ2_XXS");
    is("x-IQ4_NL.gguf", "IQ4_NL");
    is("x-Q4_0_4_8.gguf", "Q4_0_4_8");
    is("x-Q6_K_L.gguf", "Q6_K_L");
    is("x-TQ1_0.gguf", "TQ1_0");
    is("x-UD-Q4_K_XL.gguf", "UD-Q4_K_XL");
    is("UD-IQ1_S.gguf", "UD-IQ1_S");
    is("ggml-model-f16.gguf", "F16");
    is("x-bf16.gguf", "BF16");
    is("x-fp32.gguf", "FP32");
    is("gpt-oss-20b-mxfp4.gguf", "MXFP4");
    is("gpt-oss-20b-MXFP4_MOE.gguf", "MXFP4_MOE");
    is("q4.gguf", "Q4");
    is("x-Q4_K_M-imat.gguf", "Q4_K_M");
    is("x-F16-Q8_0.gguf", "Q8_0"); /* the last one counts */
    is("Q4_K_M/model-00001-of-00003.gguf", "Q4_K_M");
    is("a/UD-Q2_K_XL/b/model.gguf", "UD-Q2_K_XL");
    is("Q8_0/x-Q4_0.gguf", "Q4_0");

    is_none("config.json");
    is_none("model.gguf");
    is_none("Qwen3-0.6B.gguf");
    is_none("Q4_K_M/README.md");
    is_none("x-Q4_K_M.gguf.part");
    is_none("mmproj-F16.gguf");
    is_none("x-mmproj-model-f16.gguf");
    is_none("x-imatrix-Q4_K_M.gguf");
    is_none("imatrix_unsloth.gguf");
    is_none("q4-notes.gguf");
    is_none("faq4_0.gguf");
    is_none("x-Q4_Kx.gguf");
    is_none("00001-of-00002.gguf");
    is_none(".gguf");
    is_none("");
    is_none("/");
}

static void sidecars_are_not_the_model(void) {
    CHECK(variant_is_projector("mmproj-F16.gguf") && variant_is_projector("a/x-mmproj-model-f16.gguf"));
    CHECK(!variant_is_projector("a-mmproj/model.gguf") && !variant_is_projector("imatrix.gguf"));
    CHECK(variant_is_sidecar("mmproj.gguf") && variant_is_sidecar("imatrix_unsloth.gguf"));
    CHECK(variant_is_sidecar("x-imatrix-Q4_K_M.gguf") && variant_is_sidecar("adapter_model.safetensors"));
    CHECK(!variant_is_sidecar("Qwen3-0.6B-Q8_0.gguf") && !variant_is_sidecar("imatrix/model.gguf"));
}

#define DEFAULT_OF(...)                                                            \
    ((const char *[]){__VA_ARGS__})[variant_default((const char *[]){__VA_ARGS__}, \
        sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))]

static void test_default(void) {
    CHECK_TEXT(DEFAULT_OF("BF16", "Q8_0", "Q4_K_M", "Q2_K"), "Q4_K_M");
    CHECK_TEXT(DEFAULT_OF("Q8_0", "UD-Q4_K_M", "q4_k_m"), "q4_k_m");
    CHECK_TEXT(DEFAULT_OF("Q8_0", "UD-Q4_K_XL"), "UD-Q4_K_XL");
    CHECK_TEXT(DEFAULT_OF("F16", "Q8_0"), "Q8_0");
    CHECK_TEXT(DEFAULT_OF("F32", "BF16", "F16"), "F16");
    CHECK_TEXT(DEFAULT_OF("Q9_Z", "Q7_Y"), "Q9_Z");
    CHECK(variant_equal("Q4_K_M", "q4_k_m") && !variant_equal("Q4_K_M", "Q4_K"));
}

int main(void) {
    test_names();
    test_default();
    sidecars_are_not_the_model();
    return check_result();
}
