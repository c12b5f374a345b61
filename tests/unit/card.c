/* SPDX-License-Identifier: Apache-2.0 */
/* cards: from heads of weights, from documents, and as JSON there and back */
#include "gguf-fixture.h"
#include "model/card.h"

static void of_gguf(void) {
    struct memory memory = {.bytes = gguf_model()};
    struct format_reader reader = memory_reader(&memory);
    CARD_CLEANUP struct card card = {.type_count = 0};
    CHECK_OK(card_read_gguf(&card, "m.gguf", &reader));
    card_conclude(&card);
    CHECK_TEXT(card.fault, "");
    CHECK_TEXT(card.architecture, "llama");
    CHECK_TEXT(card.name, "Tiny");
    CHECK_TEXT(card.licence, "apache-2.0");
    CHECK_TEXT(card.quantisation, "Q4_K_M");
    CHECK_TEXT(card.tokenizer, "gpt2");
    CHECK_TEXT(card.chat_template, "{{ messages }}");
    CHECK_NUMBER((int64_t)card.parameters, 24 + 512 + 256);
    CHECK_NUMBER((int64_t)card.weights_bytes, 96 + 288 + 144);
    CHECK_NUMBER((int64_t)card.context_length, 512);
    CHECK_NUMBER((int64_t)card.layers, 2);
    CHECK_NUMBER((int64_t)card.key_length, 64);
    CHECK_NUMBER((int64_t)card.heads_kv, 8); /* 4 in each of 2 layers */
    CHECK_NUMBER((int64_t)card_kv_bytes(&card, 512), 8ll * (64 + 64) * 2 * 512);
    CHECK_NUMBER((int64_t)card_usual_context(&card), 512);
    CHECK_NUMBER((int64_t)card_memory_bytes(&card, 512),
        528 + (288 + 144) + 8ll * 128 * 2 * 512 + (512 << 20));
    CHECK_NUMBER((int64_t)card.type_count, 2);
    CHECK_TEXT(card.types[1].name, "Q4_K");
    CHECK_NUMBER((int64_t)card.types[1].tensors, 2);
    buf_done(&memory.bytes);
}

/* As llama-server counted it: 8 layers of 4 heads of 64 with 512 cells are 4 MiB. */
static void kv_is_what_engines_count(void) {
    struct card card = {.layers = 8, .heads = 16, .heads_kv = 32, .embedding_length = 1024};
    card_conclude(&card);
    CHECK_NUMBER((int64_t)card_kv_bytes(&card, 512), 4 << 20);
    struct card huge = {.layers = UINT64_MAX, .heads = UINT64_MAX, .embedding_length = 1, .weights_bytes = 1};
    card_conclude(&huge);
    CHECK(card_memory_bytes(&huge, UINT64_MAX) >= 1);
    CHECK_NUMBER((int64_t)card_memory_bytes(&card, 1), 0); /* weights are not known */
}

static void of_safetensors(void) {
    static const char header[] = "{\"a\":{\"dtype\":\"BF16\",\"shape\":[4,2],\"data_offsets\":[0,16]},"
                                 "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[16,20]}}";
    struct memory memory = {.bytes = BUF_INIT};
    put_number(&memory.bytes, sizeof header - 1, 8);
    put(&memory.bytes, header, sizeof header - 1);
    put_zeros(&memory.bytes, 20);
    struct format_reader reader = memory_reader(&memory);
    CARD_CLEANUP struct card card = {.type_count = 0};
    CHECK_OK(card_read_safetensors(&card, "m.safetensors", &reader));
    card_conclude(&card);
    CHECK_NUMBER((int64_t)card.parameters, 9);
    CHECK_TEXT(card.quantisation, "BF16");
    CHECK_TEXT(card.fault, "");
    buf_done(&memory.bytes);
}

static void of_hostile_heads(void) {
    struct memory memory = {.bytes = BUF_INIT};
    put_begin(&memory.bytes, 3, 0, 1);
    put_key(&memory.bytes, "k", GGUF_STRING);
    put_number(&memory.bytes, UINT64_MAX, 8);
    struct format_reader reader = memory_reader(&memory);
    CARD_CLEANUP struct card card = {.type_count = 0};
    CHECK_OK(card_read_gguf(&card, "evil.gguf", &reader));
    CHECK_TEXT(card.fault, "evil.gguf: k: a string of 18446744073709551615 bytes, the file has 0 more");
    memory.broken_error = -EAGAIN;
    CHECK_ERROR(card_read_gguf(&card, "evil.gguf", &reader), -EAGAIN);
    buf_done(&memory.bytes);
}

#define READ(what, card, text) card_read_##what((card), (text), strlen(text))

