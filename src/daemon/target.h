/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_TARGET_H
#define WEIGHTFS_DAEMON_TARGET_H

/*
 * What is to be mounted where, with every path decided before the daemon leaves the caller's terminal
 * and folder. Filled by target_decide(), then only read.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/option.h"

#define TARGET_INSTANCE_SIZE 201
#define TARGET_SESSION_SIZE  128

struct target {
    char mountpoint[PATH_MAX]; /* absolute, or "/dev/fd/N" of a supervisor */
    char store[PATH_MAX];      /* absolute */
    char log[PATH_MAX];        /* absolute; "": in the instance's folder, or standard error with -f */
    char instance[TARGET_INSTANCE_SIZE];
    char session[TARGET_SESSION_SIZE]; /* the FUSE connection's name, see catalog_set_answer */
    int supervised_fd;                 /* N of /dev/fd/N; -1 */
};

/*
 * Decides, and refuses what can't work, with a sentence: a mountpoint that is no folder or is mounted
 * already, a store inside it or around it, a name for the instance that is none. `session`: as given,
 * or NULL. To be used while there is one thread (a mount may be there that hangs: a child looks).
 */
int target_decide(const char *mountpoint, const char *session, const struct options *options,
    struct target *ret_target, struct reason *reason);

/* Makes the options that name files absolute, against the current folder, and gives `store` the value that
 * it has when nobody named one: what config/ and `weightfs config` show. */
int target_settle_paths(struct options *options, struct reason *reason);
/* Sets `name` to the value that was decided; where the option comes from stays as it was. */
int target_put_back(struct options *options, const char *name, const char *value, struct reason *reason);

/* As `systemd-escape --path`: "/srv/ai models" gives "srv-ai\x20models". -ENAMETOOLONG. (Pure.) */
int target_escape(const char *path, char *to, size_t size);
/* The folder for data where none is named. -ERR_CONFIG when there is no home folder. */
int target_default_store(char *to, size_t size, struct reason *reason);
/* N of "/dev/fd/N"; -1 for every other path. (Pure.) */
int target_supervised_fd(const char *mountpoint);

#endif
