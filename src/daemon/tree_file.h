/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_TREE_FILE_H
#define WEIGHTFS_DAEMON_TREE_FILE_H

/*
 * The files of a mounted tree as the verbs use them: read whole, written a line at a time. These are
 * calls on a mount: they end when its daemon answers, or with the process (all of them can be
 * interrupted by a signal that kills).
 */

#include <limits.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define TREE_FILE_LIMIT (64 * 1024 * 1024)

/* "DIR/NAME" whole. -errno. */
int tree_file_read(const char *dir, const char *name, struct buf *ret_text);
/* The first line of it, without its newline, into `to` (cut to fit). */
int tree_file_line(const char *dir, const char *name, char *to, size_t size);
/* Copies it to standard output. -errno. */
int tree_file_print(const char *dir, const char *name);
/* Writes `line` (without newline) into DIR/ctl. -errno. What ctl says of it is in `ret_said`, always:
 * after a success ("job 12 fetches …", or nothing), and after a refusal, where it is the errno's
 * sentence when ctl says nothing. */
int tree_file_tell(const char *dir, const char *line, struct reason *ret_said);
/* DIR/status.json's pid, read by a child that has `deadline_ms` for it; 0 when it can't be had. */
int tree_file_daemon_pid(const char *dir, uint64_t deadline_ms);

/* "hf:ORG/NAME:VARIANT" to MOUNT/hf/ORG/NAME and "VARIANT" ("" without one). The folder is looked up,
 * which lets the daemon ask the source for a model that it does not know. -ERR_BAD_NAME,
 * -ERR_UNKNOWN_MODEL, -errno with the reason. `ret_key` (NAME_KEY_SIZE of model/name.h): the key as the
 * tree has it. */
int tree_file_find_model(const char *mount, const char *text, char ret_dir[static PATH_MAX], char *ret_key,
    char *ret_variant, struct reason *reason);

#endif
