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
#include "outside/child_service.h"
#include "outside/http.h"

#define POLL_MS      25   /* how soon it is asked again whether it answers … */
#define POLL_MOST_MS 250  /* … and how late */
#define ASK_MS       5000 /* /health is quick, or the server hangs */
#define PATIENCE_MS  2000 /* between the signals that end it */
#define WORDS_SIZE   400

struct engine_instance {
    struct engine_events events;
    struct service *service;
    struct http_loop *loop;
    struct engine_endpoint endpoint;

    struct lock lock; /* QUEUE: the flags and words */
    bool ended;       /* the child */
    int code;         /* that it ended with */
    bool polling;     /* a question, its delay or its task is the loop's */
    bool is_ready, asked_to_end;
    char error_words[WORDS_SIZE], last_words[WORDS_SIZE];

    struct http_task begin; /* loop thread, all of these */
    struct http_delay delay;
    struct http_request request;
    uint64_t poll_ms;
};

static const struct option_row options[] = {
    {.name = "llama_server",
        .type = OPTION_TEXT,
        .environment = "LLAMA_SERVER",
        .help = "path of llama-server, the engine for GGUF models; without one it is looked for on PATH"},
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
    {.name = NULL},
};

/* ---- its words */

/* "0.00.318.522 E srv  load: text" */
const char *llama_line(const char *line, bool *ret_is_error) {
    const char *at = line + strspn(line, "0123456789.");
    if (at > line && at[0] == ' ' && at[1] && strchr("IWED", at[1]) && at[2] == ' ') {
        *ret_is_error = at[1] == 'E';
        at += 3;
        return at + strspn(at, " ");
    }
    *ret_is_error = strstr(line, "error") != NULL;
    return line;
}

