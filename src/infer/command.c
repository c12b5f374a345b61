/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/command.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"
#include "infer/child_engine.h"
#include "model/declared.h"

#define WORDS_SIZE 400

/* ---- what it writes: nothing is known of it but that an error is called one */

struct words {
    char error[WORDS_SIZE], last[WORDS_SIZE];
};

static void note(void *context, const char *line) {
    struct words *words = context;
    if (!line[strspn(line, " \t")])
        return;
    if (!*words->error && strcasestr(line, "error"))
        (void)snprintf(words->error, sizeof words->error, "%s", line);
    (void)snprintf(words->last, sizeof words->last, "%s", line);
}

static int judge(const void *context, const char *name, int code, struct reason *reason) {
    const struct words *words = context;
    const char *said = *words->error ? words->error : words->last, *colon = *said ? ": " : "";
    if (code > 128)
        return err_because(reason, -EIO, "%s was ended by signal %d%s%s", name, code - 128, colon, said);
    return err_because(reason, -EIO, "%s ended with %d%s%s", name, code, colon, said);
}

static const struct child_words child_words = {sizeof(struct words), note, judge};

/* ---- where it listens */

/* One that nobody has now. Somebody could take it before the child does: then the child ends, and says so. */
static int free_port(unsigned *ret_port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    FD_CLEANUP int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        return -errno;
    *ret_port = ntohs(address.sin_port);
    return 0;
}

/* All that stands for placeholders, and the place that is told of. */
struct place {
    char folder[PATH_MAX], model[PATH_MAX], port[8];
    struct placeholder values[6];
};

static int find_place(const struct engine_start *start, const struct declaration *it, struct place *place,
    struct engine_endpoint *endpoint, struct reason *reason) {
    char *socket = endpoint->unix_socket;
    unsigned port = 0;
    bool is_local = declaration_uses(it, "socket");
    if (snprintf(place->folder, sizeof place->folder, "%s/files", start->folder) >= PATH_MAX ||
        snprintf(place->model, sizeof place->model, "%s/%s", place->folder, start->model.files[0].name) >=
            PATH_MAX)
        return err_because(reason, -ENAMETOOLONG, "%s: its path is too long", start->model.files[0].name);
    if (is_local &&
        snprintf(socket, ENGINE_SOCKET_SIZE, "%s/engine.sock", start->folder) >= ENGINE_SOCKET_SIZE)
        return err_because(reason, -ENAMETOOLONG, "%s is too long for a socket's address", start->folder);
    int error = is_local ? 0 : free_port(&port);
    if (error < 0)
        return err_because(reason, error, "there is no port for %s: %s", it->name, err_sentence(error));
    (void)snprintf(place->port, sizeof place->port, "%u", port);
    const struct placeholder values[] = {{"model", place->model}, {"folder", place->folder},
        {"socket", socket}, {"port", place->port}, {"name", start->model.key}, {NULL, NULL}};
    memcpy(place->values, values, sizeof values);
    return 0;
}

/* ---- words with their placeholders replaced */

struct word_list {
    char **words; /* NULL-ended */
    size_t count;
};

static void word_list_done(struct word_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->words[i]);
    free(list->words);
}
#define WORD_LIST_CLEANUP __attribute__((cleanup(word_list_done)))

static void add_word(struct word_list *list, char *word) {
    list->words = mem_resize(list->words, list->count + 2, sizeof *list->words);
    list->words[list->count++] = word;
    list->words[list->count] = NULL;
}

static void add_expanded(struct word_list *list, const char *const *texts, const struct placeholder *values) {
    for (; *texts; texts++) {
        struct buf word = BUF_INIT;
        declared_expand(*texts, values, &word);
        (void)buf_add(&word, "", 0); /* an empty one is a word as well */
        add_word(list, word.data ? buf_take(&word) : mem_text(""));
    }
}

static bool has_variable(const struct word_list *list, const char *line) {
    size_t len = strcspn(line, "=") + 1;
    for (size_t i = 0; i < list->count; i++)
        if (strncmp(list->words[i], line, len) == 0)
            return true;
    return false;
}

