/* SPDX-License-Identifier: Apache-2.0 */
/* what several files of a model must agree on */
#include "gguf-fixture.h"
#include "model/format_set.h"

static const char *worst_of(struct findings *findings) {
    static char said[400];
    snprintf(said, sizeof said, "%s", findings->count ? findings->items[0].text : "");
    findings_done(findings);
    return said;
}

static struct memory shard_of(const char *header, size_t data) {
    struct memory memory = {.bytes = BUF_INIT};
    put_number(&memory.bytes, strlen(header), 8);
    put(&memory.bytes, header, strlen(header));
    put_zeros(&memory.bytes, data);
    return memory;
}

#define ONE(name) "{\"" name "\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}"

static void an_index_is_compared(void) {
    static const struct {
        const char *index, *said;
    } INDEXES[] = {
        {"{\"metadata\":{\"total_size\":2},\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"}}",
            ""},
        {"{\"weight_map\":{\"a\":\"2.safetensors\",\"b\":\"1.safetensors\"}}",
            "2 tensors are not in the files where"},
        {"{\"weight_map\":{\"a\":\"1.safetensors\"}}", ""}, /* the other file is of no matter */
        {"{\"weight_map\":{\"x\":\"1.safetensors\",\"b\":\"2.safetensors\"}}", "1 tensors are not in"},
        {"{\"weight_map\":{\"b\":\"2.safetensors\",\"x\":\"4.safetensors\"}}", ""}, /* known, not here */
        {"{\"weight_map\":{\"b\":\"1.safetensors\",\"x\":\"4.safetensors\"}}", "1 tensors are not in"},
        {"{\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\",\"c\":\"1.safetensors\"}}",
            "1 tensors are not in"},
        {"{\"weight_map\":{\"a\":\"3.safetensors\"}}",
            "weight_map names 3.safetensors, which the model does not have"},
        {"{\"weight_map\":{\"a\":\"../1.safetensors\"}}",
            "weight_map names ../1.safetensors, which is no plain name"},
        {"{\"weight_map\":{\"a\":\"/etc/passwd\"}}", "weight_map names /etc/passwd, which is no plain name"},
        {"{\"weight_map\":{\"a\":{}}}", "weight_map holds something that is no name"},
        {"{\"weight_map\":[]}", "weight_map is no object"},
        {"{}", "the index has no weight_map"},
        {"[]", "the index is no object"},
        {"{\"weight_map\":{\"a\":", "the index is not valid JSON: byte"},
    };
    struct memory one = shard_of(ONE("a"), 1), two = shard_of(ONE("b"), 1);
    struct format_reader readers[2] = {memory_reader(&one), memory_reader(&two)};
    struct format_set_file shards[3] = {{"1.safetensors", &readers[0]}, {"2.safetensors", &readers[1]},
        {"4.safetensors", NULL}};
    for (size_t i = 0; i < sizeof INDEXES / sizeof *INDEXES; i++) {
        struct memory index = {.bytes = BUF_INIT};
        struct findings findings = FINDINGS_INIT;
        put(&index.bytes, INDEXES[i].index, strlen(INDEXES[i].index));
        struct format_reader reader = memory_reader(&index);
        CHECK_OK(format_check_index(&reader, shards, 3, &findings));
        const char *said = worst_of(&findings);
        if (!CHECK(*INDEXES[i].said ? !strncmp(said, INDEXES[i].said, strlen(INDEXES[i].said)) : !*said))
            fprintf(stderr, "    %s: %s\n", INDEXES[i].index, said);
        index.broken_error = -EIO;
        CHECK_ERROR(format_check_index(&reader, shards, 3, &findings), -EIO);
        CHECK_TEXT(worst_of(&findings), "");
        buf_done(&index.bytes);
    }
    buf_done(&one.bytes);
    buf_done(&two.bytes);
}

static struct memory gguf_part(uint32_t number, uint32_t count, uint32_t tensors) {
    struct memory memory = {.bytes = BUF_INIT};
    put_begin(&memory.bytes, 3, 1, 3);
    put_key_u32(&memory.bytes, "split.no", number);
    put_key_u32(&memory.bytes, "split.count", count);
    put_key_u32(&memory.bytes, "split.tensors.count", tensors);
    put_tensor(&memory.bytes, "t", 8, 1, 0, 0);
    put_padding(&memory.bytes);
    put_zeros(&memory.bytes, 32);
    return memory;
}

static void parts_of_a_gguf_are_compared(void) {
    static const struct {
        uint32_t first, second, count, tensors;
        const char *said;
    } SETS[] = {
        {0, 1, 2, 2, ""},
        {1, 0, 2, 2, "1 says that it is part 2 of 2, and is 1 of 2"},
        {0, 1, 3, 2, "1 says that it is part 1 of 3, and is 1 of 2"},
        {0, 1, 2, 5, "the parts hold 2 tensors together, and should hold 5"},
    };
    for (size_t i = 0; i < sizeof SETS / sizeof *SETS; i++) {
        struct memory one = gguf_part(SETS[i].first, SETS[i].count, SETS[i].tensors),
                      two = gguf_part(SETS[i].second, SETS[i].count, SETS[i].tensors);
        struct format_reader readers[2] = {memory_reader(&one), memory_reader(&two)};
        struct format_set_file shards[2] = {{"1", &readers[0]}, {"2", &readers[1]}};
        struct findings findings = FINDINGS_INIT;
        CHECK_OK(format_check_gguf_set(shards, 2, &findings));
        CHECK_TEXT(worst_of(&findings), SETS[i].said);
        buf_done(&one.bytes);
        buf_done(&two.bytes);
    }
}

static void folders_of_vosk_are_judged(void) {
    static const char *const NEW[] = {"am/final.mdl", "conf/mfcc.conf", "graph/HCLr.fst", "graph/Gr.fst",
        "graph/phones/word_boundary.int", "conf/model.conf"};
    static const char *const OLD[] = {"final.mdl", "mfcc.conf", "HCLG.fst"};
    struct findings findings = FINDINGS_INIT;
    format_check_vosk(NEW, 6, &findings);
    CHECK_TEXT(worst_of(&findings), "");
    format_check_vosk(NEW, 3, &findings);
    CHECK_TEXT(worst_of(&findings), "a Vosk model without graph/phones/word_boundary.int");
    format_check_vosk(NEW + 1, 5, &findings);
    CHECK_TEXT(worst_of(&findings), "a Vosk model without am/final.mdl");
    format_check_vosk(OLD, 3, &findings);
    CHECK_TEXT(worst_of(&findings), "");
    format_check_vosk(OLD, 1, &findings);
    CHECK_TEXT(worst_of(&findings), "a Vosk model without mfcc.conf");
}

int main(void) {
    an_index_is_compared();
    parts_of_a_gguf_are_compared();
    folders_of_vosk_are_judged();
    return check_result();
}
