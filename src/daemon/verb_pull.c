/* SPDX-License-Identifier: Apache-2.0 */
/* weightfs pull: `echo pull > ctl && cat wait`, with progress in between. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
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
#include "daemon/verbs.h"
#include "model/name.h"

const struct flag pull_flags[] = {
    FLAG_MOUNT,
    {'q', "quiet", NULL, "no progress"},
    {0, NULL, NULL, NULL},
};

struct pull {
    char mount[PATH_MAX];
    char dir[PATH_MAX]; /* the model's */
    char key[NAME_KEY_SIZE];
    char variant[NAME_VARIANT_SIZE];
    char watched[PATH_MAX]; /* whose progress and wait are looked at: the job's, or the model's */
    bool is_job, is_quiet;
};

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

/* A word as ctl reads it: quoted when it holds a blank, a quote or a backslash. */
static void add_word(struct buf *line, const char *word) {
    if (*word && !strpbrk(word, " \t\r\n\"\\")) {
        buf_format(line, " %s", word);
        return;
    }
    buf_text_add(line, " \"");
    for (const char *at = word; *at; at++)
        buf_format(line, "%s%c", *at == '"' || *at == '\\' ? "\\" : "", *at);
    buf_text_add(line, "\"");
}

/* An old one-word name, one with a revision, or one that a lookup did not find: the root's `add` makes it
 * known, and says how it is called: "hf:acme/tiny is known, at …", or why not, where a lookup has only an
 * errno. */
static int add_key(const char *mount, const char *text, char *ret_key, struct reason *reason) {
    BUF_CLEANUP struct buf line = BUF_INIT;
    struct reason said;
    buf_format(&line, "add %s", text);
    int error = tree_file_tell(mount, buf_text(&line), &said);
    if (error < 0) {
        struct name_key key;
        bool names_it = name_parse(text, &key, NULL) >= 0 && strstr(said.text, key.model);
        return err_because(reason, error, "%s%s%s", names_it ? "" : text, names_it ? "" : ": ", said.text);
    }
    size_t len = strcspn(said.text, " ");
    if (len == 0 || strncmp(said.text + len, " is known", 9) != 0)
        return err_because(reason, -EIO, "%s: %s/ctl does not say what became of it", text, mount);
    said.text[len] = '\0';
    return text_copy(ret_key, NAME_KEY_SIZE, said.text);
}

static int find_model(struct pull *pull, const char *text, struct reason *reason) {
    struct name_key key;
    char known[NAME_KEY_SIZE];
    int error = name_parse(text, &key, reason);
    if (error >= 0 && !key.revision[0] && strchr(key.model, '/') &&
        tree_file_find_model(pull->mount, text, pull->dir, pull->key, pull->variant, reason) >= 0)
        return 0;
    if (error >= 0)
        error = add_key(pull->mount, text, known, reason);
    if (error >= 0)
        error = tree_file_find_model(pull->mount, known, pull->dir, pull->key, pull->variant, reason);
    if (error >= 0)
        error = text_copy(pull->variant, sizeof(pull->variant), key.variant);
    return error;
}

static int tell_pull(const struct pull *pull, char *const *words, struct reason *reason) {
    BUF_CLEANUP struct buf line = BUF_INIT;
    buf_text_add(&line, "pull");
    if (pull->variant[0])
        add_word(&line, pull->variant);
    for (; *words; words++) {
        if (strchr(*words, '\n'))
            return err_because(reason, -ERR_BAD_NAME, "'%s' has a line break in it", *words);
        add_word(&line, *words);
    }
    return tree_file_tell(pull->dir, buf_text(&line), reason);
}

/* ctl says "job 12 fetches 3.1 MB of 5 files", or that all is here: then the model's own files are
 * looked at. */
static int choose_watched(struct pull *pull, const struct reason *said) {
    int64_t job;
    pull->is_job = sscanf(said->text, "job %" SCNd64 " ", &job) == 1;
    if (!pull->is_job)
        return text_copy(pull->watched, sizeof(pull->watched), pull->dir);
    int written = snprintf(pull->watched, sizeof(pull->watched), "%s/jobs/%" PRId64, pull->mount, job);
    return written < 0 || (size_t)written >= sizeof(pull->watched) ? -ENAMETOOLONG : 0;
}

