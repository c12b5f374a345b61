/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fault.h"

#include <stddef.h>

static const char *const NAMES[] = {
#define FAULT_NAME(name) #name,
    FAULT_TABLE(FAULT_NAME)
#undef FAULT_NAME
};

const char *fault_name(enum fault_point point) {
    return (size_t)point < FAULT_END ? NAMES[point] : "unknown";
}

#ifdef WEIGHTFS_FAULTS

#include <ctype.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

enum { WAIT_MOST_MS = 60 * 1000, WAIT_STEP_MS = 5 };
enum action { ACTION_NONE, ACTION_ERROR, ACTION_SHORT, ACTION_ABORT, ACTION_WAIT };

static struct armed {
    enum action action;
    int error;  /* ACTION_ERROR: negative */
    char *path; /* ACTION_WAIT */
    uint64_t skip;
    uint64_t times; /* UINT64_MAX: always */
    atomic_ullong hits;
} armed[FAULT_END];

/* Polls, since whoever makes the path is a test's shell, and inotify would have to be a door of its own
 * for it. */
static void wait_for_path(const char *path) {
    uint64_t until_ms = clock_ms() + WAIT_MOST_MS;
    while (access(path, F_OK) && clock_ms() < until_ms)
        (void)poll(NULL, 0, WAIT_STEP_MS); /* interrupted: looks earlier */
}

int fault_hit(enum fault_point point) {
    struct armed *this = &armed[point];
    if (this->action == ACTION_NONE)
        return 0;
    uint64_t hit = atomic_fetch_add(&this->hits, 1);
    if (hit < this->skip || hit - this->skip >= this->times)
        return 0;
    switch (this->action) {
    case ACTION_NONE: return 0;
    case ACTION_ERROR: return this->error;
    case ACTION_SHORT: return FAULT_SHORT;
    case ACTION_ABORT: _exit(99);
    case ACTION_WAIT: wait_for_path(this->path); return 0;
    }
    return 0;
}

static int parse_count(const char *text, uint64_t *ret_count) {
    char *end;
    errno = 0;
    uint64_t count = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end || errno)
        return -EINVAL;
    *ret_count = count;
    return 0;
}

static int parse_errno(const char *name) {
    for (int number = 1; number < ERR_FIRST; number++) {
        const char *known = strerrorname_np(number);
        if (known && !strcmp(known, name))
            return -number;
    }
    return 0;
}

static int parse_action(char **rest, struct armed *ret_armed) {
    const char *name = strsep(rest, ":");
    if (!name)
        return -EINVAL;
    if (!strcmp(name, "short")) {
        ret_armed->action = ACTION_SHORT;
    } else if (!strcmp(name, "abort")) {
        ret_armed->action = ACTION_ABORT;
    } else if (!strcmp(name, "wait")) {
        const char *path = strsep(rest, ":");
        if (!path || !*path)
            return -EINVAL;
        ret_armed->action = ACTION_WAIT;
        ret_armed->path = mem_text(path);
    } else {
        ret_armed->action = ACTION_ERROR;
        ret_armed->error = parse_errno(name);
        return ret_armed->error ? 0 : -EINVAL;
    }
    return 0;
}

/* NAME:ACTION[:SKIP[:TIMES]] */
static int parse_one(char *text, struct armed all[static FAULT_END]) {
    const char *name = strsep(&text, ":");
    size_t point = 0;
    while (point < FAULT_END && strcmp(NAMES[point], name))
        point++;
    if (point == FAULT_END)
        return -EINVAL;
    struct armed one = {.times = 1};
    int error = parse_action(&text, &one);
    const char *skip = strsep(&text, ":");
    const char *times = strsep(&text, ":");
    if (!error && skip)
        error = parse_count(skip, &one.skip);
    if (!error && times && !strcmp(times, "always"))
        one.times = UINT64_MAX;
    else if (!error && times)
        error = parse_count(times, &one.times);
    if (error || text) {
        free(one.path);
        return -EINVAL;
    }
    free(all[point].path);
    memcpy(&all[point], &one, sizeof one);
    return 0;
}

int fault_arm(const char *specification) {
    struct armed all[FAULT_END] = {0};
    TEXT_CLEANUP char *copy = mem_text(specification ? specification : "");
    int error = 0;
    for (char *rest = copy, *one; !error && (one = strsep(&rest, ","));)
        if (*one)
            error = parse_one(one, all);
    for (size_t i = 0; i < FAULT_END; i++)
        free(error ? all[i].path : armed[i].path);
    if (!error)
        memcpy(armed, all, sizeof armed);
    return error;
}

#endif
