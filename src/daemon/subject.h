/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_SUBJECT_H
#define WEIGHTFS_DAEMON_SUBJECT_H

/*
 * What a verb is about: the mount that -m or a path names, and the model that a KEY or a path in the mount
 * does. Paths are those that a shell completes: below the current folder ("hf/acme/tiny/", "./files"), or
 * absolute; "SOURCE/ORG/NAME" is understood from everywhere.
 */

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"

struct subject {
    char mount[PATH_MAX];
    char path[PATH_MAX]; /* absolute, in the mount, unchecked; "" when no path was named */
    char key[PATH_MAX];  /* as typed, an alias resolved, or of the model that `path` lies in; "": none */
};

/* `named`: -m's, or NULL; `word`: KEY or PATH, or NULL. The mount has answered when this returns 0; else
 * it is an exit code, and what is wrong was said. While there is one thread (a child looks at the mount). */
int subject_find(const char *named, const char *word, struct subject *ret_subject);

/* An error of a call on the mount in a sentence: what to do when its daemon has died or hangs. Returns
 * `error`. */
int subject_because(struct reason *reason, int error, const char *mount, const char *what);

/* The key of the model that a path below a mount leads into: "hf/acme/tiny/files" gives "hf:acme/tiny".
 * -ENOENT when it leads into none. (Pure.) */
int subject_key_of(const char *below, char *to, size_t size);

/* How many folders below the mount the model's folder is that `below` (behind the mount) leads to or into;
 * 0: to none. *ret_is_remote: models of that source are served elsewhere, and have no files. */
unsigned subject_model_depth(const char *below, bool *ret_is_remote);

#endif
