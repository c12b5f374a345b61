/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_CHECK_SET_H
#define WEIGHTFS_MANAGE_CHECK_SET_H

/*
 * What several files of a model must agree on (model/format_set.h), as a part of its validation, after its
 * files were checked one by one: an index and its shards by their tensors, split sets by their parts, the
 * folder of a Vosk model by its names. A set is judged with the file that speaks for it: the index, the first
 * part that is listed, any file of the Vosk folder. What is not here is not looked into, and that is said.
 */

#include "manage/check.h"
#include "manage/report.h"

/* Paths of a model's files. Pure, any thread. */
struct check_names {
    char **array;
    size_t count, room;
};
void check_names_add(struct check_names *names, const char *path);
void check_names_sort(struct check_names *names);
bool check_names_have(const struct check_names *names, const char *path); /* sorted before */
void check_names_done(struct check_names *names);

struct set_file {
    char *path;
    struct blob *blob; /* a reference; NULL: masked */
    uint64_t size;
    struct set_check *set;
};

struct set_check {
    struct work work;
    struct check_run *run;                 /* the owner's: its reference outlives this */
    void (*finish)(struct set_check *set); /* on the desk */
    struct check_names listed;             /* all files of the model */
    struct check_names checked;            /* those that are validated now */
    struct report_lines lines;             /* the thread's from submit to finish */
    int error;                             /* -ERR_CANCELLED: it was cut short */
    /* inside */
    struct set_file *files; /* those that sets are made of, in the order of their paths */
    size_t count, room;
    const struct set_file *open; /* the one that fd is of: sets are read file by file */
    int fd;
};

/* Desk: of all files of the revision. Zeroed before; checked is the caller's to fill and sort. */
int set_check_read(struct set_check *set, struct check_run *run, const struct catalog_model *model);
void set_check_done(struct set_check *set);
/* To the threads; finish() comes, also when the run was cancelled. -errno: no thread could be started. */
int set_check_submit(struct set_check *set);

#endif
