/* SPDX-License-Identifier: Apache-2.0 */
#include "manage/setting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/internal.h"
#include "manage/known.h"
#include "manage/setting_inside.h"
#include "model/catalog_setting.h"
#include "model/device.h"

const struct option_row model_settings[] = {
    {.name = "type",
        .type = OPTION_WORD,
        .value = "auto",
        .words =
            "auto|llm|vision|multimodal|speech|embedding|caption|detection|diffusion|diffusion-lm|reranker|"
            "tagger|other",
        .help = "what kind of model it is; auto: as the catalogue of models or its own files say"},
    {.name = "variant",
        .type = OPTION_TEXT,
        .help = "the variant that a pull without one takes (`cat plan` lists them); unset: the usual choice"},
    {.name = "auto_update",
        .type = OPTION_WORD,
        .value = "off",
        .words = "off|check|daily",
        .help = "check: `status` tells once a day whether there is a newer revision; daily: goes to it"},
    {.name = "keep_revisions",
        .type = OPTION_NUMBER,
        .value = "2",
        .least = 1,
        .most = 1000,
        .help = "how many revisions are kept under revisions/, the one that is shown counted"},
    {.name = "limit_rate",
        .type = OPTION_BYTES,
        .value = "0",
        .least = 0,
        .most = INT64_MAX,
        .help =
            "bytes a second (10M) that pulls of the model may fetch; who reads is not held back by it; 0: no "
            "limit but that of the whole"},
    {.name = "unsafe_formats",
        .type = OPTION_WORD,
        .value = "warn",
        .words = "warn|refuse",
        .help = "files that can run code when they are loaded: warn, or refuse to open them unless nothing "
                "dangerous was found in them"},
    {.name = "template",
        .type = OPTION_WORD,
        .value = "auto",
        .words =
            "auto|none|chatml|llama2|llama2-sys|llama3|llama4|mistral-v1|mistral-v3|mistral-v3-tekken|"
            "mistral-v7|mistral-v7-tekken|zephyr|zephyr-endoftext|gemma|gemma4|phi3|phi4|falcon|falcon3|"
            "vicuna|vicuna-orca|deepseek|deepseek2|deepseek3|command-r|granite|openchat|chatglm4|exaone3",
        .help =
            "for engines without chat: whose texts a prompt is put into; auto: as the model's files or its "
            "name tell; none: the prompt is sent as it is"},
    /* Of engines. Those of the same name of the whole lie beneath; types and ranges are theirs. */
    {.name = "engine",
        .type = OPTION_TEXT,
        .help = "the engine that loads the model (`llama` …); unset: the first one that can"},
    {.name = "context_tokens",
        .type = OPTION_NUMBER,
        .value = "4096",
        .least = 128,
        .most = 16777216,
        .help = "tokens that a slot's context holds (a model's own limit may be lower)"},
    {.name = "slots",
        .type = OPTION_NUMBER,
        .value = "1",
        .least = 1,
        .most = 64,
        .help = "questions that the model answers at once when it is loaded; each has a context of its own"},
    {.name = "threads",
        .type = OPTION_NUMBER,
        .value = "0",
        .least = 0,
        .most = 1024,
        .help = "threads that its engine computes with; 0: as it thinks best"},
    {.name = "gpu_layers",
        .type = OPTION_NUMBER,
        .value = "-1",
        .least = -1,
        .most = 10000,
        .help = "layers of it that are held by the GPU; -1: as many as fit"},
    {.name = "device",
        .type = OPTION_TEXT,
        .value = "auto",
        .fits = device_fits,
        .wanted = DEVICE_WANTED,
        .help = "what it computes on: " DEVICE_WANTED},
    {.name = "cache_type_k",
        .type = OPTION_WORD,
        .value = "f16",
        .words = "f16|f32|bf16|q8_0|q5_1|q5_0|q4_1|q4_0|iq4_nl",
        .help = "numbers that the keys of its context are kept in; smaller ones hold more, less exactly"},
    {.name = "cache_type_v",
        .type = OPTION_WORD,
        .value = "f16",
        .words = "f16|f32|bf16|q8_0|q5_1|q5_0|q4_1|q4_0|iq4_nl",
        .help = "numbers that the values of its context are kept in"},
    {.name = "engine_memory_bytes",
        .type = OPTION_BYTES,
        .value = "0",
        .least = 0,
        .most = INT64_MAX,
        .help = "memory of its own that its engine may take, mapped weights not counted; 0: as much as the "
                "machine has"},
    {.name = "load",
        .type = OPTION_WORD,
        .value = "complete",
        .words = "complete|stream",
        .help =
            "complete: its engine starts when all of it is here; stream: at once, and reads the mount while "
            "the rest arrives"},
    {.name = "keep_alive_s",
        .type = OPTION_NUMBER,
        .value = "300",
        .least = -1,
        .most = 31536000,
        .help = "seconds without a question after which it is unloaded; -1: never"},
    {.name = "preload",
        .type = OPTION_BOOL,
        .value = "off",
        .help = "load it when the mount begins, as far as there is room"},
    {.name = NULL},
};

