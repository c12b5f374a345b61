/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_OUTSIDE_CHILD_H
#define WEIGHTFS_OUTSIDE_CHILD_H

/*
 * Children are described, then run: no shell, every descriptor closed but those named, always reaped within a
 * deadline.
 */

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct child_description {
    const char *const *arguments;   /* NULL-ended; [0] is looked up on PATH */
    const char *const *environment; /* NULL-ended "NAME=value"; NULL: inherit */
    int input_fd;                   /* -1: /dev/null */
    uint64_t deadline_ms;           /* how long it may run */
    size_t output_limit;            /* what is kept of stdout and stderr together */
};

/* Runs it to its end: exit code (0…255; 128 and the signal's number when one ended it), or -errno (ENOENT:
 * no such program), -ERR_DEADLINE (it and its process group were killed). stdout and stderr are added to
 * `output` in the order in which they came (NULL: to /dev/null). What it leaves running is not waited for.
 * No lock may be held. */
int child_run(const struct child_description *description, struct buf *output);

#endif
