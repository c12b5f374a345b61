/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/verbs.h"

#include <string.h>

#include "base/buf.h"
#include "daemon/say.h"

static const struct flag no_flags[] = {{0, NULL, NULL, NULL}};

static const struct verb verbs[] = {
    {"mount", "[-f] [--store DIR] [--config FILE] [-o KEY=VALUE[,KEY=VALUE…]] MOUNTPOINT",
        "mount the models at MOUNTPOINT; returns when the mount answers", mount_flags, verb_mount},
    {"umount", "[-l] MOUNTPOINT", "unmount, and wait until the daemon has gone", umount_flags, verb_umount},
    {"status", "[-m DIR] [KEY|PATH]", "how the mount is, or a model", status_flags, verb_status},
    {"ls", "[-m DIR] [-l] [KEY|PATH]", "the models that are known, or the files of one", ls_flags, verb_ls},
    {"pull", "[-m DIR] [-q] KEY|PATH [VARIANT|FILE…]",
        "fetch a model, verify it and keep it; shows how far it is", pull_flags, verb_pull},
    {"config", "[--dump] [-m DIR | [--config FILE] [-o KEY=VALUE…]] [NAME…]",
        "print the settings of a mount, or those that one would have, and where each comes from",
        config_flags, verb_config},
    {"help", "[VERB]", "this list, or all of one verb", no_flags, verb_help},
    {NULL, NULL, NULL, NULL, NULL},
};

const struct verb *verb_row(size_t index) {
    return index < sizeof(verbs) / sizeof(verbs[0]) - 1 ? &verbs[index] : NULL;
}

const struct verb *verb_find(const char *name) {
    for (const struct verb *verb = verbs; verb->name; verb++) {
        if (strcmp(verb->name, name) == 0)
            return verb;
    }
    return NULL;
}

int verb_unknown(const char *name) {
    const struct verb *nearest = NULL;
    size_t third = strlen(name) / 3; /* further away it is another word */
    unsigned least = 1 + (third < 1 ? 1 : third > 3 ? 3 : (unsigned)third);
    for (const struct verb *verb = verbs; verb->name; verb++) {
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
    for (const struct verb *verb = verbs; verb->name; verb++)
        fprintf(to, "  %-8s %s\n", verb->name, verb->help);
    fputs("\n  --version                 print the version\n"
          "  --print-docs PAGE         print docs/PAGE.md: tree, options, errors, metrics, or all\n"
          "  --print-faults            print the fault points that WEIGHTFS_FAULT may name\n"
          "\n`weightfs help VERB` tells more, `cat MOUNTPOINT/README` explains the tree.\n"
          "Keys name models: hf:ORG/NAME[:VARIANT], or ORG/NAME.\n"
          "WEIGHTFS_TRACE=KEY[,KEY…] (or all) switches detail of the log on.\n",
        to);
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
    if (verb->flags->id) {
        putchar('\n');
        flags_print(verb->flags, stdout);
    }
    return WEIGHTFS_EXIT_OK;
}
