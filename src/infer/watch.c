/* SPDX-License-Identifier: Apache-2.0 */
/* Readers that were interrupted: whether they are still there, since nobody else would cancel for them. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/path.h"
#include "infer/inside.h"

static struct question *find_locked(struct list *questions, uint64_t number) {
    list_each (link, questions)
        if (list_entry(link, struct question, link)->number == number)
            return list_entry(link, struct question, link);
    return NULL;
}

void infer_watch(struct infer *infer, uint64_t number, pid_t pid) {
    lock_take(&infer->lock);
    list_each (link, &infer->seats) {
        struct seat *seat = list_entry(link, struct seat, link);
        struct question *question = find_locked(&seat->waiting, number);
        if (!question)
            question = find_locked(&seat->asked, number);
        if (question)
            question->reader = pid;
    }
    lock_drop(&infer->lock);
}

/* A killed process of whose end nobody has taken note is one no more. Others' may be hidden: they are. */
static bool is_gone(pid_t pid) {
    char path[32];
    struct buf text BUF_CLEANUP = BUF_INIT;
    if (kill(pid, 0) < 0 && errno == ESRCH)
        return true;
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (path_read(AT_FDCWD, path, 4096, &text) < 0)
        return false;
    const char *state = strrchr(buf_text(&text), ')'); /* a program's name may hold anything */
    return state && state[1] == ' ' && strchr("ZX", state[2]);
}

/* The first question behind `after` with a reader to look at; 0: there is none. */
static uint64_t next_watched(struct infer *infer, uint64_t after, pid_t *ret_pid) {
    uint64_t found = 0;
    LOCK_SCOPE(&infer->lock);
    list_each (at, &infer->seats) {
        struct seat *seat = list_entry(at, struct seat, link);
        struct list *lists[] = {&seat->waiting, &seat->asked};
        for (unsigned i = 0; i < 2; i++)
            list_each (link, lists[i]) {
                const struct question *question = list_entry(link, struct question, link);
                if (!question->reader || question->number <= after || (found && question->number > found))
                    continue;
                found = question->number;
                *ret_pid = question->reader;
            }
    }
    return found;
}

void readers_look(struct infer *infer) {
    pid_t pid = 0;
    for (uint64_t number = 0; (number = next_watched(infer, number, &pid));)
        if (is_gone(pid))
            (void)infer_cancel(infer, number);
}
