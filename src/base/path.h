/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_PATH_H
#define WEIGHTFS_BASE_PATH_H

/*
 * Files of our own: whole or absent. Functions take a folder descriptor (openat style) so that nothing
 * depends on the working folder.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

/* How names of files begin that path_replace() is still writing, or was when the machine stopped. */
#define PATH_TEMPORARY ".tmp-"

/* fd that closes itself. */
void path_close(int *fd);
#define FD_CLEANUP __attribute__((cleanup(path_close)))

/* mkdir -p, mode 0755; -errno. */
int path_make_folders(const char *path);
/* Opens (making it if need be) the folder `name` in `dir_fd`: a descriptor or -errno. O_NOFOLLOW. */
int path_open_folder(int dir_fd, const char *name, bool make);
/* Reads a whole small file; -EFBIG past `limit` bytes. */
int path_read(int dir_fd, const char *name, size_t limit, struct buf *ret_text);
/* Writes a temp beside it, fsync (file and folder) when `durable`, rename: readers see the old or the new.
 * 0 or -errno; the temp is gone on failure. A crash may leave one behind: ".tmp-" and 16 hex digits. */
int path_replace(int dir_fd, const char *name, const void *data, size_t len, bool durable);
/* pread/pwrite of all of it; -errno, -EIO on an early end. */
int path_read_all(int fd, void *data, size_t len, uint64_t offset);
int path_write_all(int fd, const void *data, size_t len, uint64_t offset);
/* Removes the folder `name` below `dir_fd` with all that is in it, never following links. One that is not
 * there (any more) is 0; a name that is no folder -ENOTDIR. */
int path_remove_tree(int dir_fd, const char *name);
/* 1 when `inner` is `outer` or below it (both absolute, resolved with realpath of the longest existing
 * part), else 0, or -errno. */
int path_is_below(const char *inner, const char *outer);

#endif
