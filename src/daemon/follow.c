/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/follow.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "daemon/bar.h"
#include "daemon/errand.h"
#include "daemon/say.h"
#include "daemon/subject.h"
#include "daemon/tree_file.h"

/* A validation that was done, and found something, says so. */
static const char FOUND_BAD[] = "`report` says which";

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number) {
    (void)number;
    interrupted = 1;
}

/* Without SA_RESTART: a poll ends with it. */
static void catch_interrupt(void) {
    struct sigaction action = {.sa_handler = on_interrupt};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
}

static int read_wait(void *dir) {
    char state[64];
    return tree_file_line(dir, "wait", state, sizeof(state));
}

int follow(const char *dir, const char *title, bool is_quiet) {
    struct errand errand = ERRAND_INIT;
    struct bar bar;
    char line[160];
    int error = errand_begin(read_wait, (void *)(uintptr_t)dir, false, &errand);
    if (error < 0)
        return error;
    catch_interrupt();
    bar_init(&bar, STDERR_FILENO, title);
    for (;;) {
        struct pollfd wanted = {.fd = errand.answer_fd, .events = POLLIN};
        int count = poll(&wanted, 1, (int)bar_interval_ms(&bar));
        if (interrupted || count > 0)
            break;
        if (!is_quiet && tree_file_line(dir, "progress", line, sizeof(line)) == 0)
            bar_show(&bar, line);
    }
    error = interrupted ? -EINTR : errand_answer(&errand);
    if (error == 0 && !is_quiet && bar.is_terminal &&
        tree_file_line(dir, "progress", line, sizeof(line)) == 0)
        bar_show(&bar, line);
    bar_end(&bar);
    errand_done(&errand);
    return error;
}

/* The value of `name` in "name value" lines, into `to`; "" when it is not there. */
static void value_of(const char *text, const char *name, char *to, size_t size) {
    size_t len = strlen(name);
    to[0] = '\0';
    for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        if (strncmp(line, name, len) != 0 || line[len] != ' ')
            continue;
        line += len + strspn(line + len, " ");
        snprintf(to, size, "%.*s", (int)strcspn(line, "\n"), line);
        return;
    }
}

int follow_outcome(const char *dir, struct outcome_said *ret_said) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    struct outcome_said said;
    char size[64];
    int error = tree_file_read(dir, "status", &text);
    if (error < 0)
        return error;
    value_of(buf_text(&text), "kind", said.kind, sizeof(said.kind));
    value_of(buf_text(&text), "model", said.model, sizeof(said.model));
    value_of(buf_text(&text), "state", said.state, sizeof(said.state));
    value_of(buf_text(&text), "reason", said.reason, sizeof(said.reason));
    value_of(buf_text(&text), "bytes_total", size, sizeof(size));
    char *words = strchr(size, '('); /* "3146112 (3.1 MB)"; small ones are a number only */
    if (words)
        words[strcspn(words, ")")] = '\0';
    snprintf(said.size, sizeof(said.size), "%.50s%s", words ? words + 1 : size, words || !*size ? "" : " B");
    *ret_said = said;
    return 0;
}

static int conclude(const char *dir, const char *title) {
    struct outcome_said said;
    int error = follow_outcome(dir, &said);
    if (error < 0)
        return say(WEIGHTFS_EXIT_FATAL, "%s/status: %s", dir, err_sentence(error));
    const char *about = *said.model ? said.model : *title ? title : "all models";
    const char *kind = *said.kind ? said.kind : "job";
    const char *between = *said.reason ? ": " : "";
    if (strcmp(said.state, "done") == 0) {
        bool sized = *said.size && strcmp(said.size, "0 B") != 0;
        printf("%s: %s done%s%s%s%s\n", about, kind, sized ? ", " : "", sized ? said.size : "", between,
            said.reason);
        return strstr(said.reason, FOUND_BAD) ? WEIGHTFS_EXIT_FAILURE : WEIGHTFS_EXIT_OK;
    }
    if (strcmp(said.state, "paused") == 0)
        return say(WEIGHTFS_EXIT_FAILURE, "%s: %s is paused: %s", about, kind,
            *said.reason ? said.reason : "no reason is known");
    return say(WEIGHTFS_EXIT_FAILURE, "%s: %s %s%s%s", about, kind, said.state, between, said.reason);
}

int follow_job(const char *mount, int64_t id, const char *title, bool is_quiet) {
    char dir[PATH_MAX], name[NAME_KEY_SIZE + 16];
    struct outcome_said said = {.kind = ""};
    struct reason reason = {""};
    int written = snprintf(dir, sizeof(dir), "%s/jobs/%" PRId64, mount, id);
    if (written < 0 || (size_t)written >= sizeof(dir))
        return say(WEIGHTFS_EXIT_FATAL, "%s: %s", mount, err_sentence(-ENAMETOOLONG));
    (void)follow_outcome(dir, &said); /* what it is called; the end is read again */
    snprintf(name, sizeof(name), "%s", *said.model ? said.model : *title ? title : said.kind);
    int error = follow(dir, name, is_quiet);
    if (error == -EINTR)
        return say(128 + SIGINT,
            "%s: job %" PRId64 " goes on without us; `weightfs cancel %" PRId64 "` ends it", name, id, id);
    if (error < 0) {
        subject_because(&reason, error, mount, dir);
        return say(WEIGHTFS_EXIT_FATAL, "%s", reason.text);
    }
    return conclude(dir, title);
}

/* Behind "job " or "jobs ": numbers with blanks, commas and "and" between them. */
static int each_number(const char *at, int (*visit)(void *context, int64_t id), void *context) {
    for (;;) {
        at += strspn(at, " ,");
        if (strncmp(at, "and ", 4) == 0)
            at += 4;
        if (!isdigit((unsigned char)*at))
            return 0;
        char *end;
        long long id = strtoll(at, &end, 10);
        int result = visit(context, id);
        if (result)
            return result;
        at = end;
    }
}

int follow_each_job(const char *sentence, int (*visit)(void *context, int64_t id), void *context) {
    for (const char *at = sentence; (at = strstr(at, "job")); at += 3) {
        const char *behind = at + 3 + (at[3] == 's');
        bool begins = at == sentence || at[-1] == ' ';
        int result = begins && *behind == ' ' ? each_number(behind, visit, context) : 0;
        if (result)
            return result;
    }
    return 0;
}