static void of_documents(void) {
    CARD_CLEANUP struct card card = {.type_count = 0};
    READ(config, &card,
        "{\"architectures\": [\"QwenForCausalLM\"], \"model_type\": \"qwen\", \"num_hidden_layers\": 2,"
        "\"num_attention_heads\": 8, \"num_key_value_heads\": 4, \"hidden_size\": 512,"
        "\"max_position_embeddings\": 2048, \"quantization_config\": {\"quant_method\": \"awq\"}}");
    READ(tokenizer_config, &card,
        "{\"tokenizer_class\": \"QwenTokenizer\", \"chat_template\": [{\"name\": \"tool\", "
        "\"template\": \"no\"}, {\"name\": \"default\", \"template\": \"yes\"}]}");
    READ(readme, &card,
        "---\r\nlicense: other\nlicense_name: \"qwen\"\nlanguage:\n- en\n  - vi\n# no\ntags: [a]\n"
        "base_model: [acme/base]\npipeline_tag: text-generation\n---\nlanguage: fr\n");
    card_conclude(&card);
    CHECK_TEXT(card.architecture, "QwenForCausalLM");
    CHECK_TEXT(card.tokenizer, "QwenTokenizer");
    CHECK_TEXT(card.chat_template, "yes");
    CHECK_TEXT(card.licence, "qwen");
    CHECK_TEXT(card.languages, "en, vi");
    CHECK_TEXT(card.category, "text-generation");
    CHECK_TEXT(card.base_model, "acme/base");
    CHECK_TEXT(card.quantisation, "awq");
    CHECK_NUMBER((int64_t)card_kv_bytes(&card, 1), 2 * 4 * 128 * 2);
}

static void of_nonsense(void) {
    static const char *const TEXTS[] = {"", "{", "[]", "7",
        "{\"architectures\": 7, \"num_hidden_layers\": -1}",
        "{\"architectures\": [[]], \"hidden_size\": 1e300, \"chat_template\": [1, {}]}", "---", "---\n",
        "---\nx", "---\nlanguage: [\n---\n", "---\nlanguage: ]\n- \n-\n---\n", "---\nlicense:\n---",
        "--- x\nlicense: mit\n---\n"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        CARD_CLEANUP struct card card = {.type_count = 0};
        READ(config, &card, TEXTS[i]);
        READ(tokenizer_config, &card, TEXTS[i]);
        READ(readme, &card, TEXTS[i]);
        card_conclude(&card);
        CHECK_TEXT(card.architecture, "");
        CHECK_TEXT(card.licence, "");
        CHECK(!card.chat_template && !card.layers);
    }
}

static void texts_are_fit_for_a_line(void) {
    CARD_CLEANUP struct card card = {.type_count = 0};
    READ(config, &card, "{\"model_type\": \"a\\nb\\u001b[31m\\u0000\"}");
    CHECK_TEXT(card.architecture, "");
    READ(config, &card, "{\"model_type\": \"a\\nb\\u001b[31m\"}");
    CHECK_TEXT(card.architecture, "a?b?[31m");
}

static void there_and_back(void) {
    struct memory memory = {.bytes = gguf_model()};
    struct format_reader reader = memory_reader(&memory);
    CARD_CLEANUP struct card card = {.whole = true}, again = {.type_count = 0};
    BUF_CLEANUP struct buf first = BUF_INIT, second = BUF_INIT;
    CHECK_OK(card_read_gguf(&card, "m.gguf", &reader));
    card_conclude(&card);
    card_print_json(&card, &first);
    CHECK_OK(card_parse_json(buf_text(&first), first.len, &again));
    card_print_json(&again, &second);
    CHECK_TEXT(buf_text(&second), buf_text(&first));
    CHECK(again.whole && again.type_count == 2 && again.kv_bytes == card.kv_bytes);
    CHECK_TEXT(again.chat_template, "{{ messages }}");
    CHECK_ERROR(card_parse_json("{", 1, &again), -ERR_JSON);
    buf_done(&memory.bytes);
}

/* A kind that is not known here has no bytes that its shape would have to fit into. */
static void numbers_of_hostile_heads_come_back(void) {
    struct memory memory = {.bytes = BUF_INIT};
    put_begin(&memory.bytes, 3, 2, 0);
    put_tensor(&memory.bytes, "a", UINT64_C(1) << 62, 1, 200, 0);
    put_tensor(&memory.bytes, "b", UINT64_C(1) << 62, 1, 200, 0);
    put_padding(&memory.bytes);
    struct format_reader reader = memory_reader(&memory);
    CARD_CLEANUP struct card card = {.whole = true}, again = {.type_count = 0};
    BUF_CLEANUP struct buf json = BUF_INIT;
    CHECK_OK(card_read_gguf(&card, "evil.gguf", &reader));
    CHECK(card.type_count == 1 && card.types[0].elements == UINT64_C(1) << 63);
    card_print_json(&card, &json);
    CHECK_OK(card_parse_json(buf_text(&json), json.len, &again));
    CHECK(again.whole && again.type_count == 1 && again.types[0].elements == INT64_MAX);
    buf_done(&memory.bytes);
}

static void names_of_types_come_back(void) {
    static const char text[] = "{\"types\":{\"a\\\"b\":{\"tensors\":1}}}";
    CARD_CLEANUP struct card card = {.type_count = 0}, again = {.type_count = 0};
    BUF_CLEANUP struct buf json = BUF_INIT;
    CHECK_OK(card_parse_json(text, sizeof text - 1, &card));
    card_print_json(&card, &json);
    CHECK_OK(card_parse_json(buf_text(&json), json.len, &again));
    CHECK(again.type_count == 1);
    CHECK_TEXT(again.types[0].name, "a\"b");
}

int main(void) {
    of_gguf();
    kv_is_what_engines_count();
    of_safetensors();
    of_hostile_heads();
    of_documents();
    of_nonsense();
    texts_are_fit_for_a_line();
    there_and_back();
    numbers_of_hostile_heads_come_back();
    names_of_types_come_back();
    return check_result();
}
