/* SPDX-License-Identifier: Apache-2.0 */
/* weightfs chat: a conversation with a model, a line a turn, at a terminal or from a pipe. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/buf.h"
#include "daemon/chat_session.h"
#include "daemon/say.h"
#include "daemon/subject.h"
#include "daemon/tree_file.h"
#include "daemon/verbs.h"
#include "model/name.h"

const struct flag chat_flags[] = {
    FLAG_MOUNT,
    {0, NULL, NULL, NULL},
};

enum { GO_ON = 0, LEAVE = -1 }; /* above: an exit code */

struct chat {
    struct chat_session session;
    const char *key;
    bool is_interactive;
};

/* ---- lines that are for us */

static int run_help(struct chat *chat, const char *rest);

static int run_system(struct chat *chat, const char *rest) {
    return *rest ? chat_session_write(&chat->session, "system", rest, false)
                 : chat_session_print(&chat->session, "system");
}

static int run_params(struct chat *chat, const char *rest) {
    return *rest ? chat_session_write(&chat->session, "params", rest, true)
                 : chat_session_print(&chat->session, "params");
}

static int run_history(struct chat *chat, const char *rest) {
    (void)rest;
    return chat_session_print_history(&chat->session);
}

static int run_new(struct chat *chat, const char *rest) {
    (void)rest;
    int code = chat_session_renew(&chat->session);
    return code ? code : GO_ON;
}

static int run_bye(struct chat *chat, const char *rest) {
    (void)chat, (void)rest;
    return LEAVE;
}

/* What a failure ends is the session of a script, not that of a person. */
static const struct line_command {
    const char *name, *arguments, *help;
    int (*run)(struct chat *chat, const char *rest);
} commands[] = {
    {"/help", "", "this list", run_help},
    {"/system", "[TEXT]", "the system prompt: show it, or set it; none, default: the model's", run_system},
    {"/params", "[NAME [VALUE]]", "parameters: show them, or change one", run_params},
    {"/history", "", "what was said so far", run_history},
    {"/new", "", "begin a new conversation; one that has a name stays where it is", run_new},
    {"/bye", "", "leave, as Ctrl-D does", run_bye},
};
#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static int run_help(struct chat *chat, const char *rest) {
    (void)chat, (void)rest;
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-9s%-16s%s\n", commands[i].name, commands[i].arguments, commands[i].help);
    puts("A line that ends in \\ goes on in the next one; one that begins with // is said with one slash.\n"
         "Ctrl-C ends an answer, which is not kept then.");
    return GO_ON;
}

static int run_command(struct chat *chat, char *line) {
    size_t len = strcspn(line, " \t");
    const char *rest = line + len + strspn(line + len, " \t");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strlen(commands[i].name) == len && !strncmp(commands[i].name, line, len))
            return commands[i].run(chat, rest);
    return say(WEIGHTFS_EXIT_FAILURE, "there is no %.*s here; /help lists what there is", (int)len, line);
}

/* ---- lines */

static void show_mark(const struct chat *chat, const char *mark) {
    if (!chat->is_interactive)
        return;
    fputs(mark, stdout);
    fflush(stdout);
}

/* At a terminal: -EINTR when a signal came since signals are held. A terminal gives a line at a time, so that
 * none is left in stdin's buffer. */
static int await_line(const struct chat *chat, const sigset_t *former) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return chat->is_interactive && ppoll(&input, 1, NULL, former) < 0 ? -errno : 0;
}

