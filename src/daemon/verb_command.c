/* SPDX-License-Identifier: Apache-2.0 */
/* Every command of `ctl` as a verb: the line is written where the words say, and what began is followed. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/command_words.h"
#include "daemon/follow.h"
#include "daemon/say.h"
#include "daemon/subject.h"
#include "daemon/tree_file.h"
#include "daemon/verbs.h"
#include "model/name.h"

enum { FLAG_WAIT = FLAG_LONG_ONLY, FLAG_NO_WAIT };

const struct flag command_flags[] = {
    FLAG_MOUNT,
    {FLAG_WAIT, "wait", NULL,
        "wait for the jobs that begin, and end as they do (so it is without this, too)"},
    {FLAG_NO_WAIT, "no-wait", NULL, "return when the command is taken"},
    {'q', "quiet", NULL, "no progress"},
    {0, NULL, NULL, NULL},
};

static const struct { const char *verb, *command; } other_names[] = {{"rm", "forget"}, {"download", "pull"}};

const char *command_of_verb(const char *verb) {
    for (size_t i = 0; i < sizeof(other_names) / sizeof(other_names[0]); i++)
        if (strcmp(verb, other_names[i].verb) == 0)
            return other_names[i].command;
    return verb;
}

struct request {
    const char *verb, *command, *named;
    bool is_quiet, no_wait;
};

struct place_found {
    char mount[PATH_MAX], dir[PATH_MAX];
    char title[NAME_KEY_SIZE]; /* what is spoken of: a key, "job 12", or "" */
};

/* ---- where ---- */

static int find_root(const struct request *request, struct place_found *place) {
    struct subject subject;
    int code = subject_find(request->named, NULL, &subject);
    if (code)
        return code;
    text_copy(place->mount, sizeof(place->mount), subject.mount);
    text_copy(place->dir, sizeof(place->dir), subject.mount);
    place->title[0] = '\0';
    return 0;
}

static int find_job(const struct request *request, const char *word, struct place_found *place) {
    struct stat status;
    int code = find_root(request, place);
    if (code)
        return code;
    int written = snprintf(place->dir, sizeof(place->dir), "%s/jobs/%s", place->mount, word);
    if (written < 0 || (size_t)written >= sizeof(place->dir) || stat(place->dir, &status) < 0)
        return say(WEIGHTFS_EXIT_FAILURE, "there is no job %s; `weightfs jobs` lists those that there are",
            word);
    snprintf(place->title, sizeof(place->title), "job %s", word);
    return 0;
}

static int find_model(const struct request *request, const char *word, struct place_found *place) {
    struct subject subject;
    struct reason reason = {""};
    char variant[NAME_VARIANT_SIZE];
    int code = subject_find(request->named, word, &subject);
    if (code)
        return code;
    if (!subject.key[0])
        return say(WEIGHTFS_EXIT_FAILURE, "%s: this lies in no model", subject.path);
    text_copy(place->mount, sizeof(place->mount), subject.mount);
    int error = tree_file_find_model(subject.mount, subject.key, place->dir, place->title, variant, &reason);
    return error < 0 ? say(WEIGHTFS_EXIT_FAILURE, "%s", err_text(&reason, error)) : 0;
}

/* ---- what ---- */

struct following {
    const struct request *request;
    const struct place_found *place;
    int code;
};

static int follow_one(void *context, int64_t id) {
    struct following *following = context;
    int code = follow_job(following->place->mount, id, following->place->title, following->request->is_quiet);
    following->code = following->code ? following->code : code;
    return code > WEIGHTFS_EXIT_FATAL; /* interrupted: the others are not waited for either */
}

