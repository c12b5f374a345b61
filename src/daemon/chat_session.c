/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/chat_session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"
#include "daemon/say.h"
#include "daemon/tree_file.h"
#include "outside/json.h"

#define PIECE_BYTES 65536
#define NAMES_TRIED 100

/* ---- signals */

static volatile sig_atomic_t answering_fd = -1; /* of the conversation that an answer is awaited in */
static volatile sig_atomic_t is_over, is_told;  /* is_told: SIGINT came */
static bool interrupt_ends_us;

/* The answer is ended at once and here: whoever reads it, now or in a moment, comes to its end. */
static void on_signal(int signal) {
    int error = errno;
    is_told = signal == SIGINT;
    if (signal != SIGINT || interrupt_ends_us)
        is_over = 1;
    if (answering_fd >= 0)
        (void)unlinkat(answering_fd, "reply", 0);
    errno = error;
}

void chat_session_catch_signals(bool is_interactive) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal}; /* reads of standard input end */
    interrupt_ends_us = !is_interactive;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
    action.sa_handler = SIG_IGN; /* else nobody would remove what is for now */
    sigaction(SIGPIPE, &action, NULL);
}

bool chat_session_is_over(void) {
    return is_over;
}

/* ---- which one */

static int cannot(const struct chat_session *session, int error) {
    if (error == -EDQUOT)
        return say(WEIGHTFS_EXIT_FAILURE,
            "you have as many conversations as you may (chats_most): `rmdir` those below %s that are not "
            "needed",
            session->folder);
    return say(WEIGHTFS_EXIT_FAILURE, "%s/%s: %s", session->folder, session->name, err_sentence(error));
}

