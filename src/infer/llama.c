/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/llama.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/path.h"
#include "infer/llama_flags.h"
#include "infer/llama_words.h"
#include "outside/child_service.h"
#include "outside/http.h"

#define POLL_MS      25   /* how soon it is asked again whether it answers … */
#define POLL_MOST_MS 250  /* … and how late */
#define ASK_MS       5000 /* /health is quick, or the server hangs */
#define PATIENCE_MS  2000 /* between the signals that end it */

struct engine_instance {
    struct engine_events events;
    struct service *service;
    struct http_loop *loop;
    struct engine_endpoint endpoint;

    struct lock lock; /* QUEUE: the next five */
    bool ended;       /* the child */
    int code;         /* that it ended with */
    bool polling;     /* a question, its delay or its task is the loop's */
    bool is_ready, asked_to_end;
    struct llama_words words;

    struct http_task begin; /* loop thread, all of these */
    struct http_delay delay;
    struct http_request request;
    uint64_t poll_ms;
};

static void on_line(void *context, const char *line) {
    struct engine_instance *llama = context;
    lock_take(&llama->lock);
    llama_words_note(&llama->words, line);
    bool starting = !llama->is_ready;
    lock_drop(&llama->lock);
    trace(engine, "llama-server: %s", line);
    if (starting)
        llama->events.moved(llama->events.context);
}

/* ---- its end: told when the child has ended and the loop has nothing of ours any more */

static void tell_end(struct engine_instance *llama) {
    struct reason reason = {""};
    int error = 0;
    lock_take(&llama->lock);
    if (!llama->asked_to_end)
        error = llama_words_judge(&llama->words, llama->code, &reason);
    lock_drop(&llama->lock);
    llama->events.ended(llama->events.context, error, reason.text);
}

static void on_end(void *context, int code) {
    struct engine_instance *llama = context;
    lock_take(&llama->lock);
    llama->ended = true;
    llama->code = code;
    bool last = !llama->polling;
    lock_drop(&llama->lock);
    if (last)
        tell_end(llama);
}

/* The loop is done with us; true: so is the child. */
static bool leave_loop(struct engine_instance *llama) {
    LOCK_SCOPE(&llama->lock);
    llama->polling = false;
    return llama->ended;
}

/* ---- does it answer? (loop thread) */

static void ask(struct engine_instance *llama);

static bool is_over(struct engine_instance *llama) {
    LOCK_SCOPE(&llama->lock);
    return llama->ended;
}

static void ask_again(struct http_delay *delay) {
    ask(list_entry(delay, struct engine_instance, delay));
}

static void on_answer(struct http_request *request, int result) {
    struct engine_instance *llama = request->context;
    buf_done(&request->body);
    buf_done(&request->fields);
    free(request->last_url);
    bool ready = result == 0 && request->status == 200;
    if (!ready && !is_over(llama) && result != -ERR_CANCELLED) {
        llama->poll_ms = llama->poll_ms * 2 < POLL_MOST_MS ? llama->poll_ms * 2 : POLL_MOST_MS;
        http_delay_set(llama->loop, &llama->delay, llama->poll_ms);
        return;
    }
    if (ready) {
        lock_take(&llama->lock);
        llama->is_ready = true;
        llama->words = (struct llama_words){0}; /* what was an error did not keep it from starting */
        lock_drop(&llama->lock);
        llama->events.ready(llama->events.context, &llama->endpoint);
    }
    if (leave_loop(llama))
        tell_end(llama);
}

static void ask(struct engine_instance *llama) {
    if (is_over(llama)) {
        (void)leave_loop(llama);
        tell_end(llama);
        return;
    }
    llama->request = (struct http_request){.url = "http://localhost/health",
        .unix_socket = llama->endpoint.unix_socket,
        .deadline_ms = ASK_MS,
        .context = llama,
        .on_done = on_answer};
    http_start(llama->loop, &llama->request);
}

static void begin(struct http_task *task) {
    ask(list_entry(task, struct engine_instance, begin));
}

/* ---- its start */