static int tell(const struct request *request, const struct place_found *place, char *const *words,
    int count) {
    BUF_CLEANUP struct buf line = BUF_INIT;
    struct reason reason = {""};
    const char *title = place->title[0] ? place->title : request->command;
    int error = buf_text_add(&line, request->command);
    for (int i = 0; i < count && error >= 0; i++)
        error = command_add_word(&line, words[i], &reason);
    if (error >= 0)
        error = tree_file_tell(place->dir, buf_text(&line), &reason);
    if (error < 0) {
        const char *text = err_text(&reason, error);
        bool names_it = strncmp(text, title, strlen(title)) == 0;
        return say(WEIGHTFS_EXIT_FAILURE, "%s%s%s", names_it ? "" : title, names_it ? "" : ": ", text);
    }
    struct following following = {request, place, 0};
    if (!request->no_wait && follow_each_job(reason.text, follow_one, &following) == 0 && !following.code &&
        !reason.text[0])
        return WEIGHTFS_EXIT_OK;
    if (reason.text[0] && (request->no_wait || !strstr(reason.text, "job")))
        printf("%s%s%s\n", place->title, place->title[0] ? ": " : "", reason.text);
    return following.code;
}

/* Commands that take nothing are done for each of several models or jobs; else the first word says where. */
static int run_at(const struct request *request, enum command_place where, char **words, int count) {
    const struct command_row *row = command_row_of(request->command, where);
    int places = *row->arguments ? 1 : count, code = 0;
    for (int i = 0; i < places; i++) {
        struct place_found place;
        int one = where == COMMAND_JOB ? find_job(request, words[i], &place)
                                       : find_model(request, words[i], &place);
        if (!one)
            one = tell(request, &place, words + places, count - places);
        code = code ? code : one;
        if (one >= WEIGHTFS_EXIT_FATAL)
            break;
    }
    return code;
}

/* What is to be forgotten is told to the root: a look into a model's folder would make it known first. */
static int run_forget(const struct request *request, char **words, int count) {
    int code = 0;
    for (int i = 0; i < count; i++) {
        struct place_found place;
        struct subject subject;
        char *key = subject.key;
        int one = subject_find(request->named, words[i], &subject);
        if (!one && !subject.key[0])
            one = say(WEIGHTFS_EXIT_FAILURE, "%s: this lies in no model", subject.path);
        if (!one) {
            text_copy(place.mount, sizeof(place.mount), subject.mount);
            text_copy(place.dir, sizeof(place.dir), subject.mount);
            text_copy(place.title, sizeof(place.title), subject.key);
            one = tell(request, &place, &key, 1);
        }
        code = code ? code : one;
        if (one >= WEIGHTFS_EXIT_FATAL)
            break;
    }
    return code;
}

/* A word without a slash may be an alias; where the root's command takes words, it is one of those. */
static bool may_be_subject(const char *command, const char *word) {
    const struct command_row *root = command_row_of(command, COMMAND_ROOT);
    return command_is_subject(word) || !root || !*root->arguments;
}

static int run(const struct request *request, char **words, int count) {
    unsigned places = command_places(request->command);
    if (count && (places & COMMAND_JOB) && command_is_job(words[0]))
        return run_at(request, COMMAND_JOB, words, count);
    if (count && strcmp(request->command, "forget") == 0)
        return run_forget(request, words, count);
    if (count && (places & COMMAND_MODEL) && may_be_subject(request->command, words[0]))
        return run_at(request, COMMAND_MODEL, words, count);
    const struct command_row *row = command_row_of(request->command, COMMAND_ROOT);
    if (!row)
        return verb_usage(request->verb);
    struct place_found place;
    int code = find_root(request, &place);
    return code ? code : tell(request, &place, words, count);
}

int verb_command(int argc, char **argv) {
    const char *value;
    struct request request = {.verb = argv[0], .command = command_of_verb(argv[0])};
    int flag;
    argc = command_flags_to_words(request.command, argc, argv);
    flags_begin();
    while ((flag = flags_next(command_flags, argc, argv, &value)) > 0) {
        switch (flag) {
        case 'm': request.named = value; break;
        case 'q': request.is_quiet = true; break;
        case FLAG_WAIT: request.no_wait = false; break;
        case FLAG_NO_WAIT: request.no_wait = true; break;
        }
    }
    if (flag < 0)
        return WEIGHTFS_EXIT_USAGE;
    return run(&request, &argv[optind], argc - optind);
}
