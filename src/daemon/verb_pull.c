/* SPDX-License-Identifier: Apache-2.0 */
/* weightfs pull: `echo pull > ctl && cat wait`, with progress in between. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "daemon/command_words.h"
#include "daemon/follow.h"
#include "daemon/say.h"
#include "daemon/subject.h"
#include "daemon/tree_file.h"
#include "daemon/verbs.h"
#include "model/name.h"

enum { FLAG_NO_WAIT = FLAG_LONG_ONLY };

const struct flag pull_flags[] = {
    FLAG_MOUNT,
    {'q', "quiet", NULL, "no progress"},
    {FLAG_NO_WAIT, "no-wait", NULL, "return when the command is taken"},
    {0, NULL, NULL, NULL},
};

struct pull {
    char mount[PATH_MAX];
    char dir[PATH_MAX]; /* the model's */
    char key[NAME_KEY_SIZE];
    char variant[NAME_VARIANT_SIZE];
    char watched[PATH_MAX]; /* whose progress and wait are looked at: the job's, or the model's */
    bool is_job, is_quiet, no_wait;
};

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
        (void)command_add_word(&line, pull->variant, reason);
    for (int error; *words; words++)
        if ((error = command_add_word(&line, *words, reason)) < 0)
            return error;
    return tree_file_tell(pull->dir, buf_text(&line), reason);
}

static int take_job(void *context, int64_t id) {
    *(int64_t *)context = id;
    return 1;
}

/* ctl says "job 12 fetches 3.1 MB of 5 files", or that all is here: then the model's own files are
 * looked at. */
static int choose_watched(struct pull *pull, const struct reason *said) {
    int64_t job;
    pull->is_job = follow_each_job(said->text, take_job, &job) == 1;
    if (!pull->is_job)
        return text_copy(pull->watched, sizeof(pull->watched), pull->dir);
    int written = snprintf(pull->watched, sizeof(pull->watched), "%s/jobs/%" PRId64, pull->mount, job);
    return written < 0 || (size_t)written >= sizeof(pull->watched) ? -ENAMETOOLONG : 0;
}

/* What became of it: an exit code, the sentence said. */
static int conclude(const struct pull *pull) {
    struct outcome_said said;
    int error = follow_outcome(pull->watched, &said);
    if (error < 0)
        return say(WEIGHTFS_EXIT_FATAL, "%s/status: %s", pull->watched, err_sentence(error));
    if (strcmp(said.state, pull->is_job ? "done" : "ready") == 0) {
        printf("%s: ready, %s\n", pull->key, said.size);
        return WEIGHTFS_EXIT_OK;
    }
    if (strcmp(said.state, "paused") == 0)
        return say(WEIGHTFS_EXIT_FAILURE, "%s is paused: %s; it goes on by itself when it can", pull->key,
            said.reason[0] ? said.reason : "no reason is known");
    return say(WEIGHTFS_EXIT_FAILURE, "%s is %s%s%s", pull->key, said.state, said.reason[0] ? ": " : "",
        said.reason);
}

static int run(struct pull *pull, char *const *words) {
    struct reason reason = {""};
    int error = tell_pull(pull, words, &reason);
    if (error < 0)
        return say(WEIGHTFS_EXIT_FAILURE, "%s: %s", pull->key, err_text(&reason, error));
    if (pull->no_wait) {
        printf("%s: %s\n", pull->key, reason.text[0] ? reason.text : "nothing to do");
        return WEIGHTFS_EXIT_OK;
    }
    error = choose_watched(pull, &reason);
    if (error >= 0)
        error = follow(pull->watched, pull->key, pull->is_quiet);
    if (error == -EINTR)
        return say(128 + SIGINT, "%s: the pull goes on without us; `echo cancel > %s/ctl` ends it", pull->key,
            pull->dir);
    if (error < 0) {
        subject_because(&reason, error, pull->mount, pull->key);
        return say(WEIGHTFS_EXIT_FATAL, "%s", reason.text);
    }
    return conclude(pull);
}

/* "recommended", "category=vision": what the root's pull takes instead of a key. */
static bool is_of_root(const char *word) {
    const struct command_row *row = command_row_of("pull", COMMAND_ROOT);
    size_t len = strcspn(word, "=");
    return row && command_mentions(row->arguments, word, len, word[len] == '=');
}

int verb_pull(int argc, char **argv) {
    const char *value, *named = NULL;
    struct reason reason = {""};
    struct pull pull = {.is_quiet = false};
    int flag;
    argc = command_flags_to_words("pull", argc, argv);
    flags_begin();
    while ((flag = flags_next(pull_flags, argc, argv, &value)) > 0) {
        switch (flag) {
        case 'm': named = value; break;
        case 'q': pull.is_quiet = true; break;
        case FLAG_NO_WAIT: pull.no_wait = true; break;
        }
    }
    if (flag < 0)
        return WEIGHTFS_EXIT_USAGE;
    if (optind == argc)
        return verb_usage(argv[0]);
    if (is_of_root(argv[optind]))
        return verb_command(argc, argv);
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
