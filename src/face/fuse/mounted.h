/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_FACE_FUSE_MOUNTED_H
#define WEIGHTFS_FACE_FUSE_MOUNTED_H

/*
 * What is mounted where, found out without touching a mount that may be ours or dead: from /proc.
 */

#include <stddef.h>

#include "base/err.h"

/* N of "/dev/fd/N"; -1: it is another path. */
int mounted_session_fd(const char *mountpoint);
/* The mountpoint without links, as /proc/self/mountinfo has it, with its last component left alone when
 * that is a mount of ours. The caller frees. -errno. */
int mounted_resolve(const char *mountpoint, char **ret_path, struct reason *reason);
/* Unmounts dead mounts of ours there. -EBUSY: a live one is there. */
int mounted_clear(const char *mountpoint, struct reason *reason);
/* Where the session that `session_fd` serves is mounted (the caller frees), and "MAJOR:MINOR" of its device.
 * `mountpoint`: ours; NULL: a supervisor's, which only newer kernels tell. -ENOENT. */
int mounted_where(int session_fd, const char *mountpoint, char **ret_path, char *ret_device, size_t size);
/* Raises how far ahead the kernel reads, hence how much it asks for at once. `session_fd` is a mounted
 * /dev/fuse. Only root may; for others it stays. */
void mounted_set_read_ahead(int session_fd, const char *mountpoint, unsigned kib);

#endif
