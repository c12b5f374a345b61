/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <fcntl.h>
#include <signal.h>

#include "base/clock.h"
#include "base/path.h"
#include "outside/child.h"

enum { LONG_MS = 60 * 1000 };

static int run_shell(const char *script, uint64_t deadline_ms, size_t limit, struct buf *output) {
    const struct child_description description = {
        .arguments = (const char *const[]){"sh", "-c", script, NULL},
        .input_fd = -1,
        .deadline_ms = deadline_ms,
        .output_limit = limit,
    };
    return child_run(&description, output);
}

static void codes_and_output_come_back(void) {
    BUF_CLEANUP struct buf output = BUF_INIT;
    CHECK_NUMBER(run_shell("echo out; echo err >&2; exit 7", LONG_MS, 100, &output), 7);
    CHECK_TEXT(buf_text(&output), "out\nerr\n");
    CHECK_NUMBER(run_shell("kill -TERM $$", LONG_MS, 100, NULL), 128 + SIGTERM);
    CHECK_NUMBER(run_shell("exec cat", LONG_MS, 100, NULL), 0); /* its input is at its end */
}

static void more_than_the_limit_is_dropped(void) {
    BUF_CLEANUP struct buf output = BUF_INIT;
    CHECK_NUMBER(run_shell("i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done", LONG_MS, 25,
                     &output),
        0);
    CHECK_TEXT(buf_text(&output), "0123456789\n0123456789\n012");
}

static void it_has_no_descriptors_and_signals_of_ours(void) {
    BUF_CLEANUP struct buf output = BUF_INIT;
    int leaked = open("/dev/null", O_RDONLY);
    int high = fcntl(leaked, F_DUPFD, 200);
    char script[200];
    snprintf(script, sizeof script, "for fd in %d %d 2; do [ ! -e /proc/$$/fd/$fd ] || echo $fd; done",
        leaked, high);
    CHECK(leaked > 2 && high >= 200);
    CHECK_NUMBER(run_shell(script, LONG_MS, 1000, &output), 0);
    CHECK_TEXT(buf_text(&output), "2\n");
    close(leaked);
    close(high);

    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    buf_clear(&output);
    CHECK_NUMBER(run_shell("sed -n 's/^SigBlk:.//p' /proc/self/status", LONG_MS, 1000, &output), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    CHECK_TEXT(buf_text(&output), "0000000000000000\n");
}

static void input_and_environment_are_given(void) {
    BUF_CLEANUP struct buf output = BUF_INIT;
    char path[4096];
    snprintf(path, sizeof path, "%s/input", check_folder());
    CHECK_OK(path_replace(AT_FDCWD, path, "given\n", 6, false));
    FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC);
    const struct child_description description = {
        .arguments = (const char *const[]){"sh", "-c",             "cat; echo $GREETING$HOME", NULL},
        .environment = (const char *const[]){"PATH=/usr/bin:/bin",    "GREETING=hello", NULL       },
        .input_fd = fd,
        .deadline_ms = LONG_MS,
        .output_limit = 100,
    };
    CHECK_NUMBER(child_run(&description, &output), 0);
    CHECK_TEXT(buf_text(&output), "given\nhello\n");
}

static void what_is_not_there_cannot_be_run(void) {
    const struct child_description description = {
        .arguments = (const char *const[]){"there-is-no-such-program", NULL},
        .input_fd = -1,
        .deadline_ms = LONG_MS,
    };
    CHECK_ERROR(child_run(&description, NULL), -ENOENT);
}

static void at_its_deadline_it_is_killed_with_its_children(void) {
    BUF_CLEANUP struct buf output = BUF_INIT;
    uint64_t before_ms = clock_ms();
    CHECK_ERROR(run_shell("sleep 1000 & echo $!; wait", 300, 100, &output), -ERR_DEADLINE);
    CHECK_ERROR(run_shell("while :; do echo without end; done", 300, 100, NULL), -ERR_DEADLINE);
    BUF_CLEANUP struct buf endless = BUF_INIT;
    CHECK_ERROR(run_shell("while :; do echo without end; done", 300, 100, &endless), -ERR_DEADLINE);
    CHECK_NUMBER((int64_t)endless.len, 100);
    CHECK(clock_ms() - before_ms < 30 * 1000);
    pid_t pid = (pid_t)strtol(buf_text(&output), NULL, 10);
    CHECK(pid > 0);
    /* Its parent is gone: whoever adopts it reaps it, which may take a moment. */
    uint64_t until_ms = clock_ms() + 10 * 1000;
    char path[64], state[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    for (BUF_CLEANUP struct buf stat = BUF_INIT; clock_ms() < until_ms; buf_clear(&stat)) {
        if (path_read(AT_FDCWD, path, sizeof state, &stat) || strstr(buf_text(&stat), ") Z "))
            return;
    }
    CHECK(!"the grandchild is gone");
}

static void what_it_leaves_behind_does_not_hold_us(void) {
    BUF_CLEANUP struct buf output = BUF_INIT;
    uint64_t before_ms = clock_ms();
    CHECK_NUMBER(run_shell("sleep 30 & echo $!", LONG_MS, 100, &output), 0);
    CHECK(clock_ms() - before_ms < 20 * 1000);
    pid_t pid = (pid_t)strtol(buf_text(&output), NULL, 10);
    CHECK(pid > 0 && !kill(pid, SIGKILL));
}

int main(void) {
    codes_and_output_come_back();
    more_than_the_limit_is_dropped();
    it_has_no_descriptors_and_signals_of_ours();
    input_and_environment_are_given();
    what_is_not_there_cannot_be_run();
    at_its_deadline_it_is_killed_with_its_children();
    what_it_leaves_behind_does_not_hold_us();
    return check_result();
}
