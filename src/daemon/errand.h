/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_ERRAND_H
#define WEIGHTFS_DAEMON_ERRAND_H

/*
 * An errand is a function that runs in a child process of its own, since it may get stuck: whoever
 * calls into a mount whose daemon hangs can only be killed. To be begun while the process has one
 * thread (fork).
 */

#include <stdbool.h>
#include <stdint.h>

struct errand {
    int pid;       /* 0: none */
    int go_fd;     /* -1: it has been sent off */
    int answer_fd; /* gives what was returned, once */
};
#define ERRAND_INIT \
    { 0, -1, -1 }

/* Forks the child that will do `run` and nothing else. `held`: it waits for errand_go() before, so that
 * it can be made while there is one thread and be used when there are more; it ends with the thread
 * that made it. 0 or -errno. */
int errand_begin(int (*run)(void *context), void *context, bool held, struct errand *ret_errand);
void errand_go(struct errand *errand);
/* What `run` returned, once answer_fd is readable; -EIO when the child died. */
int errand_answer(struct errand *errand);
/* Kills it if it is still there, reaps it, closes its pipes. Harmless twice, and on ERRAND_INIT. */
void errand_done(struct errand *errand);

/* All of it in one: what `run` returned, -ETIMEDOUT (it was killed), or -errno. */
int errand_run(int (*run)(void *context), void *context, uint64_t deadline_ms);

/* Errands; context is a path. Is it there: 0 or -errno (-ENOTCONN: a FUSE mount whose daemon has died). */
int errand_stat(void *path);
/* The same as a user of the mount would find out that it answers; -ENXIO when something else is there. */
int errand_look_at_mount(void *path);

#endif
