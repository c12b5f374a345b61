/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TESTS_UNIT_CHECK_H
#define WEIGHTFS_TESTS_UNIT_CHECK_H

/*
 * A unit test is one program: main() calls its parts and ends with `return check_result();`, which is 0 when
 * every CHECK held. A CHECK that fails prints where, what and what came instead, and the program goes on.
 * CHECKs may stand on any thread.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

static atomic_int check_count, check_failures;

static inline bool check_that(bool held, const char *file, int line, const char *what) {
    atomic_fetch_add(&check_count, 1);
    if (!held) {
        atomic_fetch_add(&check_failures, 1);
        fprintf(stderr, "%s:%d: %s\n", file, line, what);
    }
    return held;
}

static inline void check_text(const char *is, const char *wanted, const char *file, int line,
    const char *what) {
    bool same = is && wanted ? !strcmp(is, wanted) : is == wanted;
    if (!check_that(same, file, line, what))
        fprintf(stderr, "    is     %s\n    wanted %s\n", is ? is : "(null)", wanted ? wanted : "(null)");
}

static inline void check_number(int64_t is, int64_t wanted, const char *file, int line, const char *what) {
    if (!check_that(is == wanted, file, line, what))
        fprintf(stderr, "    is     %lld\n    wanted %lld\n", (long long)is, (long long)wanted);
}

static inline void check_error(int is, int wanted, const char *file, int line, const char *what) {
    if (!check_that(is == wanted, file, line, what))
        fprintf(stderr, "    is     %d %s\n    wanted %d %s\n", is, err_name(is), wanted, err_name(wanted));
}

/* true when `run` (in a process of its own, without standard error) ends by abort(). */
static inline bool check_aborts(void (*run)(void)) {
    fflush(NULL);
    pid_t pid = fork();
    if (!pid) {
        if (freopen("/dev/null", "w", stderr))
            run();
        _exit(0);
    }
    int status = 0;
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == 6;
}

/* The test's scratch folder. */
static inline const char *check_folder(void) {
    const char *folder = getenv("TEST_DIR");
    if (folder && *folder)
        return folder;
    fprintf(stderr, "TEST_DIR is not set: where may I write?\n");
    exit(2);
}

static inline int check_result(void) {
    int failures = atomic_load(&check_failures);
    printf("%d checks, %d failed\n", atomic_load(&check_count), failures);
    return failures || !atomic_load(&check_count);
}

#define CHECK(condition)                 check_that(!!(condition), __FILE__, __LINE__, #condition)
#define CHECK_TEXT(expression, wanted)   check_text((expression), (wanted), __FILE__, __LINE__, #expression)
#define CHECK_NUMBER(expression, wanted) check_number((expression), (wanted), __FILE__, __LINE__, #expression)
#define CHECK_ERROR(expression, wanted)  check_error((expression), (wanted), __FILE__, __LINE__, #expression)
#define CHECK_OK(expression)             CHECK_ERROR(expression, 0)
#define CHECK_ABORTS(run)                check_that(check_aborts(run), __FILE__, __LINE__, #run "() aborts")

#endif
