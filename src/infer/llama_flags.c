/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/llama_flags.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/option_parse.h"
#include "infer/kind.h"
#include "model/device.h"
#include "model/variant.h"

#define CACHE_TYPES    "f32|f16|bf16|q8_0|q5_1|q5_0|q4_1|q4_0|iq4_nl"
#define ARGUMENTS_MOST 32
#define EMBED_MOST     8192 /* tokens of one text: a batch takes memory */

const struct option_row llama_options[] = {
    {.name = "llama_server",
        .type = OPTION_TEXT,
        .environment = "LLAMA_SERVER",
        .guarded = true, /* it is run as us */
        .help = "path of llama-server, the engine for GGUF models; without one it is looked for on PATH"},
    {.name = "llama_arguments",
        .type = OPTION_TEXT,
        .guarded = true,
        .fits = llama_arguments_fit,
        .wanted =
            "words for llama-server divided by spaces, without those that weightfs gives (model, socket, "
            "keys, folders)",
        .help = "more words for llama-server's command line, as `--flash-attn on`"},
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
        .help = "questions that a loaded model answers at once; each has a context of its own"},
    {.name = "threads",
        .type = OPTION_NUMBER,
        .value = "0",
        .least = 0,
        .most = 1024,
        .help = "threads that an engine computes with; 0: as it thinks best"},
    {.name = "gpu_layers",
        .type = OPTION_NUMBER,
        .value = "-1",
        .least = -1,
        .most = 10000,
        .help = "layers of a model that are held by the GPU; -1: as many as fit"},
    {.name = "device",
        .type = OPTION_TEXT,
        .value = "auto",
        .fits = device_fits,
        .wanted = DEVICE_WANTED,
        .help = "what a model computes on: " DEVICE_WANTED},
    {.name = "cache_type_k",
        .type = OPTION_WORD,
        .value = "f16",
        .words = CACHE_TYPES,
        .help =
            "numbers that the keys of a context are kept in; smaller ones hold more tokens, less exactly"},
    {.name = "cache_type_v",
        .type = OPTION_WORD,
        .value = "f16",
        .words = CACHE_TYPES,
        .help = "numbers that the values of a context are kept in"},
    {.name = "engine_memory_bytes",
        .type = OPTION_BYTES,
        .value = "0",
        .least = 0,
        .most = INT64_MAX,
        .help = "memory of its own that an engine may take, mapped weights not counted; 0: as much as the "
                "machine has"},
    {.name = NULL},
};

/* ---- the program */

int llama_find(const struct options *given, char to[static PATH_MAX], struct reason *reason) {
    if (options_text(given, "llama_server", to, PATH_MAX))
        return access(to, X_OK) == 0 ? 0
                                     : err_because(reason, -errno, "llama_server=%s can't be run: %s", to,
                                           err_sentence(-errno));
    const char *path = environment("PATH");
    for (const char *at = path ? path : "/usr/local/bin:/usr/bin:/bin"; *at;) {
        size_t len = strcspn(at, ":");
        if (len && snprintf(to, PATH_MAX, "%.*s/llama-server", (int)len, at) < PATH_MAX &&
            access(to, X_OK) == 0)
            return 0;
        at += len + (at[len] == ':');
    }
    return err_because(reason, -ENOENT,
        "there is no engine for it: install llama-server (package llama.cpp-tools), or name it in "
        "llama_server");
}

/* ---- words */

void command_line_add(struct command_line *line, const char *format, ...) {
    va_list args;
    line->offsets[line->count++] = line->text.len;
    va_start(args, format);
    (void)buf_vformat(&line->text, format, args); /* no limit */
    va_end(args);
    (void)buf_add(&line->text, "", 1);
}

void command_line_end(struct command_line *line) {
    for (size_t i = 0; i < line->count; i++)
        line->array[i] = line->text.data + line->offsets[i];
    line->array[line->count] = NULL;
}

static void add_number(struct command_line *line, const char *flag, int64_t number) {
    command_line_add(line, "%s", flag);
    command_line_add(line, "%" PRId64, number);
}

static void add_text(struct command_line *line, const char *flag, const char *text) {
    command_line_add(line, "%s", flag);
    command_line_add(line, "%s", text);
}

/* ---- the device */

static const char *const device_names[DEVICE_KIND_COUNT] = {
    [DEVICE_CUDA] = "CUDA",
    [DEVICE_ROCM] = "ROCm",
    [DEVICE_VULKAN] = "Vulkan",
    [DEVICE_SYCL] = "SYCL",
};

void llama_device(const char *device, struct buf *to) {
    enum device_kind kind;
    unsigned number, count = 0;
    if (strcmp(device, "cpu") == 0)
        (void)buf_text_add(to, "none");
    while (device_next(&device, &kind, &number))
        (void)buf_format(to, "%s%s%u", count++ ? "," : "", device_names[kind], number);
}

