/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_MEMORY_H
#define WEIGHTFS_INFER_MEMORY_H

/*
 * How much memory there is, and how much a process has. Read from /proc and the control groups' files (v2:
 * memory.max, memory.current; v1: memory.limit_in_bytes, memory.usage_in_bytes) below `root`, which is "" but
 * in tests. Quick, no locks; any thread.
 */

#include <stdint.h>

/* Bytes that could be had now, without pushing anything out but cached files: of the machine, or less where
 * our control group or one above it has a limit. -errno: not known. */
int memory_available(const char *root, uint64_t *ret_bytes);

struct memory_use {
    uint64_t resident; /* bytes in memory, with those of files that are mapped … */
    uint64_t own;      /* … and without them: what memory_available() counts as taken */
};
/* Of a process and its children, and theirs. -ESRCH: there is none. */
int memory_of_process(const char *root, int pid, struct memory_use *ret_use);

#endif
