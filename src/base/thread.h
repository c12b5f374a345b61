/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_THREAD_H
#define WEIGHTFS_BASE_THREAD_H

/*
 * How threads of ours are started: with all signals blocked (they are the main thread's), and with a name
 * that ps and gdb show.
 */

#include <pthread.h>

/* `name`: what is beyond 15 characters is cut. 0 or -errno. Ends when run() returns; the caller joins it. */
int thread_start(const char *name, void *(*run)(void *context), void *context, pthread_t *ret_thread);

#endif
