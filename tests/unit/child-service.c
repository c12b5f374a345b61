/* SPDX-License-Identifier: Apache-2.0 */
/* children that run beside us: their words, their end, and what they have of ours */
#include "check.h"

#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/path.h"
#include "outside/child_service.h"

#define PATIENCE_S 30

struct seen {
    struct buf lines;
    sem_t line, end;
    int code;
};

static void on_line(void *context, const char *line) {
    struct seen *seen = context;
    CHECK_OK(buf_format(&seen->lines, "%s;", line));
    sem_post(&seen->line);
}

static void on_end(void *context, int code) {
    struct seen *seen = context;
    seen->code = code;
    sem_post(&seen->end);
}

static void await(sem_t *semaphore) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    CHECK(sem_timedwait(semaphore, &until) == 0);
}

static struct service *start(struct seen *seen, const char *script, uint64_t memory_limit) {
    struct service *service = NULL;
    struct reason reason = {""};
    *seen = (struct seen){0};
    sem_init(&seen->line, 0, 0);
    sem_init(&seen->end, 0, 0);
    const struct service_description description = {
        .arguments = (const char *const[]){"/bin/sh", "-c", script, NULL},
        .environment = (const char *const[]){"PATH=/usr/bin:/bin", NULL},
        .folder = check_folder(),
        .memory_limit = memory_limit,
        .on_line = on_line,
        .on_end = on_end,
        .context = seen,
    };
    CHECK_OK(service_start(&description, &service, &reason));
    return service;
}

static void finish(struct seen *seen, struct service *service) {
    await(&seen->end);
    service_free(service);
    sem_destroy(&seen->line);
    sem_destroy(&seen->end);
    buf_done(&seen->lines);
}

static void lines_of_both_outputs_and_the_code(void) {
    struct seen seen;
    struct service *service = start(&seen, "echo one; echo two >&2; printf 'th\\033ree'; exit 7", 0);
    await(&seen.end);
    sem_post(&seen.end);
    CHECK_TEXT(buf_text(&seen.lines), "one;two;th?ree;");
    CHECK_NUMBER(seen.code, 7);
    finish(&seen, service);
}

static void a_long_line_is_cut(void) {
    struct seen seen;
    struct service *service =
        start(&seen, "i=0; while [ $i -lt 999 ]; do printf 0123456789; i=$((i+1)); done; echo; echo next", 0);
    await(&seen.end);
    sem_post(&seen.end);
    CHECK_NUMBER((int64_t)seen.lines.len, SERVICE_LINE_SIZE - 1 + 1 + 5);
    finish(&seen, service);
}

static void surroundings(void) {
    struct seen seen;
    char wanted[4200];
    /* the list of descriptors has that of the listing itself */
    struct service *service =
        start(&seen, "pwd; echo $HOME.; ls /proc/self/fd | wc -l; grep SigBlk /proc/self/status", 0);
    await(&seen.end);
    sem_post(&seen.end);
    snprintf(wanted, sizeof wanted, "%s;.;4;SigBlk:?0000000000000000;", check_folder());
    CHECK_TEXT(buf_text(&seen.lines), wanted);
    finish(&seen, service);
}

static void it_ends_when_asked(void) {
    struct seen seen;
    struct service *service = start(&seen, "echo up; exec sleep 1000", 0);
    await(&seen.line);
    service_stop(service, 10 * 1000);
    finish(&seen, service);
    CHECK_NUMBER(seen.code, 128 + SIGTERM);
}

static void whose_it_is(void) {
    struct seen seen;
    struct service *service = start(&seen, "sleep 1000 & echo $!; wait", 0);
    await(&seen.line);
    pid_t pid = service_pid(service), grandchild = (pid_t)strtol(buf_text(&seen.lines), NULL, 10);
    CHECK(service_owns(pid));
    CHECK(grandchild > 0 && service_owns(grandchild));
    CHECK(!service_owns(getpid()));
    CHECK(!service_owns(0) && !service_owns(-1));
    service_stop(service, 10 * 1000);
    await(&seen.end);
    sem_post(&seen.end);
    CHECK(!service_owns(pid));
    finish(&seen, service);
}

