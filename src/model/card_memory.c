/* SPDX-License-Identifier: Apache-2.0 */

/* What a model takes of memory when it is loaded. Measured with llama.cpp. */

#include <string.h>

#include "model/card_inside.h"

#define LARGE_PARAMETERS UINT64_C(8000000000)
#define BUFFERS          (UINT64_C(512) << 20) /* of the computation; twice that for large models */
#define CELLS_STEP       256                   /* a slot's context is rounded up to a multiple */

uint64_t card_usual_context(const struct card *card) {
    return card->context_length && card->context_length < CARD_USUAL_CONTEXT ? card->context_length
                                                                             : CARD_USUAL_CONTEXT;
}

uint64_t card_kv_bytes(const struct card *card, uint64_t tokens) {
    return card_product(card->kv_bytes, tokens);
}

uint64_t card_memory_bytes(const struct card *card, uint64_t tokens) {
    const struct card_load load = {.tokens = tokens, .slots = 1, .repacks = true};
    struct card_need need;
    if (!card->weights_bytes)
        return 0;
    card_need(card, &load, &need);
    return need.ram;
}

/* ---- the cache: kinds are blocks of 32 numbers and what scales them */

static const struct {
    const char *name;
    unsigned block_bytes; /* of 32 numbers */
} CACHE_TYPES[] = {
    {"f16", 64}, /* the usual one, first */
    {"bf16", 64},
    {"f32", 128},
    {"q8_0", 34},
    {"q5_1", 24},
    {"q5_0", 22},
    {"q4_1", 20},
    {"q4_0", 18},
    {"iq4_nl", 18},
};

static unsigned block_bytes(const char *type) {
    for (size_t i = 0; type && i < sizeof CACHE_TYPES / sizeof *CACHE_TYPES; i++)
        if (!strcmp(CACHE_TYPES[i].name, type))
            return CACHE_TYPES[i].block_bytes;
    return CACHE_TYPES[0].block_bytes;
}

static uint64_t cache_bytes(const struct card *card, const struct card_load *load) {
    uint64_t slots = load->slots ? load->slots : 1;
    uint64_t steps = load->tokens / CELLS_STEP + (load->tokens % CELLS_STEP != 0);
    uint64_t cells = card_product(card_product(steps, CELLS_STEP), slots);
    uint64_t lengths = card_sum(card_product(card->key_length, block_bytes(load->key_type)),
        card_product(card->value_length, block_bytes(load->value_type)));
    if (!card->kv_bytes) /* what follows is not known either, or not all of it */
        return 0;
    uint64_t numbers = card_product(cells, card->heads_kv);
    if (!lengths || !numbers) /* only the sum was said */
        return card_product(card->kv_bytes, cells);
    return numbers > UINT64_MAX / lengths ? UINT64_MAX : numbers * lengths / 32;
}

/* ---- the weights */

static uint64_t repacked_bytes(const struct card *card) {
    static const char *const KINDS[] = {"Q4_0", "Q4_K", "IQ4_NL"};
    uint64_t bytes = 0;
    for (size_t i = 0; i < card->type_count; i++)
        for (size_t kind = 0; kind < sizeof KINDS / sizeof *KINDS; kind++)
            if (!strcmp(card->types[i].name, KINDS[kind]))
                bytes = card_sum(bytes, card->types[i].bytes);
    return bytes;
}

/* `bytes` in the same proportion as `part` to `whole`, rounded up. */
static uint64_t part_of(uint64_t bytes, uint64_t part, uint64_t whole) {
    if (part >= whole)
        return bytes;
    return (uint64_t)(((unsigned __int128)bytes * part + whole - 1) / whole);
}

void card_need(const struct card *card, const struct card_load *load, struct card_need *ret_need) {
    struct card_need need = {.weights = card->weights_bytes ? card->weights_bytes : load->weights_bytes,
        .repacked = load->repacks ? repacked_bytes(card) : 0,
        .cache = cache_bytes(card, load),
        .buffers = card->parameters < LARGE_PARAMETERS ? BUFFERS : 2 * BUFFERS,
        .projector = load->projector_bytes};
    uint64_t layers = card->layers ? card->layers : 1, on_gpu = load->gpu_layers;
    uint64_t on_cpu = on_gpu >= layers ? 0 : layers - on_gpu;
    uint64_t both = card_sum(need.weights, need.cache);
    need.repacked = part_of(need.repacked, on_cpu, layers);
    if (on_gpu)
        need.vram = card_sum(card_sum(part_of(both, on_gpu, layers), need.buffers), need.projector);
    need.ram = card_sum(card_sum(on_cpu ? part_of(both, on_cpu, layers) : 0, need.repacked), need.buffers);
    if (!on_gpu)
        need.ram = card_sum(need.ram, need.projector);
    *ret_need = need;
}
