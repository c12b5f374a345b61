/* SPDX-License-Identifier: Apache-2.0 */
/* what a prompt is about, and which model answers it */

#include "check.h"
#include "infer/auto_choice.h"

/* ---- tasks */

static void tasks(void) {
    static const struct {
        enum infer_shape shape;
        const char *text;
        enum auto_task task;
        const char *why;
    } rows[] = {
        {INFER_PROMPT, "Why is the sky blue?", AUTO_CHAT, "plain words"},
        {INFER_PROMPT, "", AUTO_CHAT, "plain words"},
        {INFER_PROMPT, "Fix this code: x = ;", AUTO_CODE, "the word \"code\""},
        {INFER_PROMPT, "FIX THIS CODE", AUTO_CODE, "the word \"code\""},
        {INFER_PROMPT, "What is the zip code of Oslo?", AUTO_CHAT, "plain words"},
        {INFER_PROMPT, "Write a code of conduct.", AUTO_CHAT, "plain words"},
        {INFER_PROMPT, "The decoder of the radio", AUTO_CHAT, "plain words"},
        {INFER_PROMPT, "What does this do?\n```\nls\n```\n", AUTO_CODE, "the sign \"```\""},
        {INFER_PROMPT, "A python bit me", AUTO_CODE, "the word \"python\""}, /* who would know */
        {INFER_PROMPT, "Is rust harmful to a car?", AUTO_CHAT, "plain words"},
        {INFER_PROMPT, "Is rust faster than java?", AUTO_CODE, "the word \"java\""},
        {INFER_PROMPT, "c++ or not", AUTO_CODE, "the word \"c++\""},
        {INFER_PROMPT, "the function of the liver", AUTO_CHAT, "plain words"},
        {INFER_PROMPT, "int main() {\n  return a == b;\n}\n", AUTO_CODE, "the sign \"{\""},
        {INFER_PROMPT, "#include <stdio.h>", AUTO_CODE, "the sign \"#include\""},
        {INFER_PROMPT, "Write a unit test for it", AUTO_CODE, "the word \"unit test\""},
        {INFER_PROMPT, "M\xc3\xa9thode de Python", AUTO_CODE, "the word \"python\""},
        {INFER_EMBED, "Fix this code", AUTO_EMBED, "a vector is wanted"},
        {INFER_EMBEDDING, "{\"input\":\"x\"}", AUTO_EMBED, "a vector is wanted"},
        {INFER_REQUEST, "{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}", AUTO_CHAT,
            "plain words"},
        {INFER_REQUEST, "{\"messages\":[{\"role\":\"user\",\"content\":\"Refactor it\"}]}", AUTO_CODE,
            "the word \"refactor\""},
        {INFER_REQUEST,
            "{\"messages\":[{\"role\":\"user\",\"content\":\"Fix this code\"},"
            "{\"role\":\"assistant\",\"content\":\"code\"},{\"role\":\"user\",\"content\":\"thanks\"}]}",
            AUTO_CHAT, "plain words"},
        {INFER_REQUEST,
            "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"what is it?\"},"
            "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AA\"}}]}]}",
            AUTO_VISION, "an image in it"},
        {INFER_REQUEST,
            "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"this bash\"}]}]}",
            AUTO_CODE, "the word \"bash\""},
        {INFER_COMPLETION, "{\"prompt\":\"#!/bin/sh\\n\"}", AUTO_CODE, "the sign \"#!/bin/\""},
        {INFER_REQUEST, "{\"messages\":7}", AUTO_CHAT, "plain words"},
        {INFER_REQUEST, "{}", AUTO_CHAT, "plain words"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char why[AUTO_WHY_SIZE];
        enum auto_task task = auto_task_of(rows[i].shape, rows[i].text, strlen(rows[i].text), why);
        if (!CHECK(task == rows[i].task))
            fprintf(stderr, "    %s: %s, %s\n", rows[i].text, auto_task_name(task), why);
        CHECK_TEXT(why, rows[i].why);
    }
}

/* ---- choices: the models of a house, of which each row has some */

#define GB 1000000000ull

enum {
    CHAT,
    CODER,
    EYES,
    VECTORS,
    HEARS,
    BARE,
    BIG,
    ABSENT,
    SMALL_ABSENT,
    REMOTE,
    OLLAMA,
    GATED,
    BROKEN,
    TENSORS,
    MODEL_COUNT
};

#define MODEL(what, kind)  .key = what, .category = kind, .has_engine = true
#define READY(bytes, size) .state = STATE_READY, .need_bytes = bytes, .parameters = size

static const struct auto_candidate house[MODEL_COUNT] = {
    [CHAT] = {MODEL("hf:acme/chat", "llm"), READY(2 * GB, 1 * GB)},
    [CODER] = {MODEL("hf:acme/tiny-coder", "llm"), READY(2 * GB, 1 * GB)},
    [EYES] = {MODEL("hf:acme/eyes", "llm"), READY(3 * GB, 1 * GB), .has_projector = true},
    [VECTORS] = {MODEL("hf:acme/vectors", "embedding"), READY(GB, GB / 8)},
    [HEARS] = {MODEL("vosk:vi", "speech"), READY(GB, 0)},
    [BARE] = {MODEL("local:thing", "other"), READY(GB, 0)},
    [BIG] = {MODEL("hf:acme/big", "llm"), READY(40 * GB, 32 * GB)},
    [ABSENT] = {MODEL("hf:acme/far", "llm"), .state = STATE_ABSENT, .missing_bytes = 4 * GB,
        .need_bytes = 5 * GB, .parameters = 8 * GB},
    [SMALL_ABSENT] = {MODEL("hf:acme/near", "llm"), .state = STATE_PARTIAL, .missing_bytes = 50000000},
    [REMOTE] = {MODEL("openai:work/gpt", "llm"), .state = STATE_REMOTE},
    [OLLAMA] = {MODEL("ollama:gemma2:9b", "llm"), .state = STATE_REMOTE, .parameters = 9 * GB},
    [GATED] = {MODEL("hf:acme/gated", "llm"), .state = STATE_ABSENT, .is_locked = true},
    [BROKEN] = {MODEL("hf:acme/broken", "llm"), .state = STATE_CORRUPT},
    [TENSORS] = {.key = "hf:acme/tensors", .category = "llm", READY(GB, GB), .has_engine = false},
};

struct change { /* of one model of the row */
    int model;
    enum seat_state seat;
    unsigned queue;
    bool is_default, failed;
    uint64_t context_tokens;
};

#define NONE     (-1)
#define ALL(...) .count = sizeof((int[]){__VA_ARGS__}) / sizeof(int), .models = {__VA_ARGS__}

static const struct {
    const char *what;
    size_t count;
    int models[MODEL_COUNT];
    enum auto_task task;
    const char *preferred; /* NULL: "" */
    uint64_t memory_bytes; /* 0: 16 GB */
    uint64_t fetch_bytes;
    bool not_lazy;
    size_t prompt_bytes;
    struct change change;
    int choice;       /* index in `house` */
    int error;        /* when that is NONE */
    const char *said; /* the verdict on the choice, or the sentence; NULL: any */
} rows[] = {
    {"the only one", ALL(CHAT), .choice = CHAT, .said = "1.0B +30"},
    {"talk is not for a coder", ALL(CODER, CHAT), .choice = CHAT},
    {"but better than nothing", ALL(CODER, VECTORS), .choice = CODER, .said = "for code -100, 1.0B +30"},
    {"code is", ALL(CHAT, CODER), .task = AUTO_CODE, .choice = CODER, .said = "for code +300, 1.0B +30"},
    {"code by any that talks", ALL(CHAT, VECTORS), .task = AUTO_CODE, .choice = CHAT},
    {"a coder, though the other is loaded", ALL(CHAT, CODER), .task = AUTO_CODE,
        .change = {CHAT, .seat = SEAT_READY}, .choice = CODER},
    {"pictures", ALL(CHAT, CODER, EYES), .task = AUTO_VISION, .choice = EYES},
    {"pictures, no eyes", ALL(CHAT, VECTORS), .task = AUTO_VISION, .choice = NONE, .error = -EOPNOTSUPP,
        .said = "no model here can look at images: `weightfs pull hf:acme/advice` fetches one "
                "(catalogue.json lists some)"},
    {"vectors", ALL(CHAT, VECTORS, EYES), .task = AUTO_EMBED, .choice = VECTORS},
    {"vectors, none", ALL(CHAT), .task = AUTO_EMBED, .choice = NONE, .error = -EOPNOTSUPP},
    {"talk is not for vectors", ALL(VECTORS, HEARS), .choice = NONE, .error = -EOPNOTSUPP},
    {"nothing is known", .count = 0, .choice = NONE, .error = -ENOENT,
        .said = "no model here can answer in words: `weightfs pull hf:acme/advice` fetches one "
                "(catalogue.json lists some)"},
    {"one of unknown kind talks, as most do", ALL(BARE), .choice = BARE, .said = "of unknown kind -150"},
    {"but the known comes first", ALL(BARE, REMOTE), .choice = REMOTE, .said = "elsewhere -50"},
    {"loaded before larger", ALL(CHAT, EYES), .change = {EYES, .seat = SEAT_READY}, .choice = EYES,
        .said = "loaded +200, 1.0B +30"},
    {"loading counts", ALL(CHAT, EYES), .change = {EYES, .seat = SEAT_STARTING}, .choice = EYES,
        .said = "loading +100, 1.0B +30"},
    {"one that is busy makes way", ALL(CHAT, EYES), .change = {EYES, .seat = SEAT_READY, .queue = 100},
        .choice = EYES, .said = "loaded +200, 100 asked -150, 1.0B +30"},
    {"busy and not loaded", ALL(CHAT, EYES), .change = {CHAT, .queue = 1}, .choice = EYES},
    {"larger when there is room", ALL(CHAT, BIG), .memory_bytes = 64 * GB, .choice = BIG,
        .said = "32.0B +80"},
    {"not when there is none", ALL(CHAT, BIG), .choice = CHAT},
    {"none fits", ALL(BIG), .choice = NONE, .error = -ENOMEM,
        .said =
            "no model that could answer in words fits into memory: hf:acme/big takes 40.0 GB, 16.0 GB are "
            "free; `weightfs pull hf:acme/advice` fetches a smaller one"},
    {"memory unknown", ALL(BIG), .memory_bytes = UINT64_MAX, .choice = BIG},
    {"what is loaded has its memory", ALL(BIG, CHAT), .memory_bytes = 1, .change = {BIG, .seat = SEAT_READY},
        .choice = BIG},
    {"here before far", ALL(ABSENT, CHAT), .fetch_bytes = 10 * GB, .choice = CHAT},
    {"here before near", ALL(SMALL_ABSENT, BARE), .fetch_bytes = GB, .choice = BARE},
    {"gigabytes are not fetched", ALL(ABSENT), .fetch_bytes = 64000000, .choice = NONE, .error = -ENOENT,
        .said =
            "no model that could answer in words is here; hf:acme/far would do, 4.0 GB of it are missing: "
            "`weightfs pull hf:acme/far`, or a larger auto_fetch"},
    {"unless somebody says so", ALL(ABSENT), .fetch_bytes = 4 * GB, .choice = ABSENT},
    {"a little is", ALL(ABSENT, SMALL_ABSENT), .fetch_bytes = 64000000, .choice = SMALL_ABSENT},
    {"nothing is, without lazy", ALL(SMALL_ABSENT), .fetch_bytes = GB, .not_lazy = true, .choice = NONE,
        .error = -ENOENT,
        .said = "no model that could answer in words is here; hf:acme/near would do, 50.0 MB of it are "
                "missing: `weightfs pull hf:acme/near`"},
    {"a preferred one is not worth waiting for", ALL(ABSENT, CHAT), .preferred = "hf:acme/far",
        .fetch_bytes = 10 * GB, .choice = CHAT},
    {"the default", ALL(CHAT, EYES), .change = {EYES, .is_default = true}, .choice = EYES,
        .said = "default +1000, 1.0B +30"},
    {"the default, though a coder is here", ALL(CHAT, CODER), .task = AUTO_CODE,
        .change = {CHAT, .is_default = true}, .choice = CHAT},
    {"the default can't", ALL(CHAT, VECTORS), .task = AUTO_EMBED, .change = {CHAT, .is_default = true},
        .choice = VECTORS},
    {"a preferred key", ALL(CHAT, EYES, REMOTE), .preferred = "hf:acme/none, hf:acme/eyes", .choice = EYES,
        .said = "preferred +760, 1.0B +30"},
    {"a key is more than a source", ALL(CHAT, OLLAMA), .preferred = "hf:acme/chat ollama", .choice = CHAT},
    {"a source", ALL(CHAT, OLLAMA), .preferred = "ollama", .choice = OLLAMA,
        .said = "preferred +800, elsewhere -50, 9.0B +60"},
    {"a source in capitals", ALL(CHAT, REMOTE), .preferred = "OpenAI", .choice = REMOTE},
    {"an endpoint", ALL(CHAT, REMOTE), .preferred = "openai:work", .choice = REMOTE},
    {"not another endpoint", ALL(CHAT, REMOTE), .preferred = "openai:wo", .choice = CHAT},
    {"what runs here", ALL(CHAT, OLLAMA), .preferred = "llama", .choice = CHAT},
    {"local", ALL(REMOTE, CHAT), .preferred = "local", .choice = CHAT},
    {"a name that the Hub is known by", ALL(CHAT, OLLAMA), .preferred = "huggingface", .choice = CHAT},
    {"a category", ALL(CHAT, BARE), .preferred = "other", .choice = BARE},
    {"code", ALL(CHAT, CODER), .preferred = "code", .choice = CODER},
    {"a default before a preference", ALL(CHAT, OLLAMA), .preferred = "ollama",
        .change = {CHAT, .is_default = true}, .choice = CHAT},
    {"a preference that can't", ALL(CHAT, VECTORS), .preferred = "hf:acme/vectors", .choice = CHAT},
    {"nobody's preference", ALL(CHAT, OLLAMA), .preferred = "anthropic", .choice = CHAT},
    {"what failed comes last", ALL(CHAT, BARE), .change = {CHAT, .failed = true}, .choice = BARE},
    {"but comes", ALL(CHAT), .change = {CHAT, .failed = true}, .choice = CHAT,
        .said = "failed last -500, 1.0B +30"},
    {"a prompt too long", ALL(CHAT, EYES), .prompt_bytes = 100000,
        .change = {CHAT, .context_tokens = 512, .is_default = true}, .choice = EYES},
    {"gated", ALL(GATED), .choice = NONE, .error = -ENOENT,
        .said = "no model that could answer in words may be used now; its status says why: hf:acme/gated"},
    {"gated and corrupt", ALL(GATED, BROKEN, CHAT), .choice = CHAT},
    {"no engine", ALL(TENSORS), .choice = NONE, .error = -ENOENT,
        .said = "no engine here loads a model that could answer in words (hf:acme/tensors could); install "
                "llama-server, or pull a GGUF model: `weightfs pull hf:acme/advice`"},
    {"an engine", ALL(TENSORS, BARE), .choice = BARE},
    {"equals: what takes less, then by name", ALL(EYES, CODER, CHAT), .task = AUTO_CHAT, .choice = CHAT},
    {"everything",
        ALL(HEARS, BARE, BIG, ABSENT, SMALL_ABSENT, REMOTE, OLLAMA, GATED, BROKEN, TENSORS, VECTORS, EYES,
            CODER, CHAT),
        .task = AUTO_CODE, .choice = CODER},
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])
_Static_assert(ROW_COUNT >= 30, "there are many ways to choose");

