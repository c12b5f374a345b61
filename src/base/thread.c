/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <signal.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/utf8.h"

enum { NAME_SIZE = 16 }; /* the kernel's */

struct start {
    void *(*run)(void *context);
    void *context;
    char name[NAME_SIZE];
};

static void *enter(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    (void)pthread_setname_np(pthread_self(), start.name); /* only people miss it */
    return start.run(start.context);
}

int thread_start(const char *name, void *(*run)(void *context), void *context, pthread_t *ret_thread) {
    struct start *start = mem_new(sizeof *start);
    *start = (struct start){.run = run, .context = context};
    utf8_cut(start->name, sizeof start->name, name);

    sigset_t all, before;
    sigfillset(&all);
    /* blocked, they would end us without a word */
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all,
        &before); /* inherited by the new thread: no moment in which it could get one */
    pthread_t thread;
    int error = pthread_create(&thread, NULL, enter, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        free(start);
        return -error;
    }
    *ret_thread = thread;
    return 0;
}
