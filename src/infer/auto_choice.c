/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/auto_choice.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words of verdicts */

static void add(struct auto_verdict *verdict, int points, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void add(struct auto_verdict *verdict, int points, const char *format, ...) {
    size_t len = strlen(verdict->why);
    va_list args;
    verdict->points += points;
    if (len)
        len += (size_t)snprintf(verdict->why + len, sizeof verdict->why - len, ", ");
    len = len < sizeof verdict->why ? len : sizeof verdict->why - 1;
    va_start(args, format);
    (void)vsnprintf(verdict->why + len, sizeof verdict->why - len, format, args);
    va_end(args);
    len = strlen(verdict->why);
    if (points)
        (void)snprintf(verdict->why + len, sizeof verdict->why - len, " %+d", points);
}

static const char *const wants[AUTO_TASK_COUNT] = {
    [AUTO_CHAT] = "answer in words",
    [AUTO_CODE] = "answer in words",
    [AUTO_VISION] = "look at images",
    [AUTO_EMBED] = "embed texts",
};

static const unsigned needed[AUTO_TASK_COUNT] = {
    [AUTO_CHAT] = AUTO_CAN_CHAT,
    [AUTO_CODE] = AUTO_CAN_CHAT,
    [AUTO_VISION] = AUTO_CAN_SEE,
    [AUTO_EMBED] = AUTO_CAN_EMBED,
};

/* ---- what keeps a model out */

enum out { OUT_NOT, OUT_TASK, OUT_ENGINE, OUT_FETCH, OUT_MEMORY, OUT_STATE };

#define HARDLY_BYTES (1u << 20) /* so much is missing where a README is */

static bool is_here(const struct auto_candidate *model) {
    return model->state == STATE_READY || model->state == STATE_REMOTE || model->seat == SEAT_READY ||
           (model->state == STATE_PARTIAL && model->missing_bytes <= HARDLY_BYTES);
}

static enum out judge_fetch(const struct auto_limits *limits, const struct auto_candidate *model,
    struct auto_verdict *verdict) {
    char size[HUMAN_SIZE];
    if (is_here(model))
        return OUT_NOT;
    if (!model->missing_bytes) {
        add(verdict, 0, "what it consists of is not known yet");
        return OUT_STATE;
    }
    human_bytes(size, model->missing_bytes);
    if (model->state == STATE_DISABLED || !limits->lazy)
        add(verdict, 0, "%s of it are not here, and nothing may be fetched", size);
    else if (model->missing_bytes > limits->fetch_bytes)
        add(verdict, 0, "%s of it are not here", size);
    else
        return OUT_NOT;
    return OUT_FETCH;
}

static enum out judge_memory(const struct auto_limits *limits, const struct auto_candidate *model,
    struct auto_verdict *verdict) {
    char need[HUMAN_SIZE], room[HUMAN_SIZE];
    if (model->seat == SEAT_READY || model->seat == SEAT_STARTING || model->state == STATE_REMOTE ||
        model->need_bytes <= limits->memory_bytes)
        return OUT_NOT;
    add(verdict, 0, "takes %s of memory, %s are free", human_bytes(need, model->need_bytes),
        human_bytes(room, limits->memory_bytes));
    return OUT_MEMORY;
}

/* A token has some four bytes; six is said of no text that people write. */
#define TOKEN_BYTES_MOST 6

static enum out judge(const struct auto_limits *limits, const struct auto_candidate *model, unsigned can,
    struct auto_verdict *verdict) {
    if (!(can & needed[limits->task])) {
        add(verdict, 0, "can't %s", wants[limits->task]);
        return OUT_TASK;
    }
    if (model->is_locked || model->state == STATE_CORRUPT || model->state == STATE_FAILED) {
        add(verdict, 0, "%s", model->is_locked ? "gated" : model_state_name(model->state));
        return OUT_STATE;
    }
    if (!model->has_engine) {
        add(verdict, 0, "no engine here loads it");
        return OUT_ENGINE;
    }
    if (model->context_tokens && limits->prompt_bytes / TOKEN_BYTES_MOST > model->context_tokens) {
        add(verdict, 0, "its context of %llu tokens is too short", (unsigned long long)model->context_tokens);
        return OUT_STATE;
    }
    enum out out = judge_fetch(limits, model, verdict);
    return out ? out : judge_memory(limits, model, verdict);
}

/* ---- preferences */

static const struct {
    const char *word, *source;
} providers[] = {
    {"huggingface", "hf"}, {"hugging-face", "hf"}, {"llama", ""}, {"llama.cpp", ""}, {"llamacpp", ""},
    {"local", ""}, /* "": all that are served from here */
};

static bool same_word(const char *word, size_t len, const char *text) {
    return strlen(text) == len && strncasecmp(word, text, len) == 0;
}

/* A key, or what stands before a sign in it: "hf:acme/tiny" of "hf:acme/tiny:Q4_0", "hf" of both. */
static bool begins_key(const char *word, size_t len, const char *key) {
    return strncasecmp(word, key, len) == 0 && (!key[len] || key[len] == ':' || key[len] == '/');
}

static bool is_meant(const char *word, size_t len, const struct auto_candidate *model) {
    for (size_t i = 0; i < sizeof providers / sizeof providers[0]; i++) {
        const char *source = providers[i].source;
        if (!same_word(word, len, providers[i].word))
            continue;
        if (*source ? begins_key(source, strlen(source), model->key) : model->state != STATE_REMOTE)
            return true;
    }
    return begins_key(word, len, model->key) || same_word(word, len, model->category) ||
           (same_word(word, len, "code") && auto_is_coder(model));
}

/* Its place in the list, from 1; 0: it is not in it. */
static int find_preference(const char *list, const struct auto_candidate *model) {
    static const char between[] = ", \t\n";
    int place = 1;
    for (list += strspn(list, between); *list; list += strspn(list, between), place++) {
        size_t len = strcspn(list, between);
        if (is_meant(list, len, model))
            return place;
        list += len;
    }
    return 0;
}

/* ---- points */

enum {
    FOR_DEFAULT = 1000,
    FOR_PREFERENCE = 800, /* the first; each that follows less … */
    A_PLACE_LESS = 40,
    PLACES_MOST = 10, /* … down to here */
    FOR_CODER = 300,
    FOR_LOADED = 200,
    FOR_LOADING = 100,
    SMALL_PARAMETERS = 125000000, /* each doubling of these is worth … */
    FOR_SIZE_MOST = 90,
    FOR_DOUBLE_SIZE = 10,
    A_WAITING_ONE = -10,
    WAITING_MOST = 15,
    NOT_HERE = -50,
    CODER_FOR_WORDS = -100,
    NOT_SURE = -150,
    FAILED_LAST = -500,
};

static void add_size(const struct auto_candidate *model, struct auto_verdict *verdict) {
    int points = 0;
    for (uint64_t size = model->parameters; size >= 2 * SMALL_PARAMETERS && points < FOR_SIZE_MOST; size /= 2)
        points += FOR_DOUBLE_SIZE;
    if (points)
        add(verdict, points, "%.1fB", (double)model->parameters / 1e9);
}

static void add_seat(const struct auto_candidate *model, struct auto_verdict *verdict) {
    int queue = model->queue < WAITING_MOST ? (int)model->queue : WAITING_MOST;
    if (model->seat == SEAT_READY)
        add(verdict, FOR_LOADED, "loaded");
    else if (model->seat == SEAT_STARTING)
        add(verdict, FOR_LOADING, "loading");
    if (queue)
        add(verdict, queue * A_WAITING_ONE, "%u asked", model->queue);
    if (model->state == STATE_REMOTE)
        add(verdict, NOT_HERE, "elsewhere");
    if (model->failed && model->seat != SEAT_READY)
        add(verdict, FAILED_LAST, "failed last");
}

static void weigh(const struct auto_limits *limits, const struct auto_candidate *model, bool sure,
    struct auto_verdict *verdict) {
    int place = find_preference(limits->preferred, model);
    int less = (place < PLACES_MOST ? place - 1 : PLACES_MOST) * A_PLACE_LESS;
    if (model->is_default)
        add(verdict, FOR_DEFAULT, "default");
    if (place)
        add(verdict, FOR_PREFERENCE - less, "preferred");
    if (auto_is_coder(model) && limits->task == AUTO_CODE)
        add(verdict, FOR_CODER, "for code");
    if (auto_is_coder(model) && limits->task == AUTO_CHAT)
        add(verdict, CODER_FOR_WORDS, "for code");
    if (!sure)
        add(verdict, NOT_SURE, "of unknown kind");
    add_seat(model, verdict);
    add_size(model, verdict);
    if (!*verdict->why)
        add(verdict, 0, "it can");
}

bool auto_is_better(const struct auto_candidate *a, const struct auto_verdict *of_a,
    const struct auto_candidate *b, const struct auto_verdict *of_b) {
    if (of_a->standing != of_b->standing)
        return of_a->standing > of_b->standing;
    if (of_a->points != of_b->points)
        return of_a->points > of_b->points;
    if (of_a->standing == AUTO_LATER && a->missing_bytes != b->missing_bytes)
        return a->missing_bytes < b->missing_bytes;
    if (a->need_bytes != b->need_bytes)
        return a->need_bytes < b->need_bytes;
    return strcmp(a->key, b->key) < 0;
}

/* ---- when nothing fits */

/* Of those that one thing keeps out, the one that is nearest. */
static const struct auto_candidate *nearest(const struct auto_candidate *candidates, const enum out *outs,
    size_t count, enum out out) {
    const struct auto_candidate *best = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct auto_candidate *one = &candidates[i];
        uint64_t bytes = out == OUT_FETCH ? one->missing_bytes : one->need_bytes;
        uint64_t least = !best ? 0 : out == OUT_FETCH ? best->missing_bytes : best->need_bytes;
        if (outs[i] == out && (!best || bytes < least || (bytes == least && strcmp(one->key, best->key) < 0)))
            best = one;
    }
    return best;
}

