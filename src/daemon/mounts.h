/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_MOUNTS_H
#define WEIGHTFS_DAEMON_MOUNTS_H

/*
 * Which mounts of ours there are, as /proc/self/mountinfo has it. Nothing here touches a mount: one whose
 * daemon hangs would hang us too.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

#define MOUNTS_TYPE "fuse.weightfs"

struct mount_entry {
    char *point;    /* absolute, unescaped */
    unsigned minor; /* of its device: the FUSE connection's number */
    bool covered;   /* another mount lies on top of it, at the same point */
};

struct mounts {
    struct mount_entry *entries;
    size_t count;
};
#define MOUNTS_INIT \
    { NULL, 0 }
#define MOUNTS_CLEANUP __attribute__((cleanup(mounts_done)))

/* Mounts of type fuse.weightfs in a mountinfo text, in its order. (Pure.) */
void mounts_parse(const char *text, struct mounts *ret_mounts);
/* The same of this process. -errno. */
int mounts_read(struct mounts *ret_mounts);
void mounts_done(struct mounts *mounts);

/* The uppermost mount that is `path` or that `path` lies in (absolute, without . and ..); NULL. */
const struct mount_entry *mounts_containing(const struct mounts *mounts, const char *path);
/* The uppermost mount at exactly `point`; NULL. */
const struct mount_entry *mounts_at(const struct mounts *mounts, const char *point);

/* `path` made absolute: without "." and ".." and double slashes, links followed; from a mount of ours on
 * it is taken as it is written, so that the mount is not touched. The last part need not be there. -errno,
 * -ENAMETOOLONG. */
int mounts_resolve(const char *path, char *to, size_t size);

/*
 * Finds the mount that a verb is about: `named` (the -m flag, or NULL), else WEIGHTFS_MOUNT, else the
 * current folder, else the only one there is. -ENOENT (none), -EEXIST (several and none named: mounts_print()
 * lists them), with a sentence.
 */
int mounts_find(const char *named, char *ret_point, size_t size, struct reason *reason);
/* The same on given facts. (Pure.) `folder`: the current one, or NULL. */
int mounts_choose(const struct mounts *mounts, const char *named, const char *folder, char *ret_point,
    size_t size, struct reason *reason);
/* Their points, a line each. */
void mounts_print(const struct mounts *mounts, FILE *to);

#endif
