/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_SERVE_H
#define WEIGHTFS_DAEMON_SERVE_H

/*
 * The daemon's life: a list of steps, each the start of a floor; then requests are served; then the
 * steps are undone in reverse. Reads top to bottom in serve.c.
 */

#include <stdbool.h>

#include "base/option.h"
#include "daemon/target.h"

struct serve_settings {
    const struct target *target;
    struct options *options;
    const char *source_name; /* first column of /proc/mounts */
    bool foreground;         /* the log goes to standard error, unless a file is named */
    bool takeover;
    int report_fd; /* for notify_parent(); -1 in the foreground. Closed when the report was made */
};

/* In a process of one thread. Returns when all is over: an exit code; what went wrong was said or logged. */
int serve(const struct serve_settings *settings);

#endif
