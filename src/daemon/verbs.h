/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_VERBS_H
#define WEIGHTFS_DAEMON_VERBS_H

/*
 * The verbs of the command. verbs.c holds the table; help, usage, completion, manual and dispatch come from
 * it. Each command of `ctl` that has no row there is a verb as well, made from its own row.
 * A verb gets its own words (argv[0] is the verb) and returns an exit code of weightfs/exit.h. All but
 * `mount` are thin: they read and write files of a mounted tree.
 */

#include <stdbool.h>
#include <stdio.h>

#include "daemon/flags.h"

struct verb {
    const char *name;
    const char *arguments;    /* "[KEY]" */
    const char *help;         /* one sentence */
    const struct flag *flags; /* ended by a row without an id */
    int (*run)(int argc, char **argv);
};

/* NULL after the last. */
const struct verb *verb_row(size_t index);
/* Was it made from the row of a command? */
bool verb_is_made(size_t index);
const struct verb *verb_find(const char *name);
/* `weightfs: …` with the nearest verb. Returns WEIGHTFS_EXIT_FAILURE, as git does. */
int verb_unknown(const char *name);
/* The synopsis of a verb, for usage errors: prints it and returns WEIGHTFS_EXIT_USAGE. */
int verb_usage(const char *name);
void verbs_print_help(FILE *to);

/* The command of ctl that a verb stands for: its own name, or another ("rm": "forget"). */
const char *command_of_verb(const char *verb);

extern const struct flag mount_flags[], umount_flags[], document_flags[], text_flags[], ls_flags[],
    pull_flags[], config_flags[], jobs_flags[], events_flags[], configure_flags[], recommended_flags[],
    command_flags[], run_flags[], chat_flags[];
int verb_mount(int argc, char **argv);
int verb_umount(int argc, char **argv);
int verb_document(int argc, char **argv);
int verb_ls(int argc, char **argv);
int verb_jobs(int argc, char **argv);
int verb_ps(int argc, char **argv);
int verb_events(int argc, char **argv);
int verb_pull(int argc, char **argv);
int verb_configure(int argc, char **argv);
int verb_recommended(int argc, char **argv);
int verb_config(int argc, char **argv);
int verb_command(int argc, char **argv);
int verb_run(int argc, char **argv);
int verb_chat(int argc, char **argv);
int verb_help(int argc, char **argv);

#endif
