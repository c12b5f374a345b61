/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_OUTSIDE_CHILD_SERVICE_H
#define WEIGHTFS_OUTSIDE_CHILD_SERVICE_H

/*
 * A child that runs beside us for long (a model's server): started without a shell, watched by a thread of
 * its own that reads what it writes and reaps it, ended politely and then by force.
 *
 * What the child has: its three descriptors (input: /dev/null; both outputs: a pipe to us) and none of ours,
 * a process group of its own, no signal of ours blocked or ignored, exactly the environment and folder that
 * are named. The kernel kills it when we die (PR_SET_PDEATHSIG): it does not outlive us.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define SERVICE_LINE_SIZE 1024 /* what on_line() is shown of a line */

struct service;

struct service_description {
    const char *const *arguments;   /* NULL-ended; [0] is the program's path */
    const char *const *environment; /* NULL-ended "NAME=value" */
    const char *folder;             /* where it runs */
    /* Bytes of memory of its own (RLIMIT_DATA: what it maps from files, as weights, is not counted); 0: as
     * much as it likes. */
    uint64_t memory_limit;

    /* Both on the service's thread, with no lock held; they must be quick. A line of either output, tamed for
     * a terminal and without its end; and, last of all, how it ended: the exit code, or 128 and the signal's
     * number. */
    void (*on_line)(void *context, const char *line);
    void (*on_end)(void *context, int code);
    void *context;
};

/* Starts it; the description is copied as far as it is needed later. -ENOENT, -EACCES … of the program, with
 * a sentence. on_end() is called exactly once, on success only. */
int service_start(const struct service_description *description, struct service **ret_service,
    struct reason *reason);
pid_t service_pid(const struct service *service);
/* Is this process or thread one of a service that runs now, the child or what it started? Any thread. */
bool service_owns(pid_t pid);
/* Asks it to end: SIGTERM, after `patience_ms` once more (some servers finish what they do at the first and
 * stop at the second), after as long again SIGKILL for its whole group. Returns at once, from any thread;
 * again: nothing more. */
void service_stop(struct service *service, uint64_t patience_ms);
/* SIGKILL for its group, now. */
void service_kill(struct service *service);
/* Once on_end() was entered (waits for it to return); not from the service's own thread. */
void service_free(struct service *service);

#endif
