/* SPDX-License-Identifier: Apache-2.0 */
/* llama-server's words when it fails, and its command line */
#include <errno.h>

#include "check.h"
#include "infer/llama_flags.h"
#include "infer/llama_words.h"
#include "model/device.h"

static void lines_of_a_log(void) {
    bool is_error = false;
    CHECK_TEXT(llama_line("0.00.318.522 E srv  load: it broke", &is_error), "srv  load: it broke");
    CHECK(is_error);
    CHECK_TEXT(llama_line("0.00.318.522 I slot get: fine", &is_error), "slot get: fine");
    CHECK(!is_error);
    CHECK_TEXT(llama_line("error: invalid argument: --x", &is_error), "error: invalid argument: --x");
    CHECK(is_error);
    CHECK_TEXT(llama_line("", &is_error), "");
    CHECK(!is_error);
}

static void how_it_failed(void) {
    static const struct {
        const char *lines[4];
        int code, error;
        const char *sentence;
    } rows[] = {
        {{NULL}, 1, -EIO, "llama-server ended with 1 and without a word"},
        {{"0.00.001.000 I srv load: loading", NULL}, 1, -EIO, "llama-server ended with 1: srv load: loading"},
        {{"0.00.001.000 I srv load: loading", "0.00.002.000 E srv load: first", "0.00.003.000 E srv end",
             NULL},
            1, -EIO, "llama-server ended with 1: srv load: first"},
        {{"0.00.001.000 E srv load: first",
             "0.00.002.000 E llama_model_load: unknown model architecture: 'zlama'",
             "0.00.003.000 E gguf: invalid magic characters", NULL},
            1, -EOPNOTSUPP,
            "llama-server ended: this llama-server does not know the model's architecture; a newer one may: "
            "llama_model_load: unknown model architecture: 'zlama'"},
        {{"0.00.001.000 W ggml: failed to allocate, trying less", "0.00.002.000 E srv load: other", NULL}, 1,
            -EIO, "llama-server ended with 1: srv load: other"},
        {{"terminate called after throwing an instance of 'std::bad_alloc'", NULL}, 134, -ENOMEM,
            "llama-server ended: it has not enough memory (engine_memory_bytes is its limit): terminate "
            "called "
            "after throwing an instance of 'std::bad_alloc'"},
        {{NULL}, 137, -ENOMEM,
            "llama-server was ended by signal 9: it was killed, as the kernel does when the machine's memory "
            "runs out"},
        {{"0.00.001.000 I srv load: loading", NULL}, 139, -EIO,
            "llama-server was ended by signal 11; its last words: srv load: loading"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct llama_words words = {0};
        struct reason reason = {""};
        for (const char *const *line = rows[i].lines; *line; line++)
            llama_words_note(&words, *line);
        CHECK_ERROR(llama_words_judge(&words, rows[i].code, &reason), rows[i].error);
        CHECK_TEXT(reason.text, rows[i].sentence);
    }
}

static void devices(void) {
    static const struct {
        const char *text, *flag; /* NULL: refused */
    } rows[] = {
        {"auto", ""},
        {"cpu", "none"},
        {"cuda:0", "CUDA0"},
        {"rocm:1", "ROCm1"},
        {"sycl:63", "SYCL63"},
        {"cuda:0,vulkan:12", "CUDA0,Vulkan12"},
        {"", NULL},
        {"cuda", NULL},
        {"cuda:", NULL},
        {"cuda:x", NULL},
        {"cuda:00", NULL},
        {"cuda:64", NULL},
        {"cuda:100", NULL},
        {"cuda:0,", NULL},
        {"cuda:0,cpu", NULL},
        {"CUDA0", NULL},
        {"gpu", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf flag BUF_CLEANUP = BUF_INIT;
        CHECK(device_fits(rows[i].text) == (rows[i].flag != NULL));
        if (!rows[i].flag)
            continue;
        llama_device(rows[i].text, &flag);
        CHECK_TEXT(buf_text(&flag), rows[i].flag);
    }
}

static void words_of_ones_own(void) {
    static const struct {
        const char *text;
        bool fits;
    } rows[] = {
        {"", true},
        {"--flash-attn on", true},
        {"  --flash-attn  on  ", true},
        {"on", false},
        {"-m /etc/passwd", false},
        {"--flash-attn on --host 0.0.0.0", false},
        {"--host=0.0.0.0", false},
        {"--api-key-file /x", false},
        {"--hostile", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK(llama_arguments_fit(rows[i].text) == rows[i].fits);
}

/* What llama-server is started with, in one line. */
static void command_line_is(const char *category, const char *const *settings, const char *wanted) {
    static const struct option_row *const tables[] = {llama_options, NULL};
    static const struct engine_file files[] = {{.name = "Q4/m-00001-of-00002.gguf"},
        {.name = "Q4/m-00002-of-00002.gguf"}, {.name = "mmproj-f16.gguf"}};
    static const struct option_row *const no_tables[] = {NULL};
    struct options *options = options_new(tables), *none = options_new(no_tables);
    struct reason reason = {""};
    for (; *settings; settings += 2)
        CHECK_OK(options_set(options, settings[0], settings[1], "the test", &reason));
    const struct engine_start start =
        {.model = {.key = "hf:a/b", .category = category, .files = files, .file_count = 3},
            .folder = "/run/7",
            .options = options,
            .model_options = none};
    struct command_line line = {.text = BUF_INIT};
    struct buf all BUF_CLEANUP = BUF_INIT;
    llama_flags_add(&line, &start, "/run/7/llama.sock");
    command_line_end(&line);
    for (size_t i = 0; i < line.count; i++)
        CHECK_OK(buf_format(&all, "%s%s", i ? " " : "", line.array[i]));
    CHECK(!line.array[line.count]);
    CHECK_TEXT(buf_text(&all), wanted);
    buf_done(&line.text);
    options_free(options);
    options_free(none);
}

static void command_lines(void) {
    command_line_is("llm", (const char *const[]){NULL},
        "-m /run/7/files/m-00001-of-00002.gguf --host /run/7/llama.sock --alias hf:a/b --offline --no-webui "
        "-c 4096 -np 1 --no-kv-unified --cache-ram 0 -b 512 --mmproj /run/7/files/mmproj-f16.gguf");
    command_line_is("llm",
        (const char *const[]){"slots", "4", "context_tokens", "1024", "threads", "3", "gpu_layers", "0",
            "device", "cuda:1", "cache_type_k", "q8_0", "cache_type_v", "q4_0", "llama_arguments",
            " --flash-attn  on ", NULL},
        "-m /run/7/files/m-00001-of-00002.gguf --host /run/7/llama.sock --alias hf:a/b --offline --no-webui "
        "-c 4096 -np 4 --no-kv-unified --cache-ram 0 -b 512 -t 3 -ngl 0 --device CUDA1 --cache-type-k q8_0 "
        "--cache-type-v q4_0 --mmproj /run/7/files/mmproj-f16.gguf --flash-attn on");
    command_line_is("embedding", (const char *const[]){"context_tokens", "2048", NULL},
        "-m /run/7/files/m-00001-of-00002.gguf --host /run/7/llama.sock --alias hf:a/b --offline --no-webui "
        "-c 2048 -np 1 --no-kv-unified --cache-ram 0 --embeddings -b 2048 -ub 2048 "
        "--mmproj /run/7/files/mmproj-f16.gguf");
}

int main(void) {
    lines_of_a_log();
    how_it_failed();
    devices();
    words_of_ones_own();
    command_lines();
    return check_result();
}