static bool read_held(struct chat *chat, struct buf *to, const sigset_t *former) {
    char *line TEXT_CLEANUP = NULL;
    size_t room = 0;
    ssize_t len;
    buf_clear(to);
    show_mark(chat, "> ");
    for (;;) {
        errno = 0;
        len = await_line(chat, former) < 0 ? -1 : getline(&line, &room, stdin);
        if (len < 0 && errno == EINTR && !chat_session_is_over()) { /* Ctrl-C: what was typed is forgotten */
            clearerr(stdin);
            buf_clear(to);
            show_mark(chat, "\n> ");
            continue;
        }
        if (len < 0)
            return to->len > 0 && !chat_session_is_over();
        while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
            line[--len] = '\0';
        bool goes_on = len && line[len - 1] == '\\';
        (void)buf_add(to, line, (size_t)len - goes_on); /* no limit */
        if (!goes_on)
            return true;
        (void)buf_text_add(to, "\n");
        show_mark(chat, "… ");
    }
}

/* One, with those that it goes on in. false: there are no more. From the mark on no Ctrl-C is missed. */
static bool read_lines(struct chat *chat, struct buf *to) {
    sigset_t held, former;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGHUP);
    if (!chat->is_interactive)
        return read_held(chat, to, NULL);
    sigprocmask(SIG_BLOCK, &held, &former);
    bool any = read_held(chat, to, &former);
    sigprocmask(SIG_SETMASK, &former, NULL);
    return any;
}

static int take(struct chat *chat, struct buf *line) {
    char *text = line->data;
    if (!line->len || strspn(text, " \t\n") == line->len)
        return GO_ON;
    if (text[0] == '/' && text[1] != '/')
        return run_command(chat, text);
    text += text[0] == '/';
    return chat_session_ask(&chat->session, text, strlen(text));
}

static void greet(const struct chat *chat, const char *dir) {
    char folder[PATH_MAX], state[128];
    printf("%s: %s. /help lists what there is, Ctrl-D leaves.\n", chat->key,
        chat->session.is_temporary ? "a conversation for now, /new begins another" : chat->session.name);
    if (snprintf(folder, sizeof folder, "%s/infer", dir) < (int)sizeof folder &&
        tree_file_line(folder, "status", state, sizeof state) == 0 && !strstr(state, " loaded"))
        puts("The model is loaded with the first question: that answer takes longer.");
}

static int loop(struct chat *chat, const char *dir) {
    struct buf line BUF_CLEANUP = BUF_INIT;
    int code = GO_ON;
    if (chat->is_interactive)
        greet(chat, dir);
    while (!chat_session_is_over() && (code == GO_ON || (code > 0 && chat->is_interactive)) &&
           read_lines(chat, &line))
        code = take(chat, &line);
    if (chat->is_interactive)
        putchar('\n');
    if (chat_session_is_over())
        return WEIGHTFS_EXIT_FAILURE;
    return code > 0 && !chat->is_interactive ? code : WEIGHTFS_EXIT_OK;
}

int verb_chat(int argc, char **argv) {
    struct chat chat = {.session = CHAT_SESSION_INIT,
        .is_interactive = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)};
    const char *named = NULL, *value;
    struct subject subject;
    struct reason reason = {""};
    char dir[PATH_MAX], key[NAME_KEY_SIZE], variant[NAME_VARIANT_SIZE];
    int flag;
    flags_begin();
    while ((flag = flags_next(chat_flags, argc, argv, &value)) > 0)
        named = value;
    if (flag < 0)
        return WEIGHTFS_EXIT_USAGE;
    if (argc - optind < 1 || argc - optind > 2)
        return verb_usage(argv[0]);
    int code = subject_find(named, argv[optind], &subject);
    if (code)
        return code;
    if (!subject.key[0])
        return say(WEIGHTFS_EXIT_FAILURE, "%s: this lies in no model", subject.path);
    int error = tree_file_find_model(subject.mount, subject.key, dir, key, variant, &reason);
    if (error < 0)
        return say(WEIGHTFS_EXIT_FAILURE, "%s", err_text(&reason, error));
    chat.key = key;
    chat_session_catch_signals(chat.is_interactive);
    code = chat_session_open(dir, argv[optind + 1], &chat.session);
    if (!code)
        code = loop(&chat, dir);
    chat_session_end(&chat.session);
    return code;
}