/* ---- the rows of a model ---- */

/* The settings that the model's entry in the registry declares, and what they live in. */
struct entry_rows {
    struct registry *registry;
    struct option_row *rows; /* ended by one without a name */
};

static void entry_rows_let_go(void *held) {
    struct entry_rows *entry_rows = held;
    registry_unref(entry_rows->registry);
    free(entry_rows->rows);
    free(entry_rows);
}

static bool is_of_all_models(const char *name) {
    for (const struct option_row *row = model_settings; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return true;
    return false;
}

/* NULL: it declares none. What all models have already is ours. */
static struct entry_rows *entry_rows_new(struct manage *manage, const struct catalog_model *model) {
    struct registry *registry REGISTRY_CLEANUP = manage_registry(manage);
    const struct registry_entry *entry = registry_of_model(registry, model->source, model->name);
    if (!entry || !entry->settings->name)
        return NULL;
    struct entry_rows *entry_rows = mem_new(sizeof *entry_rows);
    entry_rows->rows = mem_array(REGISTRY_SETTINGS_MOST + 1, sizeof *entry_rows->rows);
    entry_rows->registry = registry_ref(registry);
    size_t count = 0;
    for (const struct option_row *row = entry->settings; row->name; row++)
        if (!is_of_all_models(row->name))
            entry_rows->rows[count++] = *row;
    return entry_rows;
}

static void put_kept(void *context, const char *name, const char *value) {
    struct options *options = context;
    struct reason reason = {""};
    if (options_put(options, OPTION_CONFIG, name, value, SETTING_ORIGIN, &reason) < 0)
        trace(catalog, "a setting that is kept is passed over: %s", reason.text);
}

/* The options of the whole that have the same names lie beneath. */
static void put_beneath(struct options *options, const struct options *whole) {
    const struct option_row *row;
    for (size_t index = 0; (row = options_row(options, index)); index++) {
        char value[CATALOG_VALUE_SIZE], origin[512], shown[600];
        size_t at;
        if (options_find(whole, row->name, "", &at, NULL) < 0)
            continue;
        options_show(whole, at, value, sizeof value, origin, sizeof origin);
        (void)snprintf(shown, sizeof shown, "all models: %s", origin);
        if (*value && options_put(options, OPTION_FILE, row->name, value, shown, NULL) < 0)
            trace(catalog, "%s of the whole has another type than that of models", row->name);
    }
}

struct options *model_options_new(struct manage *manage, const struct catalog_model *model) {
    struct entry_rows *entry = entry_rows_new(manage, model);
    struct options *options =
        options_new((const struct option_row *const[]){model_settings, entry ? entry->rows : NULL, NULL});
    if (entry)
        options_hold(options, entry, entry_rows_let_go);
    put_beneath(options, manage->settings.options);
    if (catalog_each_setting(manage->settings.catalog, model->id, put_kept, options) < 0)
        log_warning("%s:%s: its settings can't be read from the catalogue", model->source, model->name);
    return options;
}

bool model_setting_text(struct manage *manage, const struct catalog_model *model, const char *name, char *to,
    size_t size) {
    struct options *options = model_options_new(manage, model);
    bool is_set = options_text(options, name, to, size);
    options_free(options);
    return is_set;
}

int64_t model_setting_number(struct manage *manage, const struct catalog_model *model, const char *name) {
    struct options *options = model_options_new(manage, model);
    int64_t number = options_number(options, name);
    options_free(options);
    return number;
}

bool model_setting_bool(struct manage *manage, const struct catalog_model *model, const char *name) {
    struct options *options = model_options_new(manage, model);
    bool on = options_bool(options, name);
    options_free(options);
    return on;
}

double model_setting_real(struct manage *manage, const struct catalog_model *model, const char *name) {
    struct options *options = model_options_new(manage, model);
    double real = options_real(options, name);
    options_free(options);
    return real;
}

/* ---- the whole, at the start ---- */

static void recall(void *context, const char *name, const char *value) {
    struct options *options = context;
    struct reason reason = {""};
    if (options_put(options, OPTION_CONFIG, name, value, SETTING_ORIGIN, &reason) < 0)
        log_warning("a setting that is kept is passed over: %s", reason.text);
}

int settings_recall(struct options *options, const char *path, struct reason *reason) {
    if (!options_bool(options, "kept_settings"))
        return 0;
    return catalog_peek_settings(path, recall, options, reason);
}

int settings_take_up(struct manage *manage) {
    struct options *options = manage->settings.options;
    int result = 0;
    if (options_bool(options, "kept_settings"))
        result = catalog_each_setting(manage->settings.catalog, 0, recall, options);
    options_started(options);
    http_loop_set_offline(manage->settings.http, options_bool(options, "offline"));
    return result;
}
