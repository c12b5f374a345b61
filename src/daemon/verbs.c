/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/verbs.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "daemon/command_words.h"
#include "daemon/say.h"

static const struct flag no_flags[] = {{0, NULL, NULL, NULL}};

/* clang-format off */
static const struct verb own_verbs[] = {
    {"mount", "[-f] [--store DIR] [--config FILE] [-o KEY=VALUE[,KEY=VALUE…]] MOUNTPOINT",
        "mount the models at MOUNTPOINT; returns when the mount answers", mount_flags, verb_mount},
    {"umount", "[-l] MOUNTPOINT",
        "unmount, and wait until the daemon has gone", umount_flags, verb_umount},
    {"status", "[-m DIR] [--json] [KEY|PATH]",
        "how the mount is, or a model", document_flags, verb_document},
    {"health", "[-m DIR]",
        "what is well and what is not", text_flags, verb_document},
    {"metrics", "[-m DIR]",
        "figures for Prometheus", text_flags, verb_document},
    {"ls", "[-m DIR] [-l] [--json] [KEY|PATH]",
        "the models that are known, or the files of one", ls_flags, verb_ls},
    {"ps", "[-m DIR] [--json]",
        "which models are loaded, and which jobs are under way", jobs_flags, verb_ps},
    {"jobs", "[-m DIR] [--json]",
        "what is under way, and what was", jobs_flags, verb_jobs},
    {"events", "[-m DIR] [-f] [--json]",
        "what happened; -f: and what happens", events_flags, verb_events},
    {"pull", "[-m DIR] [-q] [--no-wait] KEY|PATH [VARIANT|FILE…] | category=NAME | recommended | all",
        "fetch a model, verify it and keep it; shows how far it is", pull_flags, verb_pull},
    {"download", "[-m DIR] [-q] [--no-wait] KEY|PATH [VARIANT|FILE…] | category=NAME | recommended | all",
        "the same as pull", pull_flags, verb_pull},
    {"rm", "[-m DIR] KEY|PATH…",
        "forget models, and free the disk that they take", command_flags, verb_command},
    {"recommended", "[-m DIR] [-a] [--category NAME] [--json]",
        "models that the registry recommends", recommended_flags, verb_recommended},
    {"configure", "[-m DIR] [--json] [KEY|PATH] [NAME[=VALUE]…]",
        "show or change the settings of the mount or of a model; NAME=default unsets", configure_flags,
        verb_configure},
    {"config", "[--dump] [--json] [-m DIR | [--config FILE] [-o KEY=VALUE…]] [NAME…]",
        "print the settings of a mount, or those that one would have, and where each comes from",
        config_flags, verb_config},
    {"card", "[-m DIR] [--json] [KEY|PATH]",
        "what a model is", document_flags, verb_document},
    {"plan", "[-m DIR] [KEY|PATH]",
        "what a pull of a model would do", text_flags, verb_document},
    {"report", "[-m DIR] [--json] [KEY|PATH]",
        "what the last validation of a model found", document_flags, verb_document},
    {"run", "[-m DIR] KEY|PATH [PROMPT…]",
        "ask a model; without a PROMPT standard input is one", run_flags, verb_run},
    {"chat", "[-m DIR] KEY|PATH [NAME]",
        "talk with a model, a line a turn; a NAME is kept, and goes on next time", chat_flags, verb_chat},
    {"help", "[VERB]",
        "this list, or all of one verb", no_flags, verb_help},
};
/* clang-format on */

#define OWN_COUNT     (sizeof(own_verbs) / sizeof(own_verbs[0]))
#define COMMANDS_MOST 64

/* "[-m DIR] [KEY|PATH… | JOB…]", "[-m DIR] NAME VALUE | KEY|PATH NAME VALUE": from the rows of a command. */
static char *arguments_of(const char *command) {
    static const struct {
        enum command_place place;
        const char *word;
    } words[] = {{COMMAND_ROOT, ""}, {COMMAND_MODEL, "KEY|PATH"}, {COMMAND_JOB, "JOB"}};
    BUF_CLEANUP struct buf all = BUF_INIT, text = BUF_INIT;
    bool may_be_bare = false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) { /* no limit: nothing here can fail */
        const struct command_row *row = command_row_of(command, words[i].place);
        if (!row)
            continue;
        bool is_root = words[i].place == COMMAND_ROOT, is_bare = !*row->arguments;
        may_be_bare |= is_root && is_bare;
        if (is_root && is_bare)
            continue;
        (void)buf_format(&all, "%s%s%s%s%s", all.len ? " | " : "", words[i].word,
            !is_root && is_bare ? "…" : "", is_root || is_bare ? "" : " ", row->arguments);
    }
    bool bracket = may_be_bare && all.len;
    (void)buf_format(&text, "[-m DIR]%s%s%s%s", all.len ? " " : "", bracket ? "[" : "", buf_text(&all),
        bracket ? "]" : "");
    return buf_take(&text);
}

