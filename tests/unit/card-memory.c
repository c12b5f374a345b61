/* SPDX-License-Identifier: Apache-2.0 */
/* what loading a model takes, against what llama-server told of itself */
#include "check.h"

#include "model/card.h"

#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)

static void kind(struct card *card, size_t at, const char *name) {
    CHECK_OK(text_copy(card->types[at].name, sizeof card->types[at].name, name));
}

/* 8 layers of 4 heads of 64 for keys and values. */
static struct card measured(void) {
    struct card card = {.layers = 8, .heads = 16, .heads_kv = 32, .embedding_length = 1024};
    card_conclude(&card);
    return card;
}

static struct card_need need_of(const struct card *card, struct card_load load) {
    struct card_need need;
    card_need(card, &load, &need);
    return need;
}

/* "CPU KV buffer size = 4.00 MiB" with -c 512, "8.00 MiB" with -np 4 -c 1024. */
static void the_cache(void) {
    static const struct {
        uint64_t tokens, slots;
        const char *key_type, *value_type;
        int64_t bytes;
    } ROWS[] = {
        {512, 1, NULL, NULL, 4 * MIB},
        {256, 4, "f16", "f16", 8 * MIB},
        {512, 0, NULL, NULL, 4 * MIB},    /* a slot there always is */
        {300, 1, NULL, NULL, 4 * MIB},    /* rounded up to 512 */
        {1, 2, NULL, NULL, 4 * MIB},      /* to 256 each */
        {512, 1, "f32", "f32", 8 * MIB},  /* twice f16 */
        {512, 1, "bf16", "f32", 6 * MIB}, /* each its own */
        {512, 1, "q8_0", "q8_0", 2 * MIB / 32 * 34},
        {512, 1, "q4_0", "iq4_nl", 2 * MIB / 32 * 18},
        {512, 1, "q5_0", "q5_1", MIB / 32 * (22 + 24)},
        {512, 1, "q4_1", "q4_1", 2 * MIB / 32 * 20},
        {512, 1, "of tomorrow", "", 4 * MIB},
        {0, 1, NULL, NULL, 0},
    };
    struct card card = measured();
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct card_load load = {.tokens = ROWS[i].tokens,
            .slots = ROWS[i].slots,
            .key_type = ROWS[i].key_type,
            .value_type = ROWS[i].value_type};
        CHECK_NUMBER((int64_t)need_of(&card, load).cache, ROWS[i].bytes);
    }
    struct card sum_only = {.kv_bytes = 8192}; /* as an older catalogue may have kept it */
    CHECK_NUMBER((int64_t)need_of(&sum_only, (struct card_load){.tokens = 512}).cache, 4 * MIB);
}

/* Q4_K_M of 74 MB: 67 of them are kept twice, Q8_0 is not. */
static void four_bits_are_held_twice(void) {
    struct card card = measured();
    card.type_count = 3;
    kind(&card, 0, "Q4_K");
    kind(&card, 1, "Q6_K");
    kind(&card, 2, "F32");
    card.types[0].bytes = 67000000;
    card.types[1].bytes = 6900000;
    card.types[2].bytes = 100000;
    card.weights_bytes = 74000000;
    struct card_load load = {.tokens = 512, .slots = 1, .repacks = true};
    struct card_need need = need_of(&card, load);
    CHECK_NUMBER((int64_t)need.weights, 74000000);
    CHECK_NUMBER((int64_t)need.repacked, 67000000);
    CHECK_NUMBER((int64_t)need.ram, 74000000 + 67000000 + 4 * MIB + GIB / 2);
    CHECK_NUMBER((int64_t)need.vram, 0);
    load.repacks = false;
    CHECK_NUMBER((int64_t)need_of(&card, load).ram, 74000000 + 4 * MIB + GIB / 2);
    kind(&card, 0, "Q8_0");
    load.repacks = true;
    CHECK_NUMBER((int64_t)need_of(&card, load).repacked, 0);
    kind(&card, 0, "IQ4_NL");
    CHECK_NUMBER((int64_t)need_of(&card, load).repacked, 67000000);
}

static void layers_on_a_gpu(void) {
    struct card card = measured();
    kind(&card, 0, "Q4_0");
    card.type_count = 1;
    card.types[0].bytes = card.weights_bytes = 80 * (uint64_t)MIB;
    struct card_load load = {.tokens = 512,
        .slots = 1,
        .repacks = true,
        .projector_bytes = 7,
        .gpu_layers = 2};
    struct card_need need = need_of(&card, load);
    CHECK_NUMBER((int64_t)need.vram, 21 * MIB + GIB / 2 + 7);
    CHECK_NUMBER((int64_t)need.ram, 63 * MIB + 60 * MIB + GIB / 2);
    load.gpu_layers = UINT64_MAX;
    need = need_of(&card, load);
    CHECK_NUMBER((int64_t)need.vram, 84 * MIB + GIB / 2 + 7);
    CHECK_NUMBER((int64_t)need.ram, GIB / 2);
    load.gpu_layers = 0;
    need = need_of(&card, load);
    CHECK_NUMBER((int64_t)need.vram, 0);
    CHECK_NUMBER((int64_t)need.ram, 164 * MIB + GIB / 2 + 7);
}

/* Heads that tell nothing, and heads that tell too much. */
static void what_is_not_known(void) {
    struct card none = {.type_count = 0};
    struct card_load load = {.tokens = 4096, .slots = 4, .weights_bytes = 1000, .repacks = true};
    CHECK_NUMBER((int64_t)need_of(&none, load).ram, 1000 + GIB / 2);
    load.gpu_layers = 99;
    CHECK_NUMBER((int64_t)need_of(&none, load).vram, 1000 + GIB / 2);
    load.gpu_layers = 0;
    struct card large = {.weights_bytes = 9, .parameters = 8000000000};
    CHECK_NUMBER((int64_t)need_of(&large, load).ram, 9 + GIB);
    struct card huge = {.layers = UINT64_MAX,
        .heads = 2,
        .heads_kv = UINT64_MAX / 2,
        .key_length = UINT64_MAX,
        .value_length = 3,
        .weights_bytes = UINT64_MAX,
        .parameters = UINT64_MAX,
        .type_count = 1};
    kind(&huge, 0, "Q4_0");
    huge.types[0].bytes = UINT64_MAX;
    card_conclude(&huge);
    load = (struct card_load){.tokens = UINT64_MAX, .slots = UINT64_MAX, .repacks = true, .gpu_layers = 5};
    struct card_need need = need_of(&huge, load);
    CHECK(need.ram == UINT64_MAX && need.cache == UINT64_MAX && need.weights == UINT64_MAX);
    CHECK(need.vram >= (uint64_t)GIB);
}

/* What `card` tells is what loading it by defaults takes. */
static void as_the_card_tells(void) {
    struct card card = measured();
    CHECK_NUMBER((int64_t)card_memory_bytes(&card, 512), 0); /* its weights are not known */
    card.weights_bytes = 50 * (uint64_t)MIB;
    CHECK_NUMBER((int64_t)card_memory_bytes(&card, 512), 54 * MIB + GIB / 2);
    CHECK_NUMBER((int64_t)card_kv_bytes(&card, 512), 4 * MIB);
    CHECK_NUMBER((int64_t)card_usual_context(&card), 4096);
    card.context_length = 512;
    CHECK_NUMBER((int64_t)card_usual_context(&card), 512);
}

int main(void) {
    the_cache();
    four_bits_are_held_twice();
    layers_on_a_gpu();
    what_is_not_known();
    as_the_card_tells();
    return check_result();
}
