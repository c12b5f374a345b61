/* SPDX-License-Identifier: Apache-2.0 */

/* Cards from the heads of weights: GGUF and safetensors. */

#include <stdio.h>
#include <string.h>

#include "model/card_inside.h"
#include "model/gguf.h"
#include "model/safetensors.h"

/* Keys of an architecture's own ("llama.context_length") come by what follows its name. */
static const struct {
    const char *key;
    size_t offset;
} NUMBERS[] = {
    {".context_length", offsetof(struct card, context_length)},
    {".embedding_length", offsetof(struct card, embedding_length)},
    {".block_count", offsetof(struct card, layers)},
    {".attention.key_length", offsetof(struct card, key_length)},
    {".attention.value_length", offsetof(struct card, value_length)},
};

static const struct {
    const char *key;
    size_t offset;
} TEXTS[] = {
    {"general.name", offsetof(struct card, name)},
    {"general.architecture", offsetof(struct card, architecture)},
    {"general.license", offsetof(struct card, licence)},
    {"tokenizer.ggml.model", offsetof(struct card, tokenizer)},
};

struct gguf_card {
    struct card *card;
    uint64_t heads_kv; /* of one layer */
    bool per_layer;    /* heads_kv is a sum over all layers */
    bool has_pooling;
};

static void gguf_number(struct gguf_card *of, const char *key, const struct gguf_value *value) {
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++)
        if (!strcmp(key, NUMBERS[i].key) && value->type != GGUF_ARRAY)
            card_set_number((uint64_t *)((char *)of->card + NUMBERS[i].offset), value->number);
    if (!strcmp(key, ".attention.head_count"))
        card_set_number(&of->card->heads,
            value->type == GGUF_ARRAY && value->count ? value->number / value->count : value->number);
    if (!strcmp(key, ".attention.head_count_kv")) {
        of->heads_kv = value->number;
        of->per_layer = value->type == GGUF_ARRAY;
    }
}

static void gguf_key(void *context, const char *key, const struct gguf_value *value) {
    struct gguf_card *of = context;
    struct card *card = of->card;
    size_t prefix = strlen(card->architecture);
    if (value->type == GGUF_STRING && strlen(value->text) == value->text_size)
        for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
            if (!strcmp(key, TEXTS[i].key))
                card_set_text((char *)card + TEXTS[i].offset, CARD_TEXT, value->text);
    if (!strcmp(key, "tokenizer.chat_template") && value->type == GGUF_STRING)
        card_set_template(card, value->text, strlen(value->text));
    if (!strcmp(key, "general.file_type") && value->is_whole && gguf_file_type(value->number))
        CARD_SET(card, quantisation, gguf_file_type(value->number));
    if (prefix && !strncmp(key, card->architecture, prefix) && value->is_whole)
        gguf_number(of, key + prefix, value);
    of->has_pooling = of->has_pooling || (prefix && !strncmp(key, card->architecture, prefix) &&
                                             !strcmp(key + prefix, ".pooling_type"));
}

static void gguf_tensor(void *context, const struct gguf_tensor *tensor) {
    struct gguf_card *of = context;
    card_add_tensor(of->card, tensor->type ? tensor->type : "unknown", tensor->elements, tensor->bytes);
}

int card_read_gguf(struct card *card, const char *file, const struct format_reader *reader) {
    struct gguf_card of = {.card = card};
    struct gguf_visitor visitor = {gguf_key, gguf_tensor, &of};
    FINDINGS_CLEANUP struct findings findings = FINDINGS_INIT;
    int error = gguf_walk(reader, &visitor, &findings);
    uint64_t heads;
    if (error)
        return error;
    if (of.heads_kv && !__builtin_mul_overflow(of.heads_kv, of.per_layer ? 1 : card->layers, &heads))
        card_set_number(&card->heads_kv, heads);
    if (of.has_pooling)
        CARD_SET(card, category, "feature-extraction");
    card_set_fault(card, file, &findings);
    return 0;
}

static void safetensors_tensor(void *context, const struct safetensors_tensor *tensor) {
    card_add_tensor(context, tensor->dtype, tensor->elements, tensor->end - tensor->begin);
}

int card_read_safetensors(struct card *card, const char *file, const struct format_reader *reader) {
    struct safetensors_visitor visitor = {safetensors_tensor, NULL, card};
    FINDINGS_CLEANUP struct findings findings = FINDINGS_INIT;
    int error = safetensors_walk(reader, CARD_HEAD_MAX, &visitor, &findings);
    if (!error)
        card_set_fault(card, file, &findings);
    return error;
}