static bool is_own(const char *name) {
    for (size_t i = 0; i < OWN_COUNT; i++)
        if (strcmp(own_verbs[i].name, name) == 0)
            return true;
    return false;
}

/* Made when first asked for; they live as long as the process. */
static const struct verb *command_verb(size_t index) {
    static struct verb made[COMMANDS_MOST];
    static size_t count;
    static bool is_made;
    const struct command_row *row;
    for (size_t i = 0; !is_made && (row = command_row(i)); i++) {
        bool known = is_own(row->name);
        for (size_t j = 0; j < count; j++)
            known |= strcmp(made[j].name, row->name) == 0;
        if (known)
            continue;
        assert(count < COMMANDS_MOST);
        made[count++] =
            (struct verb){row->name, arguments_of(row->name), row->help, command_flags, verb_command};
    }
    is_made = true;
    return index < count ? &made[index] : NULL;
}

const struct verb *verb_row(size_t index) {
    return index < OWN_COUNT ? &own_verbs[index] : command_verb(index - OWN_COUNT);
}

bool verb_is_made(size_t index) {
    return index >= OWN_COUNT;
}

const struct verb *verb_find(const char *name) {
    const struct verb *verb;
    for (size_t i = 0; (verb = verb_row(i)); i++)
        if (strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}

int verb_unknown(const char *name) {
    const struct verb *verb, *nearest = NULL;
    size_t third = strlen(name) / 3; /* further away it is another word */
    unsigned least = 1 + (third < 1 ? 1 : third > 3 ? 3 : (unsigned)third);
    for (size_t i = 0; (verb = verb_row(i)); i++) {
        unsigned distance = text_distance(name, verb->name);
        if (distance < least) {
            least = distance;
            nearest = verb;
        }
    }
    if (nearest)
        return say(WEIGHTFS_EXIT_FAILURE, "there is no verb '%s'; did you mean '%s'?", name, nearest->name);
    return say(WEIGHTFS_EXIT_FAILURE, "there is no verb '%s'; `weightfs --help` lists them", name);
}

int verb_usage(const char *name) {
    const struct verb *verb = verb_find(name);
    fprintf(stderr, "usage: weightfs %s %s\n", name, verb ? verb->arguments : "");
    return WEIGHTFS_EXIT_USAGE;
}

void verbs_print_help(FILE *to) {
    fputs("usage: weightfs VERB [ARGUMENT…]\n\nweightfs mounts AI models as files.\n\n", to);
    const struct verb *verb;
    for (size_t i = 0; (verb = verb_row(i)); i++)
        fprintf(to, "%s  %-12s %s\n", i == OWN_COUNT ? "\nCommands, as `ctl` takes them:\n\n" : "",
            verb->name, verb->help);
    fputs("\n  --version                 print the version\n"
          "  --print-docs PAGE         print docs/PAGE.md: tree, options, errors, metrics, or all; man: the "
          "manual\n"
          "  --print-faults            print the fault points that WEIGHTFS_FAULT may name\n"
          "\n`weightfs help VERB` tells more, `cat MOUNTPOINT/README` explains the tree.\n"
          "Keys name models: hf:ORG/NAME[:VARIANT], or ORG/NAME, or an alias of the catalogue.\n"
          "WEIGHTFS_TRACE=KEY[,KEY…] (or all) switches detail of the log on.\n",
        to);
}

/* A command may mean something else in another place. */
static void print_places(const struct verb *verb) {
    const struct command_row *row;
    for (size_t i = 0; verb->run == verb_command && (row = command_row(i)); i++)
        if (strcmp(row->name, command_of_verb(verb->name)) == 0 && strcmp(row->help, verb->help) != 0)
            printf("%s: %s.\n", row->places & COMMAND_ROOT ? "For all" : "For one", row->help);
}

int verb_help(int argc, char **argv) {
    if (argc < 2) {
        verbs_print_help(stdout);
        return WEIGHTFS_EXIT_OK;
    }
    const struct verb *verb = verb_find(argv[1]);
    if (!verb)
        return verb_unknown(argv[1]);
    printf("usage: weightfs %s %s\n\n%s.\n", verb->name, verb->arguments, verb->help);
    print_places(verb);
    if (verb->flags->id) {
        putchar('\n');
        flags_print(verb->flags, stdout);
    }
    return WEIGHTFS_EXIT_OK;
}
