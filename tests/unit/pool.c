/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <pthread.h>
#include <signal.h>

#include "base/pool.h"

struct job {
    struct work work;
    int number;
    int again;
    struct pool *pool;
};

static atomic_int runs, next_number;
static char name[32];
static sigset_t blocked;

static void note(struct work *work) {
    struct job *job = list_entry(work, struct job, work);
    CHECK_NUMBER(job->number, atomic_fetch_add(&next_number, 1));
    pthread_getname_np(pthread_self(), name, sizeof name);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
}

static void one_thread_is_a_desk(void) {
    struct pool *pool;
    static struct job jobs[1000];
    CHECK_OK(pool_start("desk", 1, &pool));
    for (int i = 0; i < 1000; i++) {
        jobs[i] = (struct job){.work.run = note, .number = i};
        pool_submit(pool, &jobs[i].work);
    }
    pool_stop(pool);
    CHECK_NUMBER(atomic_load(&next_number), 1000);
    CHECK_TEXT(name, "desk");
    CHECK(sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGINT));
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    CHECK(!sigismember(&blocked, SIGTERM));
}

static void run_again(struct work *work) {
    struct job *job = list_entry(work, struct job, work);
    atomic_fetch_add(&runs, 1);
    if (job->again--)
        pool_submit(job->pool, work);
    else
        free(job);
}

static void work_may_submit_itself_while_the_pool_stops(void) {
    struct pool *pool;
    CHECK_OK(pool_start("many", 4, &pool));
    for (int i = 0; i < 100; i++) {
        struct job *job = calloc(1, sizeof *job);
        *job = (struct job){.work.run = run_again, .again = 50, .pool = pool};
        pool_submit(pool, &job->work);
    }
    pool_stop(pool);
    CHECK_NUMBER(atomic_load(&runs), 100 * 51);
}

static pthread_barrier_t barrier;

static void meet(struct work *work) {
    (void)work;
    pthread_barrier_wait(&barrier);
    atomic_fetch_add(&runs, 1);
}

static void threads_run_at_the_same_time(void) {
    struct pool *pool;
    struct work works[3] = {{.run = meet}, {.run = meet}, {.run = meet}};
    atomic_store(&runs, 0);
    pthread_barrier_init(&barrier, NULL, 3);
    CHECK_OK(pool_start("three", 3, &pool));
    for (int i = 0; i < 3; i++)
        pool_submit(pool, &works[i]);
    pool_stop(pool);
    pthread_barrier_destroy(&barrier);
    CHECK_NUMBER(atomic_load(&runs), 3);
}

int main(void) {
    struct pool *none = NULL;
    one_thread_is_a_desk();
    work_may_submit_itself_while_the_pool_stops();
    threads_run_at_the_same_time();
    CHECK_ERROR(pool_start("none", 0, &none), -EINVAL);
    CHECK(!none);
    pool_stop(NULL);
    return check_result();
}