static void apply(const struct change *change, struct auto_candidate *model) {
    model->seat = change->seat;
    model->queue = change->queue;
    model->is_default = change->is_default;
    model->failed = change->failed;
    model->context_tokens = change->context_tokens;
}

/* The row with its models turned by `turn` places. */
static void choose(size_t row, size_t turn) {
    struct auto_candidate models[MODEL_COUNT];
    struct auto_verdict verdicts[MODEL_COUNT];
    struct reason reason = {""};
    size_t index = 0, count = rows[row].count;
    const struct auto_limits limits = {.task = rows[row].task,
        .prompt_bytes = rows[row].prompt_bytes,
        .memory_bytes = rows[row].memory_bytes ? rows[row].memory_bytes : 16 * GB,
        .lazy = !rows[row].not_lazy,
        .fetch_bytes = rows[row].fetch_bytes,
        .preferred = rows[row].preferred ? rows[row].preferred : "",
        .suggestion = "hf:acme/advice"};
    for (size_t i = 0; i < count; i++) {
        int model = rows[row].models[(i + turn) % count];
        models[i] = house[model];
        models[i].model_id = model;
        if (model == rows[row].change.model)
            apply(&rows[row].change, &models[i]);
    }
    int error = auto_choose(&limits, models, count, verdicts, &index, &reason);
    int choice = error ? NONE : (int)models[index].model_id;
    if (!CHECK(choice == rows[row].choice))
        fprintf(stderr, "    %s, turned by %zu: %s\n", rows[row].what, turn,
            error ? reason.text : models[index].key);
    CHECK_ERROR(error, rows[row].error);
    if (rows[row].said && choice == rows[row].choice)
        CHECK_TEXT(error ? reason.text : verdicts[index].why, rows[row].said);
}