static int enter(struct chat_session *session) {
    session->fd = openat(session->folder_fd, session->name, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    return session->fd < 0 ? cannot(session, -errno) : 0;
}

static int make_for_now(struct chat_session *session) {
    int error = -EEXIST;
    for (unsigned i = 1; error == -EEXIST && i <= NAMES_TRIED; i++) {
        (void)snprintf(session->name, sizeof session->name, "chat-%d-%u", (int)getpid(), i); /* fits */
        error = mkdirat(session->folder_fd, session->name, 0700) < 0 ? -errno : 0;
    }
    session->is_temporary = error == 0;
    return error < 0 ? cannot(session, error) : enter(session);
}

int chat_session_open(const char *dir, const char *name, struct chat_session *session) {
    int len = snprintf(session->folder, sizeof session->folder, "%s/infer/chats", dir);
    if (len >= (int)sizeof session->folder)
        return say(WEIGHTFS_EXIT_FAILURE, "%s: %s", dir, err_sentence(-ENAMETOOLONG));
    session->folder_fd = open(session->folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (session->folder_fd < 0)
        return say(WEIGHTFS_EXIT_FAILURE, "%s: %s", session->folder, err_sentence(-errno));
    if (!name)
        return make_for_now(session);
    if (text_copy(session->name, sizeof session->name, name) < 0 || strchr(name, '/'))
        return say(WEIGHTFS_EXIT_USAGE, "%s: a conversation's name is no path and has 100 bytes at most",
            name);
    if (mkdirat(session->folder_fd, name, 0700) < 0 && errno != EEXIST)
        return cannot(session, -errno);
    return enter(session);
}

void chat_session_end(struct chat_session *session) {
    path_close(&session->fd);
    if (session->is_temporary)
        (void)unlinkat(session->folder_fd, session->name, AT_REMOVEDIR);
    session->is_temporary = false;
    path_close(&session->folder_fd);
}

int chat_session_renew(struct chat_session *session) {
    struct chat_session former = *session;
    int code = make_for_now(session);
    if (code) {
        *session = former;
        return code;
    }
    path_close(&former.fd);
    if (former.is_temporary)
        (void)unlinkat(former.folder_fd, former.name, AT_REMOVEDIR);
    return 0;
}

/* ---- asking */

static void tame(char *text, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\n' && text[i] != '\t') || text[i] == 0x7f)
            text[i] = '?';
}

/* Each piece at once: it is shown while the rest is made. */
static int show(int chat_fd) {
    FD_CLEANUP int fd = openat(chat_fd, "reply", O_RDONLY | O_CLOEXEC);
    char *piece TEXT_CLEANUP = mem_array(PIECE_BYTES, 1);
    bool on_terminal = isatty(STDOUT_FILENO);
    ssize_t len = 0;
    if (fd < 0)
        return -errno;
    while ((len = read(fd, piece, PIECE_BYTES)) > 0 || (len < 0 && errno == EINTR)) {
        if (len < 0)
            continue;
        if (on_terminal)
            tame(piece, (size_t)len);
        if (fwrite(piece, 1, (size_t)len, stdout) != (size_t)len || fflush(stdout) != 0)
            return -EPIPE;
    }
    return len < 0 ? -errno : 0;
}

static int write_file(const struct chat_session *session, const char *name, const char *text, size_t len,
    int flags) {
    FD_CLEANUP int fd = openat(session->fd, name, O_WRONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return -errno;
    int error = path_write_all(fd, text, len, 0);
    int closed = close(fd); /* `system` is judged by it */
    int why = -errno;
    fd = -1;
    return error ? error : closed < 0 ? why : 0;
}

/* What `error` says, or what the errno does. */
static int complain(const struct chat_session *session, int error) {
    struct buf sentence BUF_CLEANUP = BUF_INIT;
    if (path_read(session->fd, "error", TREE_FILE_LIMIT, &sentence) == 0 && sentence.len)
        return say(WEIGHTFS_EXIT_FAILURE, "%.*s", (int)strcspn(buf_text(&sentence), "\n"),
            buf_text(&sentence));
    return error
               ? say(WEIGHTFS_EXIT_FAILURE, "%s/%s: %s", session->folder, session->name, err_sentence(error))
               : 0;
}

int chat_session_ask(struct chat_session *session, const char *text, size_t len) {
    is_told = 0;
    int error = write_file(session, "prompt", text, len, O_TRUNC);
    answering_fd = session->fd; /* from here on there is something to end */
    if (is_told || is_over)
        (void)unlinkat(session->fd, "reply", 0);
    if (error == 0)
        error = show(session->fd);
    answering_fd = -1;
    if (error == -ECANCELED && is_told)
        return is_over ? WEIGHTFS_EXIT_FAILURE : 0;
    if (error == -EPIPE)
        return WEIGHTFS_EXIT_FAILURE; /* who reads us has gone */
    (void)complain(session, error);   /* a turn that is not kept, too */
    return error ? WEIGHTFS_EXIT_FAILURE : 0;
}

/* ---- its other files */

int chat_session_write(struct chat_session *session, const char *name, const char *text, bool append) {
    int error = write_file(session, name, text, strlen(text), append ? O_APPEND : O_TRUNC);
    return error < 0 ? complain(session, error) : 0;
}

int chat_session_print(struct chat_session *session, const char *name) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    int error = path_read(session->fd, name, TREE_FILE_LIMIT, &text);
    if (error < 0)
        return complain(session, error);
    fputs(buf_text(&text), stdout);
    return 0;
}

static void print_line(const char *line, size_t len) {
    JSON_CLEANUP struct json *said = NULL;
    if (json_parse(line, len, &said, NULL) < 0)
        return;
    const char *role = json_text(json_get(said, "role"), NULL);
    const char *content = json_text(json_get(said, "content"), NULL);
    if (!role || !content)
        return;
    char *shown TEXT_CLEANUP = mem_text(content);
    tame(shown, strlen(shown));
    printf("%s%s\n", strcmp(role, "user") == 0 ? "> " : "", shown);
}

int chat_session_print_history(struct chat_session *session) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    int error = path_read(session->fd, "history", TREE_FILE_LIMIT, &text);
    if (error < 0)
        return complain(session, error);
    for (const char *line = buf_text(&text); *line;) {
        size_t len = strcspn(line, "\n");
        print_line(line, len);
        line += len + (line[len] == '\n');
    }
    return 0;
}
