/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_POOL_H
#define WEIGHTFS_BASE_POOL_H

/*
 * A fixed number of threads that run work in the order in which it came. A pool of one thread is a desk: what
 * is submitted runs one after the other (the catalogue's writer). Work is embedded in the caller's structure
 * and belongs to the pool from pool_submit() until its run() is entered; run() may free it or submit it
 * again; nobody may submit it before that (its link is zero whenever it is not the pool's). Work must not
 * wait for other work of the same pool.
 */

#include "base/list.h"

struct pool;

struct work {
    struct list link;
    void (*run)(struct work *);
};

/* `name` (static, < 16 characters) names the threads. */
int pool_start(const char *name, unsigned threads, struct pool **ret_pool);
void pool_submit(struct pool *pool, struct work *work);
/* Runs what is queued, then ends the threads and frees the pool. Nothing may be submitted meanwhile but by
 * running work. NULL is allowed. */
void pool_stop(struct pool *pool);

#endif