static void on_line(void *context, const char *line) {
    struct engine_instance *llama = context;
    bool is_error;
    const char *words = llama_line(line, &is_error);
    lock_take(&llama->lock);
    if (is_error && !*llama->error_words)
        snprintf(llama->error_words, sizeof llama->error_words, "%s", words);
    snprintf(llama->last_words, sizeof llama->last_words, "%s", words);
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
    const char *words = *llama->error_words ? llama->error_words : llama->last_words;
    if (!llama->asked_to_end && llama->code > 128)
        error = err_because(&reason, -EIO, "llama-server was ended by signal %d%s%s", llama->code - 128,
            *words ? "; its last words: " : "", words);
    else if (!llama->asked_to_end)
        error = err_because(&reason, -EIO, "llama-server ended with %d%s%s", llama->code, *words ? ": " : "",
            words);
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
        *llama->error_words = '\0'; /* what was an error did not keep it from starting */
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

/* On PATH, as a shell looks. */
static int find_program(const struct options *given, char to[static PATH_MAX], struct reason *reason) {
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

static const char *base_name(const char *name) {
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

static int fill_folder(const struct engine_start *start, struct reason *reason) {
    FD_CLEANUP int folder_fd = open(start->folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (folder_fd < 0 || mkdirat(folder_fd, "home", 0700) < 0 || mkdirat(folder_fd, "files", 0700) < 0)
        return err_because(reason, -errno, "%s: %s", start->folder, err_sentence(-errno));
    FD_CLEANUP int files_fd = openat(folder_fd, "files", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    for (size_t i = 0; files_fd >= 0 && i < start->model.file_count; i++)
        if (symlinkat(start->model.files[i].path, files_fd, base_name(start->model.files[i].name)) < 0)
            return err_because(reason, -errno, "%s/files/%s: %s", start->folder,
                base_name(start->model.files[i].name), err_sentence(-errno));
    return files_fd < 0 ? err_because(reason, -errno, "%s/files: %s", start->folder, err_sentence(-errno))
                        : 0;
}

static const char *find_projector(const struct engine_start *start) {
    for (size_t i = 1; i < start->model.file_count; i++)
        if (strncmp(base_name(start->model.files[i].name), "mmproj", 6) == 0)
            return base_name(start->model.files[i].name);
    return NULL;
}

/* One word after the other, kept until the child has been started. */
struct command_line {
    struct buf text; /* the words, each with its NUL */
    const char *array[64];
    size_t offsets[64], count;
};

static void add_word(struct command_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add_word(struct command_line *line, const char *format, ...) {
    va_list args;
    line->offsets[line->count++] = line->text.len;
    va_start(args, format);
    (void)buf_vformat(&line->text, format, args); /* no limit */
    va_end(args);
    (void)buf_add(&line->text, "", 1);
}

static void end_words(struct command_line *line) {
    for (size_t i = 0; i < line->count; i++)
        line->array[i] = line->text.data + line->offsets[i];
    line->array[line->count] = NULL;
}

/* Few flags, since they die young; why each is there: facts of the server's documentation and of
 * experience. */
static void add_flags(struct command_line *line, const struct engine_start *start, const char *socket) {
    int64_t slots = engine_number(start, "slots"), threads = engine_number(start, "threads");
    int64_t layers = engine_number(start, "gpu_layers");
    const char *projector = find_projector(start);
    add_word(line, "-m");
    add_word(line, "%s/files/%s", start->folder, base_name(start->model.files[0].name));
    add_word(line, "--host");
    add_word(line, "%s", socket);
    add_word(line, "--alias"); /* exactly one: of several it shows which it likes */
    add_word(line, "%s", start->model.key);
    add_word(line, "--offline");
    add_word(line, "--no-webui");
    add_word(line, "-c");
    add_word(line, "%" PRId64, engine_number(start, "context_tokens") * slots); /* it divides by the slots */
    add_word(line, "-np");
    add_word(line, "%" PRId64, slots);
    add_word(line, "--no-kv-unified"); /* else the slots fight for one context, and all lose */
    add_word(line, "--cache-ram");     /* else it takes gigabytes for old prompts */
    add_word(line, "0");
    add_word(line, "-b"); /* what is cancelled ends with a batch */
    add_word(line, "512");
    if (threads) {
        add_word(line, "-t");
        add_word(line, "%" PRId64, threads);
    }
    if (layers >= 0) {
        add_word(line, "-ngl");
        add_word(line, "%" PRId64, layers);
    }
    if (projector) {
        add_word(line, "--mmproj");
        add_word(line, "%s/files/%s", start->folder, projector);
    }
}

static int spawn(struct engine_instance *llama, const struct engine_start *start, struct reason *reason) {
    char program[PATH_MAX], folder[PATH_MAX], home[PATH_MAX];
    int error = find_program(start->options, program, reason);
    if (!error)
        error = fill_folder(start, reason);
    if (error)
        return error;
    (void)snprintf(folder, sizeof folder, "%s/home", start->folder);
    (void)snprintf(home, sizeof home, "HOME=%.*s", PATH_MAX - 8, folder);
    struct command_line line = {.text = BUF_INIT};
    add_word(&line, "%s", program);
    add_flags(&line, start, llama->endpoint.unix_socket);
    end_words(&line);
    const char *const environment_of[] = {"PATH=/usr/local/bin:/usr/bin:/bin", home, "LC_ALL=C.UTF-8", NULL};
    const struct service_description description = {.arguments = line.array,
        .environment = environment_of,
        .folder = folder,
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

/* Shards are numbered -00001-of-0000N: the first is the one to load. */
static bool can_load(const struct engine_model *model, const struct options *given) {
    (void)given;
    size_t len = model->file_count ? strlen(model->files[0].name) : 0;
    return len > 5 && strcasecmp(model->files[0].name + len - 5, ".gguf") == 0;
}

const struct engine llama_engine = {
    .name = "llama",
    .help = "GGUF models, by a llama-server of llama.cpp for each",
    .options = options,
    .needs_files = true,
    .can_load = can_load,
    .start = llama_start,
    .stop = llama_stop,
    .free = llama_free,
};