/* What is declared, and what every program needs. Nothing of ours: there may be keys in it. */
static void fill_environment(struct word_list *list, const struct declaration *it,
    const struct placeholder *values, const char *home) {
    const char *const needed[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", NULL};
    struct buf line BUF_CLEANUP = BUF_INIT;
    add_expanded(list, it->environment, values);
    for (size_t i = 0; needed[i]; i++)
        if (!has_variable(list, needed[i]))
            add_word(list, mem_text(needed[i]));
    (void)buf_format(&line, "HOME=%s", home); /* no limit */
    if (!has_variable(list, buf_text(&line)))
        add_word(list, buf_take(&line));
}

/* ---- its start */

static const struct declaration *find(const struct engine_model *model) {
    const struct declaration *it;
    for (size_t i = 0; (it = declared_at(model->declared, i)); i++)
        if (it->kind == DECLARED_COMMAND &&
            (*model->wanted ? strcmp(it->name, model->wanted) == 0 : declaration_fits(it, model->key)))
            return it;
    return NULL;
}

static void fill_endpoint(const struct declaration *it, const struct place *place,
    struct engine_endpoint *endpoint, char health[static ENGINE_URL_SIZE]) {
    struct buf model BUF_CLEANUP = BUF_INIT;
    char host[40] = "http://localhost";
    int len = (int)strlen(it->api);
    if (!*endpoint->unix_socket)
        (void)snprintf(host, sizeof host, "http://127.0.0.1:%s", place->port);
    while (len && it->api[len - 1] == '/')
        len--;
    (void)snprintf(endpoint->url, sizeof endpoint->url, "%s%.*s", host, len, it->api); /* both are short */
    (void)snprintf(health, ENGINE_URL_SIZE, "%s%s", host, it->health);
    declared_expand(it->model, place->values, &model);
    (void)snprintf(endpoint->model, sizeof endpoint->model, "%s", buf_text(&model));
    endpoint->can = it->can;
    endpoint->slots = it->slots;
}

static int spawn(const struct engine_start *start, const struct declaration *it, struct place *place,
    struct engine_instance **ret_instance, struct reason *reason) {
    struct word_list arguments WORD_LIST_CLEANUP = {NULL, 0}, environment WORD_LIST_CLEANUP = {NULL, 0};
    struct child_start child = {.name = it->name, .words = &child_words};
    char program[PATH_MAX], home[PATH_MAX], health[ENGINE_URL_SIZE];
    int error = find_place(start, it, place, &child.endpoint, reason);
    if (!error)
        error = child_home(start, home, sizeof home);
    if (!error)
        error = child_fill_folder(start, false, reason);
    if (error < 0)
        return error;
    error = child_find(it->command[0], program, sizeof program);
    if (error < 0)
        return err_because(reason, error, "%s: its program %s can't be run: %s (declared in %s)", it->name,
            it->command[0], err_sentence(error), it->origin);
    add_word(&arguments, mem_text(program));
    add_expanded(&arguments, it->command + 1, place->values);
    fill_environment(&environment, it, place->values, home);
    fill_endpoint(it, place, &child.endpoint, health);
    child.health = health;
    child.description = (struct service_description){.arguments = (const char *const *)arguments.words,
        .environment = (const char *const *)environment.words,
        .folder = home,
        .memory_limit = (uint64_t)engine_number(start, "engine_memory_bytes")};
    return child_engine_start(start, &child, ret_instance, reason);
}

static int start(const struct engine_start *start, struct engine_instance **ret_instance,
    struct reason *reason) {
    const struct declaration *it = find(&start->model); /* can_load() found it with the same */
    struct place *place = mem_new(sizeof *place);
    int error = spawn(start, it, place, ret_instance, reason);
    free(place);
    return error;
}

static bool can_load(const struct engine_model *model, const struct options *options) {
    (void)options;
    return find(model) != NULL;
}

const struct engine command_engine = {
    .name = "command",
    .help = "servers that the operator declares, each started for the models that it is for",
    .needs_files = true,
    .takes_all = true,
    .can_load = can_load,
    .start = start,
    .stop = child_engine_stop,
    .free = child_engine_free,
    .process = child_engine_process,
    .name_of = child_engine_name,
};