static int read_wait(void *dir) {
    char state[64];
    return tree_file_line(dir, "wait", state, sizeof(state));
}

/* Shows progress until the wait is over: 0, -EINTR from the terminal, or what `wait` answered. */
static int follow(const struct pull *pull) {
    struct errand errand = ERRAND_INIT;
    struct bar bar;
    char line[160];
    int error = errand_begin(read_wait, (void *)(uintptr_t)pull->watched, false, &errand);
    if (error < 0)
        return error;
    catch_interrupt();
    bar_init(&bar, STDERR_FILENO, pull->key);
    for (;;) {
        struct pollfd wanted = {.fd = errand.answer_fd, .events = POLLIN};
        int count = poll(&wanted, 1, (int)bar_interval_ms(&bar));
        if (interrupted || count > 0)
            break;
        if (!pull->is_quiet && tree_file_line(pull->watched, "progress", line, sizeof(line)) == 0)
            bar_show(&bar, line);
    }
    error = interrupted ? -EINTR : errand_answer(&errand);
    if (error == 0 && !pull->is_quiet && bar.is_terminal &&
        tree_file_line(pull->watched, "progress", line, sizeof(line)) == 0)
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

/* What became of it: an exit code, the sentence said. */
static int conclude(const struct pull *pull) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    char state[64], sentence[400], size[64];
    int error = tree_file_read(pull->watched, "status", &text);
    if (error < 0)
        return say(WEIGHTFS_EXIT_FATAL, "%s/status: %s", pull->watched, err_sentence(error));
    value_of(buf_text(&text), "state", state, sizeof(state));
    value_of(buf_text(&text), "reason", sentence, sizeof(sentence));
    value_of(buf_text(&text), "bytes_total", size, sizeof(size));
    if (strcmp(state, pull->is_job ? "done" : "ready") == 0) {
        char *words = strchr(size, '('); /* "3146112 (3.1 MB)"; small ones are a number only */
        if (words)
            words[strcspn(words, ")")] = '\0';
        printf("%s: ready, %s%s\n", pull->key, words ? words + 1 : size, words ? "" : " B");
        return WEIGHTFS_EXIT_OK;
    }
    if (strcmp(state, "paused") == 0)
        return say(WEIGHTFS_EXIT_FAILURE, "%s is paused: %s; it goes on by itself when it can", pull->key,
            sentence[0] ? sentence : "no reason is known");
    return say(WEIGHTFS_EXIT_FAILURE, "%s is %s%s%s", pull->key, state, sentence[0] ? ": " : "", sentence);
}

static int run(struct pull *pull, char *const *words) {
    struct reason reason = {""};
    int error = tell_pull(pull, words, &reason);
    if (error < 0)
        return say(WEIGHTFS_EXIT_FAILURE, "%s: %s", pull->key, err_text(&reason, error));
    error = choose_watched(pull, &reason);
    if (error >= 0)
        error = follow(pull);
    if (error == -EINTR)
        return say(128 + SIGINT, "%s: the pull goes on without us; `echo cancel > %s/ctl` ends it", pull->key,
            pull->dir);
    if (error < 0) {
        subject_because(&reason, error, pull->mount, pull->key);
        return say(WEIGHTFS_EXIT_FATAL, "%s", reason.text);
    }
    return conclude(pull);
}

int verb_pull(int argc, char **argv) {
    const char *value, *named = NULL;
    struct reason reason = {""};
    struct pull pull = {.is_quiet = false};
    int flag;
    flags_begin();
    while ((flag = flags_next(pull_flags, argc, argv, &value)) > 0) {
        if (flag == 'q')
            pull.is_quiet = true;
        else
            named = value;
    }
    if (flag < 0)
        return WEIGHTFS_EXIT_USAGE;
    if (optind == argc)
        return verb_usage(argv[0]);
    struct subject subject;
    int code = subject_find(named, argv[optind], &subject);
    if (code)
        return code;
    if (!subject.key[0])
        return say(WEIGHTFS_EXIT_FAILURE, "%s: this lies in no model", subject.path);
    text_copy(pull.mount, sizeof(pull.mount), subject.mount);
    int error = find_model(&pull, subject.key, &reason);
    if (error < 0)
        return say(WEIGHTFS_EXIT_FAILURE, "%s", err_text(&reason, error));
    return run(&pull, &argv[optind + 1]);
}
