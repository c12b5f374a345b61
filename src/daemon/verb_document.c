/* SPDX-License-Identifier: Apache-2.0 */
/* weightfs status, report, card …: prints a file of the mount or of a model, as text or as JSON. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/say.h"
#include "daemon/subject.h"
#include "daemon/tree_file.h"
#include "daemon/verbs.h"
#include "model/name.h"

enum { FLAG_FORMAT = FLAG_LONG_ONLY + 1 };

const struct flag document_flags[] = {
    FLAG_MOUNT,
    FLAG_AS_JSON,
    {FLAG_FORMAT, "format", "json|text", "the same, with a word"},
    {0, NULL, NULL, NULL},
};

/* Of those that have no JSON. */
const struct flag text_flags[] = {FLAG_MOUNT, {0, NULL, NULL, NULL}};

/* Files by verb; NULL: there is none. */
static const struct document {
    const char *verb;
    const char *root, *root_json, *model, *model_json;
} documents[] = {
    {"status", "status", "status.json", "status", "status.json"},
    {"health", "health", NULL, NULL, NULL}, /* no JSON: text_flags */
    {"metrics", "metrics", NULL, NULL, NULL},
    {"report", NULL, NULL, "report", "report.json"},
    {"card", NULL, NULL, "card", "card.json"},
    {"plan", NULL, NULL, "plan", NULL},
};

static const struct document *document_of(const char *verb) {
    const struct document *document = documents;
    while (strcmp(document->verb, verb) != 0)
        document++; /* verbs.c has no other */
    return document;
}

struct request {
    const struct document *document;
    const char *named;
    bool as_json;
};

static int parse(int argc, char **argv, struct request *request) {
    const char *value;
    int flag;
    bool has_json = request->document->root_json || request->document->model_json;
    flags_begin();
    while ((flag = flags_next(has_json ? document_flags : text_flags, argc, argv, &value)) > 0) {
        switch (flag) {
        case 'm': request->named = value; break;
        case FLAG_JSON: request->as_json = true; break;
        case FLAG_FORMAT:
            request->as_json = strcmp(value, "json") == 0;
            if (!request->as_json && strcmp(value, "text") != 0)
                return say(WEIGHTFS_EXIT_USAGE, "--format takes json or text, not '%s'", value);
            break;
        }
    }
    return flag < 0 ? WEIGHTFS_EXIT_USAGE : 0;
}

static int print(const struct request *request, const char *mount, const char *dir, bool of_model) {
    const struct document *document = request->document;
    const char *text = of_model ? document->model : document->root;
    const char *json = of_model ? document->model_json : document->root_json;
    const char *name = request->as_json ? json : text;
    struct reason reason = {""};
    if (!text)
        return say(WEIGHTFS_EXIT_USAGE, "%s is about %s; usage: weightfs %s %s", document->verb,
            of_model ? "the whole mount" : "a model: name one", document->verb,
            verb_find(document->verb)->arguments);
    int error = tree_file_print(dir, name);
    if (error == -ENOENT)
        return say(WEIGHTFS_EXIT_FAILURE,
            "there is no %s/%s: the daemon that is mounted there does not make one", dir, name);
    if (error < 0) {
        subject_because(&reason, error, mount, dir);
        return say(WEIGHTFS_EXIT_FATAL, "%s", reason.text);
    }
    return WEIGHTFS_EXIT_OK;
}

int verb_document(int argc, char **argv) {
    struct request request = {.document = document_of(argv[0])};
    struct subject subject;
    struct reason reason = {""};
    char dir[PATH_MAX], key[NAME_KEY_SIZE], variant[NAME_VARIANT_SIZE];
    int code = parse(argc, argv, &request);
    if (code)
        return code;
    if (argc - optind > 1)
        return verb_usage(argv[0]);
    /* What is about models only means the one where one stands. */
    const char *word = argv[optind] ? argv[optind] : !request.document->root && !request.named ? "." : NULL;
    code = subject_find(request.named, word, &subject);
    if (code)
        return code;
    bool is_below = subject.path[0] && strcmp(subject.path, subject.mount) != 0;
    if (!subject.key[0] && is_below && argv[optind])
        return say(WEIGHTFS_EXIT_FAILURE, "%s: this lies in no model", subject.path);
    text_copy(dir, sizeof(dir), subject.mount);
    int error =
        subject.key[0] ? tree_file_find_model(subject.mount, subject.key, dir, key, variant, &reason) : 0;
    return error < 0 ? say(WEIGHTFS_EXIT_FAILURE, "%s", err_text(&reason, error))
                     : print(&request, subject.mount, dir, subject.key[0]);
}