static int fill_folder(const struct engine_start *start, struct reason *reason) {
    FD_CLEANUP int folder_fd = open(start->folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (folder_fd < 0 || mkdirat(folder_fd, "home", 0700) < 0 || mkdirat(folder_fd, "files", 0700) < 0)
        return err_because(reason, -errno, "%s: %s", start->folder, err_sentence(-errno));
    FD_CLEANUP int files_fd = openat(folder_fd, "files", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    for (size_t i = 0; files_fd >= 0 && i < start->model.file_count; i++)
        if (symlinkat(start->model.files[i].path, files_fd, llama_link_name(&start->model.files[i])) < 0)
            return err_because(reason, -errno, "%s/files/%s: %s", start->folder,
                llama_link_name(&start->model.files[i]), err_sentence(-errno));
    return files_fd < 0 ? err_because(reason, -errno, "%s/files: %s", start->folder, err_sentence(-errno))
                        : 0;
}

/* Of memory of its own, in bytes. */
static uint64_t memory_limit(const struct engine_start *start) {
    int64_t limit = engine_number(start, "engine_memory_bytes");
    return limit ? (uint64_t)limit : (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int spawn(struct engine_instance *llama, const struct engine_start *start, struct reason *reason) {
    char program[PATH_MAX], folder[PATH_MAX], home[PATH_MAX];
    int error = llama_find(start->options, program, reason);
    if (!error)
        error = fill_folder(start, reason);
    if (error)
        return error;
    (void)snprintf(folder, sizeof folder, "%s/home", start->folder);
    (void)snprintf(home, sizeof home, "HOME=%.*s", PATH_MAX - 8, folder);
    struct command_line line = {.text = BUF_INIT};
    command_line_add(&line, "%s", program);
    llama_flags_add(&line, start, llama->endpoint.unix_socket);
    command_line_end(&line);
    const char *const environment_of[] = {"PATH=/usr/local/bin:/usr/bin:/bin", home, "LC_ALL=C.UTF-8",
        "GGML_NO_BACKTRACE=1", /* else it calls a debugger when it crashes */
        NULL};
    const struct service_description description = {.arguments = line.array,
        .environment = environment_of,
        .folder = folder,
        .memory_limit = memory_limit(start),
        .on_line = on_line,
        .on_end = on_end,
        .context = llama};
    error = service_start(&description, &llama->service, reason);
    buf_done(&line.text);
    return error;
}

static int llama_start(const struct engine_start *start, struct engine_instance **ret_instance,
    struct reason *reason) {
    struct engine_instance *llama = mem_new(sizeof *llama);
    lock_init(&llama->lock, LOCK_QUEUE);
    llama->events = start->events;
    llama->loop = start->loop;
    llama->begin.run = begin;
    llama->delay.run = ask_again;
    llama->poll_ms = POLL_MS;
    llama->polling = true;
    (void)text_copy(llama->endpoint.url, sizeof llama->endpoint.url, "http://localhost/v1");
    (void)snprintf(llama->endpoint.model, sizeof llama->endpoint.model, "%s", start->model.key);
    int len = snprintf(llama->endpoint.unix_socket, ENGINE_SOCKET_SIZE, "%s/llama.sock", start->folder);
    int error = len < ENGINE_SOCKET_SIZE ? spawn(llama, start, reason)
                                         : err_because(reason, -ENAMETOOLONG,
                                               "%s is too long for a socket's address", start->folder);
    if (error) {
        lock_done(&llama->lock);
        free(llama);
        return error;
    }
    http_post(llama->loop, &llama->begin);
    *ret_instance = llama;
    return 0;
}

static void llama_stop(struct engine_instance *llama) {
    lock_take(&llama->lock);
    llama->asked_to_end = true;
    lock_drop(&llama->lock);
    service_stop(llama->service, PATIENCE_MS);
}

static void llama_free(struct engine_instance *llama) {
    service_free(llama->service);
    lock_done(&llama->lock);
    free(llama);
}

static int process(struct engine_instance *llama) {
    return (int)service_pid(llama->service);
}

/* Shards are numbered -00001-of-0000N: the first is the one to load. */
static bool can_load(const struct engine_model *model, const struct options *given) {
    (void)given;
    size_t len = model->file_count ? strlen(model->files[0].name) : 0;
    return len > 5 && strcasecmp(model->files[0].name + len - 5, ".gguf") == 0;
}

const struct engine llama_engine = {
    .name = "llama",
    .help = "GGUF models, by a llama-server of llama.cpp for each",
    .options = llama_options,
    .needs_files = true,
    .can_load = can_load,
    .start = llama_start,
    .stop = llama_stop,
    .free = llama_free,
    .process = process,
};