static void at_the_second_signal(void) {
    struct seen seen;
    struct service *service = start(&seen,
        "trap 'trap \"exit 3\" TERM; echo first' TERM; echo up; while :; do sleep 0.05; done", 0);
    await(&seen.line);
    service_stop(service, 100);
    service_stop(service, 1); /* asked already */
    await(&seen.end);
    sem_post(&seen.end);
    CHECK(strstr(buf_text(&seen.lines), "first;") != NULL);
    CHECK_NUMBER(seen.code, 3);
    finish(&seen, service);
}

static void by_force_with_all_that_it_started(void) {
    struct seen seen;
    struct service *service = start(&seen,
        "trap '' TERM; (trap '' TERM; exec sleep 1000) & echo $!; while :; do sleep 0.05; done", 0);
    await(&seen.line);
    service_stop(service, 50);
    await(&seen.end);
    sem_post(&seen.end);
    CHECK_NUMBER(seen.code, 128 + SIGKILL);
    pid_t pid = (pid_t)strtol(buf_text(&seen.lines), NULL, 10);
    CHECK(pid > 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    bool gone = false;
    uint64_t until_ms = clock_ms() + PATIENCE_S * 1000;
    BUF_CLEANUP struct buf stat = BUF_INIT;
    for (; !gone && clock_ms() < until_ms; buf_clear(&stat))
        gone = path_read(AT_FDCWD, path, 512, &stat) || strstr(buf_text(&stat), ") Z ");
    CHECK(gone);
    finish(&seen, service);
}

static void what_can_not_be_started(void) {
    struct service *service = NULL;
    struct reason reason = {""};
    const struct service_description description = {
        .arguments = (const char *const[]){"/there/is/no/such/program", NULL},
        .environment = (const char *const[]){NULL},
        .folder = "/",
        .on_line = on_line,
        .on_end = on_end,
    };
    CHECK_ERROR(service_start(&description, &service, &reason), -ENOENT);
    CHECK(strstr(reason.text, "/there/is/no/such/program") != NULL);
}

static void memory_is_limited(void) {
    struct seen seen;
    struct service *service = start(&seen, "ulimit -d", 512u << 20);
    await(&seen.end);
    sem_post(&seen.end);
    CHECK_TEXT(buf_text(&seen.lines), "524288;");
    finish(&seen, service);
}

/* A process of ours that dies takes its services along. */
static void it_does_not_outlive_us(void) {
    int fds[2];
    CHECK_OK(pipe2(fds, O_CLOEXEC));
    pid_t parent = fork();
    if (!parent) {
        struct seen seen;
        struct service *service = start(&seen, "trap '' TERM; while :; do sleep 0.05; done", 0);
        pid_t pid = service_pid(service);
        (void)!write(fds[1], &pid, sizeof pid);
        (void)raise(SIGKILL);
    }
    close(fds[1]);
    pid_t pid = 0;
    CHECK(read(fds[0], &pid, sizeof pid) == sizeof pid);
    close(fds[0]);
    CHECK(waitpid(parent, NULL, 0) == parent);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    bool gone = false;
    uint64_t until_ms = clock_ms() + PATIENCE_S * 1000;
    BUF_CLEANUP struct buf stat = BUF_INIT;
    for (; !gone && clock_ms() < until_ms; buf_clear(&stat))
        gone = path_read(AT_FDCWD, path, 512, &stat) || strstr(buf_text(&stat), ") Z ");
    CHECK(gone);
}

int main(void) {
    it_does_not_outlive_us();
    lines_of_both_outputs_and_the_code();
    a_long_line_is_cut();
    surroundings();
    it_ends_when_asked();
    whose_it_is();
    at_the_second_signal();
    by_force_with_all_that_it_started();
    what_can_not_be_started();
    memory_is_limited();
    return check_result();
}
