/* SPDX-License-Identifier: Apache-2.0 */
#include "model/format_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/gguf.h"
#include "model/json_stream.h"
#include "model/safetensors.h"

/* ---- an index and its shards: both sides as pairs of a tensor's name (its hash) and a shard */

struct pair {
    uint64_t name_hash;
    uint64_t shard;
};
struct pairs {
    struct pair *array;
    size_t count, room;
};

static void add_pair(struct pairs *pairs, uint64_t name_hash, uint64_t shard) {
    if (pairs->count == pairs->room) {
        pairs->room = pairs->room ? pairs->room * 2 : 256;
        pairs->array = mem_resize(pairs->array, pairs->room, sizeof *pairs->array);
    }
    pairs->array[pairs->count++] = (struct pair){name_hash, shard};
}

static int by_name(const void *a, const void *b) {
    const struct pair *left = a, *right = b;
    if (left->name_hash != right->name_hash)
        return left->name_hash < right->name_hash ? -1 : 1;
    return left->shard < right->shard ? -1 : left->shard > right->shard;
}

static void sort(struct pairs *pairs) {
    if (pairs->count > 1)
        qsort(pairs->array, pairs->count, sizeof *pairs->array, by_name);
}

struct index_walk {
    const struct format_set_file *shards;
    size_t count;
    struct json_stream stream;
    struct findings *findings;
    struct pairs wanted;
    bool *named; /* shards that the index names */
    size_t lacking;
    uint64_t lacking_hash; /* the last name that was told of: tensors of a file stand together */
    bool has_map;
};

#define REFUSE(findings, ...) (findings_add((findings), FINDING_ERROR, __VA_ARGS__), false)

static int by_file(const void *name, const void *shard) {
    return strcmp(name, ((const struct format_set_file *)shard)->name);
}

/* A file that is not there is told of, and the others are compared. */
static bool index_entry(struct index_walk *walk, uint64_t name_hash) {
    const char *file = walk->stream.text;
    if (walk->stream.text_cut || walk->stream.text_nul || strchr(file, '/') || !*file || *file == '.')
        return REFUSE(walk->findings, "weight_map names %s, which is no plain name of a file", file);
    const struct format_set_file *shard =
        walk->count ? bsearch(file, walk->shards, walk->count, sizeof *walk->shards, by_file) : NULL;
    if (shard) {
        walk->named[shard - walk->shards] = true;
        if (shard->reader)
            add_pair(&walk->wanted, name_hash, (uint64_t)(shard - walk->shards));
        return true;
    }
    if (walk->lacking_hash != walk->stream.text_hash || !walk->lacking)
        (void)REFUSE(walk->findings, "weight_map names %s, which the model does not have", file);
    walk->lacking_hash = walk->stream.text_hash;
    walk->lacking++;
    return true;
}

static bool index_map(struct index_walk *walk) {
    enum json_event event = json_stream_next(&walk->stream);
    walk->has_map = event == STREAM_OBJECT;
    if (!walk->has_map)
        return event == STREAM_BAD ? false : REFUSE(walk->findings, "weight_map is no object");
    while ((event = json_stream_next(&walk->stream)) == STREAM_NAME) {
        uint64_t name_hash = walk->stream.text_hash;
        event = json_stream_next(&walk->stream);
        if (event == STREAM_BAD)
            return false;
        if (event != STREAM_TEXT)
            return REFUSE(walk->findings, "weight_map holds something that is no name of a file");
        if (!index_entry(walk, name_hash))
            return false;
    }
    return event == STREAM_OBJECT_END;
}

static bool read_index(struct index_walk *walk) {
    enum json_event event = json_stream_next(&walk->stream);
    if (event != STREAM_OBJECT)
        return event == STREAM_BAD ? false : REFUSE(walk->findings, "the index is no object");
    while ((event = json_stream_next(&walk->stream)) == STREAM_NAME)
        if (!strcmp(walk->stream.text, "weight_map") ? !index_map(walk)
                                                     : !json_stream_skip(&walk->stream, event))
            return false;
    if (event != STREAM_OBJECT_END || json_stream_next(&walk->stream) != STREAM_END)
        return false;
    return walk->has_map || REFUSE(walk->findings, "the index has no weight_map");
}

struct shard_walk {
    struct pairs held;
    uint64_t shard;
};

static void shard_tensor(void *context, const struct safetensors_tensor *tensor) {
    struct shard_walk *walk = context;
    add_pair(&walk->held, tensor->name_hash, walk->shard);
}

static void compare(const struct index_walk *walk, struct pairs *wanted, struct pairs *held) {
    size_t lacking = 0, more = 0, i = 0, k = 0;
    sort(wanted);
    sort(held);
    while (i < wanted->count || k < held->count) {
        int order = i == wanted->count ? 1
                    : k == held->count ? -1
                                       : by_name(&wanted->array[i], &held->array[k]);
        lacking += order < 0;
        more += order > 0;
        i += order <= 0;
        k += order >= 0;
    }
    if (lacking)
        (void)REFUSE(walk->findings, "%zu tensors are not in the files where weight_map says they are",
            lacking);
    if (more)
        (void)REFUSE(walk->findings, "%zu tensors of the files are not in weight_map", more);
}

