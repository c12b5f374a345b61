/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/llama.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "infer/child_engine.h"
#include "infer/llama_flags.h"
#include "infer/llama_words.h"

static void note(void *words, const char *line) {
    llama_words_note(words, line);
}

static int judge(const void *words, const char *name, int code, struct reason *reason) {
    (void)name;
    return llama_words_judge(words, code, reason);
}

static const struct child_words words = {sizeof(struct llama_words), note, judge};

/* Of memory of its own, in bytes. */
static uint64_t memory_limit(const struct engine_start *start) {
    int64_t limit = engine_number(start, "engine_memory_bytes");
    return limit ? (uint64_t)limit : (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int llama_start(const struct engine_start *start, struct engine_instance **ret_instance,
    struct reason *reason) {
    struct child_start child = {.name = "llama-server",
        .words = &words,
        .endpoint = {.url = "http://localhost/v1"},
        .health = "http://localhost/health"};
    char program[PATH_MAX], folder[PATH_MAX], home[PATH_MAX + sizeof "HOME="];
    child.endpoint.can = llama_can(start);
    (void)snprintf(child.endpoint.model, sizeof child.endpoint.model, "%s", start->model.key);
    int len = snprintf(child.endpoint.unix_socket, ENGINE_SOCKET_SIZE, "%s/llama.sock", start->folder);
    if (len >= ENGINE_SOCKET_SIZE || child_home(start, folder, sizeof folder) < 0)
        return err_because(reason, -ENAMETOOLONG, "%s is too long for a socket's address", start->folder);
    int error = llama_find(start->options, program, reason);
    if (!error)
        error = child_fill_folder(start, true, reason);
    if (error)
        return error;
    (void)snprintf(home, sizeof home, "HOME=%s", folder);
    struct command_line line = {.text = BUF_INIT};
    command_line_add(&line, "%s", program);
    llama_flags_add(&line, start, child.endpoint.unix_socket);
    command_line_end(&line);
    const char *const environment_of[] = {"PATH=/usr/local/bin:/usr/bin:/bin", home, "LC_ALL=C.UTF-8",
        "GGML_NO_BACKTRACE=1", /* else it calls a debugger when it crashes */
        NULL};
    child.description = (struct service_description){.arguments = line.array,
        .environment = environment_of,
        .folder = folder,
        .memory_limit = memory_limit(start)};
    error = child_engine_start(start, &child, ret_instance, reason);
    buf_done(&line.text);
    return error;
}

/* Shards are numbered -00001-of-0000N: the first is the one to load. */
static bool can_load(const struct engine_model *model, const struct options *given) {
    (void)given;
    size_t len = model->file_count ? strlen(model->files[0].name) : 0;
    return len > 5 && strcasecmp(model->files[0].name + len - 5, ".gguf") == 0;
}

static int find(const struct options *given, char *to, size_t size, struct reason *reason) {
    char program[PATH_MAX];
    int error = llama_find(given, program, reason);
    return error < 0 ? error : text_copy(to, size, program);
}

const struct engine llama_engine = {
    .name = "llama",
    .help = "GGUF models, by a llama-server of llama.cpp for each",
    .options = llama_options,
    .needs_files = true,
    .find = find,
    .can_load = can_load,
    .start = llama_start,
    .stop = child_engine_stop,
    .free = child_engine_free,
    .process = child_engine_process,
};