static int refuse(const struct auto_limits *limits, const struct auto_candidate *candidates,
    const enum out *outs, size_t count, struct reason *reason) {
    char bytes[HUMAN_SIZE], room[HUMAN_SIZE];
    const char *pull = *limits->suggestion ? limits->suggestion : "KEY";
    const struct auto_candidate *best = nearest(candidates, outs, count, OUT_FETCH);
    if (best)
        return err_because(reason, -ENOENT,
            "no model that could %s is here; %s would do, %s of it are missing: `weightfs pull %s`%s",
            wants[limits->task], best->key, human_bytes(bytes, best->missing_bytes), best->key,
            limits->lazy ? ", or a larger auto_fetch" : "");
    best = nearest(candidates, outs, count, OUT_MEMORY);
    if (best)
        return err_because(reason, -ENOMEM,
            "no model that could %s fits into memory: %s takes %s, %s are free; `weightfs pull %s` fetches "
            "a smaller one",
            wants[limits->task], best->key, human_bytes(bytes, best->need_bytes),
            human_bytes(room, limits->memory_bytes), pull);
    best = nearest(candidates, outs, count, OUT_ENGINE);
    if (best)
        return err_because(reason, -ENOENT,
            "no engine here loads a model that could %s (%s could); install llama-server, or pull a GGUF "
            "model: `weightfs pull %s`",
            wants[limits->task], best->key, pull);
    best = nearest(candidates, outs, count, OUT_STATE);
    if (best)
        return err_because(reason, -ENOENT, "no model that could %s may be used now; its status says why: %s",
            wants[limits->task], best->key);
    return err_because(reason, count ? -EOPNOTSUPP : -ENOENT,
        "no model here can %s: `weightfs pull %s` fetches one (catalogue.json lists some)",
        wants[limits->task], pull);
}

int auto_choose(const struct auto_limits *limits, const struct auto_candidate *candidates, size_t count,
    struct auto_verdict *ret_verdicts, size_t *ret_index, struct reason *reason) {
    enum out *outs = mem_array(count + 1, sizeof *outs);
    size_t best = 0;
    for (size_t i = 0; i < count; i++) {
        bool sure;
        unsigned can = auto_can(&candidates[i], &sure);
        ret_verdicts[i] = (struct auto_verdict){.standing = AUTO_OUT};
        outs[i] = judge(limits, &candidates[i], can, &ret_verdicts[i]);
        if (outs[i] == OUT_NOT) {
            ret_verdicts[i].standing = is_here(&candidates[i]) ? AUTO_FITS : AUTO_LATER;
            weigh(limits, &candidates[i], sure, &ret_verdicts[i]);
        }
        if (auto_is_better(&candidates[i], &ret_verdicts[i], &candidates[best], &ret_verdicts[best]))
            best = i;
    }
    bool found = count && ret_verdicts[best].standing != AUTO_OUT;
    int error = found ? 0 : refuse(limits, candidates, outs, count, reason);
    free(outs);
    if (found)
        *ret_index = best;
    return error;
}