static int read_shards(struct index_walk *walk, struct shard_walk *shards) {
    struct safetensors_visitor visitor = {shard_tensor, NULL, shards};
    for (; shards->shard < walk->count; shards->shard++) {
        /* Its own faults are told where the file itself is checked. */
        FINDINGS_CLEANUP struct findings ignored = FINDINGS_INIT;
        if (!walk->named[shards->shard] || !walk->shards[shards->shard].reader)
            continue;
        int error =
            safetensors_walk(walk->shards[shards->shard].reader, SAFETENSORS_HEADER_MAX, &visitor, &ignored);
        if (error)
            return error;
    }
    return 0;
}

int format_check_index(const struct format_reader *index, const struct format_set_file *shards, size_t count,
    struct findings *findings) {
    struct index_walk *walk = mem_new(sizeof *walk);
    struct shard_walk held = {.shard = 0};
    struct scan scan;
    walk->shards = shards;
    walk->count = count;
    walk->findings = findings;
    walk->named = mem_array(count + 1, sizeof *walk->named);
    scan_init(&scan, index, 0, index->size);
    json_stream_init(&walk->stream, &scan);
    bool whole = read_index(walk);
    if (!whole && walk->stream.fault)
        (void)REFUSE(findings, "the index is not valid JSON: byte %llu: %s",
            (unsigned long long)walk->stream.fault_at, walk->stream.fault);
    int error = whole ? read_shards(walk, &held) : scan.error;
    if (whole && !error)
        compare(walk, &walk->wanted, &held.held);
    json_stream_done(&walk->stream);
    free(walk->wanted.array);
    free(walk->named);
    free(held.held.array);
    free(walk);
    return error;
}

/* ---- a GGUF in shards */

struct gguf_shard {
    uint64_t number, count, all_tensors, tensors;
    bool has_number, has_count;
};

static void gguf_key(void *context, const char *key, const struct gguf_value *value) {
    struct gguf_shard *shard = context;
    if (!value->is_whole || value->type == GGUF_ARRAY)
        return;
    if (!strcmp(key, "split.no")) {
        shard->number = value->number;
        shard->has_number = true;
    } else if (!strcmp(key, "split.count")) {
        shard->count = value->number;
        shard->has_count = true;
    } else if (!strcmp(key, "split.tensors.count")) {
        shard->all_tensors = value->number;
    }
}

static void gguf_tensor(void *context, const struct gguf_tensor *tensor) {
    struct gguf_shard *shard = context;
    (void)tensor;
    shard->tensors++;
}

int format_check_gguf_set(const struct format_set_file *shards, size_t count, struct findings *findings) {
    uint64_t tensors = 0, all_tensors = 0;
    for (size_t i = 0; i < count; i++) {
        struct gguf_shard shard = {.number = 0};
        struct gguf_visitor visitor = {gguf_key, gguf_tensor, &shard};
        FINDINGS_CLEANUP struct findings ignored = FINDINGS_INIT;
        int error = gguf_walk(shards[i].reader, &visitor, &ignored);
        if (error)
            return error;
        if (!shard.has_number || !shard.has_count)
            (void)REFUSE(findings, "%s does not say which part of the whole it is", shards[i].name);
        else if (shard.count != count || shard.number != i)
            (void)REFUSE(findings, "%s says that it is part %llu of %llu, and is %zu of %zu", shards[i].name,
                (unsigned long long)shard.number + 1, (unsigned long long)shard.count, i + 1, count);
        tensors += shard.tensors;
        all_tensors = i ? all_tensors : shard.all_tensors;
    }
    if (all_tensors && all_tensors != tensors)
        (void)REFUSE(findings, "the parts hold %llu tensors together, and should hold %llu",
            (unsigned long long)tensors, (unsigned long long)all_tensors);
    return 0;
}

/* ---- Vosk (vosk-api, src/model.cc): what its two layouts need */

static bool has_path(const char *const *paths, size_t count, const char *path) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(paths[i], path))
            return true;
    return false;
}

void format_check_vosk(const char *const *paths, size_t count, struct findings *findings) {
    static const struct {
        const char *one, *other; /* either will do; NULL: only the first */
        bool is_new;             /* of the second layout */
    } NEEDED[] = {
        {"am/final.mdl", NULL, true},
        {"conf/mfcc.conf", "conf/fbank.conf", true},
        {"graph/HCLG.fst", "graph/HCLr.fst", true},
        {"graph/phones/word_boundary.int", "graph/phones/align_lexicon.int", true},
        {"final.mdl", NULL, false},
        {"mfcc.conf", NULL, false},
        {"HCLG.fst", "HCLr.fst", false},
    };
    bool is_new = has_path(paths, count, "am/final.mdl") || has_path(paths, count, "conf/model.conf");
    for (size_t i = 0; i < sizeof NEEDED / sizeof *NEEDED; i++)
        if (NEEDED[i].is_new == is_new && !has_path(paths, count, NEEDED[i].one) &&
            (!NEEDED[i].other || !has_path(paths, count, NEEDED[i].other)))
            (void)REFUSE(findings, "a Vosk model without %s", NEEDED[i].one);
    bool by_parts = has_path(paths, count, "graph/HCLr.fst") && !has_path(paths, count, "graph/HCLG.fst");
    if (by_parts && !has_path(paths, count, "graph/Gr.fst"))
        (void)REFUSE(findings, "a Vosk model with graph/HCLr.fst, but without graph/Gr.fst");
}
