/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/lock.h"
#include "base/thread.h"

struct pool {
    struct lock lock;
    pthread_cond_t wake;
    struct list queue;
    bool stopping;
    unsigned count;
    pthread_t threads[];
};

/* The next work, or NULL when the pool ends: then the queue is empty too. */
static struct work *next_work(struct pool *pool) {
    LOCK_SCOPE(&pool->lock);
    while (list_empty(&pool->queue)) {
        if (pool->stopping)
            return NULL;
        lock_wait(&pool->lock, &pool->wake, 0);
    }
    return list_entry(list_shift(&pool->queue), struct work, link);
}

/* What running work submits while the pool stops is taken by the thread that ran it, if by no other. */
static void *run(void *context) {
    struct pool *pool = context;
    for (struct work *work; (work = next_work(pool));)
        work->run(work);
    return NULL;
}

int pool_start(const char *name, unsigned threads, struct pool **ret_pool) {
    if (!threads)
        return -EINVAL;
    struct pool *pool = mem_new(sizeof *pool + threads * sizeof *pool->threads);
    lock_init(&pool->lock, LOCK_QUEUE);
    lock_condition_init(&pool->wake);
    list_init(&pool->queue);
    for (; pool->count < threads; pool->count++) {
        int error = thread_start(name, run, pool, &pool->threads[pool->count]);
        if (error) {
            pool_stop(pool);
            return error;
        }
    }
    *ret_pool = pool;
    return 0;
}

void pool_submit(struct pool *pool, struct work *work) {
    LOCK_SCOPE(&pool->lock);
    assert(!list_linked(&work->link)); /* else the queue would be torn, and who did it is not here any more */
    list_append(&pool->queue, &work->link);
    pthread_cond_signal(&pool->wake);
}

void pool_stop(struct pool *pool) {
    if (!pool)
        return;
    lock_assert_none(); /* it waits for work that may take any lock */
    lock_take(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->wake);
    lock_drop(&pool->lock);
    for (unsigned i = 0; i < pool->count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->wake);
    lock_done(&pool->lock);
    free(pool);
}