static void add_device(struct command_line *line, const struct engine_start *start) {
    char device[OPTION_TEXT_SIZE];
    BUF_CLEANUP struct buf name = BUF_INIT;
    (void)engine_text(start, "device", device, sizeof device);
    llama_device(device, &name);
    if (name.len)
        add_text(line, "--device", buf_text(&name));
}

/* ---- words of the user's own */

/* What is ours to give, or would make it another program: serve elsewhere, read other files, run tools. */
static const char *const refused[] = {"-m", "--model", "-mu", "--model-url", "-hf", "-hfr", "--hf-repo",
    "-hff", "--hf-file", "-hft", "--hf-token", "-dr", "--docker-repo", "--models-dir", "--models-preset",
    "--host", "--port", "--reuse-port", "--path", "--api-prefix", "--api-key", "--api-key-file",
    "--ssl-key-file", "--ssl-cert-file", "-a", "--alias", "-h", "--help", "--version", "--list-devices",
    "--tools", "-np", "--parallel", "--log-file", "--log-disable", "--slot-save-path", "--media-path"};

static bool is_refused(const char *word, size_t len) {
    len = (size_t)((const char *)memchr(word, '=', len) ? strcspn(word, "=") : len);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (strlen(refused[i]) == len && strncmp(refused[i], word, len) == 0)
            return true;
    return false;
}

bool llama_arguments_fit(const char *text) {
    size_t count = 0;
    for (const char *at = text + strspn(text, " "); *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        if (is_refused(at, len) || (!count && *at != '-') || ++count > ARGUMENTS_MOST)
            return false;
        at += len;
    }
    return true;
}

static void add_own(struct command_line *line, const struct engine_start *start) {
    char text[OPTION_TEXT_SIZE];
    if (!engine_text(start, "llama_arguments", text, sizeof text))
        return;
    for (const char *at = text + strspn(text, " "); *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        command_line_add(line, "%.*s", (int)len, at);
        at += len;
    }
}

/* ---- all of them */

const char *llama_link_name(const struct engine_file *file) {
    const char *slash = strrchr(file->name, '/');
    return slash ? slash + 1 : file->name;
}

static const char *find_projector(const struct engine_start *start) {
    for (size_t i = 1; i < start->model.file_count; i++)
        if (variant_is_projector(start->model.files[i].name))
            return llama_link_name(&start->model.files[i]);
    return NULL;
}

unsigned llama_can(const struct engine_start *start) {
    const struct kind_row *kind = kind_of(start->model.category);
    if (kind && kind->can == ENGINE_EMBED)
        return ENGINE_EMBED;
    return ENGINE_CHAT | ENGINE_COMPLETE | (find_projector(start) ? ENGINE_VISION : 0);
}

/* An embedding takes its text in one batch. With --embeddings a model whose file names no pooling crashes at
 * the first chat: so it is for those models alone. */
static void add_batch(struct command_line *line, const struct engine_start *start) {
    int64_t tokens = engine_number(start, "context_tokens");
    if (llama_can(start) != ENGINE_EMBED) {
        add_number(line, "-b", 512); /* what is cancelled ends with a batch */
        return;
    }
    command_line_add(line, "--embeddings");
    add_number(line, "-b", tokens < EMBED_MOST ? tokens : EMBED_MOST);
    add_number(line, "-ub", tokens < EMBED_MOST ? tokens : EMBED_MOST);
}

static void add_cache_type(struct command_line *line, const struct engine_start *start, const char *name,
    const char *flag) {
    char type[OPTION_TEXT_SIZE];
    (void)engine_text(start, name, type, sizeof type);
    if (strcmp(type, "f16") != 0) /* its own default */
        add_text(line, flag, type);
}

void llama_flags_add(struct command_line *line, const struct engine_start *start, const char *socket) {
    int64_t slots = engine_number(start, "slots"), threads = engine_number(start, "threads");
    int64_t layers = engine_number(start, "gpu_layers");
    const char *projector = find_projector(start);
    command_line_add(line, "-m");
    command_line_add(line, "%s/files/%s", start->folder, llama_link_name(&start->model.files[0]));
    add_text(line, "--host", socket);
    add_text(line, "--alias", start->model.key); /* exactly one: of several it shows which it likes */
    command_line_add(line, "--offline");
    command_line_add(line, "--no-webui");
    add_number(line, "-c", engine_number(start, "context_tokens") * slots); /* it divides by the slots */
    add_number(line, "-np", slots);
    command_line_add(line, "--no-kv-unified"); /* else the slots fight for one context, and all lose */
    add_number(line, "--cache-ram", 0);        /* else it takes gigabytes for old prompts */
    add_batch(line, start);
    if (threads)
        add_number(line, "-t", threads);
    if (layers >= 0)
        add_number(line, "-ngl", layers);
    add_device(line, start);
    add_cache_type(line, start, "cache_type_k", "--cache-type-k");
    add_cache_type(line, start, "cache_type_v", "--cache-type-v");
    if (projector) {
        command_line_add(line, "--mmproj");
        command_line_add(line, "%s/files/%s", start->folder, projector);
    }
    add_own(line, start);
}