static void choices(void) {
    for (size_t row = 0; row < ROW_COUNT; row++)
        for (size_t turn = 0; turn < rows[row].count || !turn; turn++)
            choose(row, turn);
}

/* Names and heads tell what a model is when no category does. */
static void kinds(void) {
    static const struct {
        struct auto_candidate model;
        enum auto_task task; /* that it can do */
    } tables[] = {
        {{.key = "hf:acme/x", .category = "other", .architecture = "bert"}, AUTO_EMBED},
        {{.key = "hf:acme/x", .category = "other", .card_category = "sentence-similarity"}, AUTO_EMBED},
        {{.key = "hf:acme/bge-small-GGUF", .category = "other"}, AUTO_EMBED},
        {{.key = "hf:acme/x", .category = "other", .card_category = "image-text-to-text"}, AUTO_VISION},
        {{.key = "hf:acme/Qwen2-VL-7B", .category = "other"}, AUTO_VISION},
        {{.key = "openai:work/x", .category = "llm", .can = AUTO_CAN_EMBED}, AUTO_EMBED},
        {{.key = "hf:acme/x", .category = "embedding", .card_category = "text-generation"}, AUTO_EMBED},
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        struct auto_candidate model = tables[i].model;
        struct auto_verdict verdict;
        struct reason reason;
        size_t index;
        model.has_engine = true;
        model.state = STATE_READY;
        const struct auto_limits limits = {.task = tables[i].task,
            .memory_bytes = UINT64_MAX,
            .preferred = "",
            .suggestion = ""};
        CHECK_OK(auto_choose(&limits, &model, 1, &verdict, &index, &reason));
    }
}

int main(void) {
    tasks();
    choices();
    kinds();
    return check_result();
}
