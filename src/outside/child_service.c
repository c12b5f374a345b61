/* SPDX-License-Identifier: Apache-2.0 */
#include "outside/child_service.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "outside/child_inside.h"

#define FIRST_FREE (STDERR_FILENO + 2) /* the child has its three, and the one that reports */

struct service {
    struct list link;                       /* in `alive`, from the fork to the reaping */
    struct service_description description; /* what it points to is the caller's, during the start only */
    pthread_t thread;
    pid_t pid;
    int child_fd, output_fd, wake_fd;
    struct lock lock; /* QUEUE: `started`, and that a signal is sent to nobody else's process */
    pthread_cond_t begun;
    bool started;
    int start_error;
    bool reaped;
    _Atomic uint64_t patience_ms; /* 0: nobody asked it to end */
    char line[SERVICE_LINE_SIZE];
    size_t line_len;
};

static struct lock alive_lock = {PTHREAD_MUTEX_INITIALIZER, LOCK_QUEUE};
static struct list alive = {&alive, &alive};

/* A child leads a group of its own, so the group is the one of all its threads and helpers. Whoever is being
 * forked is entered before anybody can ask for it. */
bool service_owns(pid_t pid) {
    pid_t group = pid > 0 ? getpgid(pid) : -1;
    LOCK_SCOPE(&alive_lock);
    list_each (at, &alive)
        if (group > 0 && list_entry(at, struct service, link)->pid == group)
            return true;
    return false;
}

/* ---- the child, between fork and exec: nothing but system calls, since other threads held locks */

static _Noreturn void fail_child(int report_fd) {
    int error = errno;
    (void)!write(report_fd, &error, sizeof error);
    _exit(127);
}

static void set_signals(void) {
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &plain, NULL); /* those that can't be set have no handler of ours */
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* `report_fd` is the fourth, and closed by the exec. */
static _Noreturn void become(const struct service_description *description, pid_t parent, int output_fd,
    int report_fd) {
    const int report = STDERR_FILENO + 1;
    const struct rlimit memory = {description->memory_limit, description->memory_limit};
    set_signals();
    if (dup2(output_fd, STDOUT_FILENO) < 0 || dup2(output_fd, STDERR_FILENO) < 0 ||
        dup2(report_fd, report) < 0 || fcntl(report, F_SETFD, FD_CLOEXEC) < 0)
        fail_child(report_fd);
    int null_fd = open("/dev/null", O_RDONLY);
    if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0)
        fail_child(report);
    (void)close_range((unsigned)report + 1, ~0U, 0); /* Linux has it since 5.9 */
    if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || chdir(description->folder) < 0)
        fail_child(report);
    if (getppid() != parent) /* it died before the line above */
        _exit(127);
    if (description->memory_limit && setrlimit(RLIMIT_DATA, &memory) < 0)
        fail_child(report);
    /* The casts are for a prototype older than const: execve changes neither. */
    (void)execve(description->arguments[0], (char *const *)description->arguments,
        (char *const *)description->environment);
    fail_child(report);
}

/* 0 once the program runs, else why it does not. */
static int read_report(int fd) {
    int error = 0;
    ssize_t len;
    do
        len = read(fd, &error, sizeof error);
    while (len < 0 && errno == EINTR);
    return len == sizeof error ? -error : 0;
}

static int fork_child(struct service *service, int output_fd, int report_fd) {
    pid_t parent = getpid();
    LOCK_SCOPE(&alive_lock);
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (!pid)
        become(&service->description, parent, output_fd, report_fd);
    service->pid = pid;
    list_append(&alive, &service->link);
    return 0;
}

/* Its number is another process's soon. */
static void leave(struct service *service) {
    LOCK_SCOPE(&alive_lock);
    list_remove(&service->link);
}

static int spawn(struct service *service) {
    FD_CLEANUP int output_fd = -1;
    FD_CLEANUP int report_fd = -1;
    FD_CLEANUP int report_write_fd = -1;
    int error = child_pipe(FIRST_FREE, &service->output_fd, &output_fd);
    if (!error)
        error = child_pipe(FIRST_FREE, &report_fd, &report_write_fd);
    if (!error && fcntl(report_fd, F_SETFL, 0) < 0) /* this one is waited for: the child's exec closes it */
        error = -errno;
    if (error)
        return error;
    error = fork_child(service, output_fd, report_write_fd);
    if (error)
        return error;
    path_close(&report_write_fd);
    error = read_report(report_fd);
    service->child_fd = error ? -1 : pidfd_open(service->pid, 0);
    if (!error && service->child_fd < 0)
        error = -errno;
    if (error) {
        (void)kill(service->pid, SIGKILL);
        leave(service);
        (void)child_reap(service->pid);
    }
    return error;
}

/* ---- its words */

static void end_line(struct service *service) {
    service->line[service->line_len] = '\0';
    utf8_tame(service->line);
    if (service->line_len)
        service->description.on_line(service->description.context, service->line);
    service->line_len = 0;
}

static void take(struct service *service, const char *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n')
            end_line(service);
        else if (service->line_len < sizeof service->line - 1)
            service->line[service->line_len++] = bytes[i];
    }
}

/* What is there now, a pipe's worth at most: who writes without end must not keep us from the clock. */
static void drain(struct service *service) {
    char chunk[4096];
    for (unsigned turns = 0; turns < 16 && service->output_fd >= 0; turns++) {
        ssize_t len = read(service->output_fd, chunk, sizeof chunk);
        if (len > 0)
            take(service, chunk, (size_t)len);
        else if (!len)
            path_close(&service->output_fd);
        else if (errno != EINTR)
            return;
    }
}

/* ---- its life */

static void signal_child(struct service *service, int number) {
    LOCK_SCOPE(&service->lock);
    if (!service->reaped)
        (void)kill(-service->pid, number); /* ESRCH: it has just ended */
}

/* The steps of an end, one at a time. */
struct ending {
    unsigned step;
    uint64_t next_ms;
};

static int until(const struct ending *ending) {
    uint64_t now_ms = clock_ms();
    if (!ending->next_ms)
        return -1; /* until something happens */
    return ending->next_ms <= now_ms ? 0 : (int)(ending->next_ms - now_ms);
}

static void end_further(struct service *service, struct ending *ending) {
    static const int signals[] = {SIGTERM, SIGTERM, SIGKILL};
    uint64_t patience_ms = atomic_load(&service->patience_ms);
    if (!patience_ms || ending->step == sizeof signals / sizeof *signals ||
        (ending->step && clock_ms() < ending->next_ms))
        return;
    signal_child(service, signals[ending->step++]);
    ending->next_ms = ending->step < sizeof signals / sizeof *signals ? clock_ms() + patience_ms : 0;
}

static void watch(struct service *service) {
    struct ending ending = {0};
    for (;;) {
        struct pollfd fds[] = {
            {.fd = service->child_fd, .events = POLLIN},
            {.fd = service->output_fd, .events = POLLIN},
            {.fd = service->wake_fd, .events = POLLIN},
        };
        uint64_t wakes;
        (void)poll(fds, 3, until(&ending));
        if (fds[1].revents)
            drain(service);
        if (fds[2].revents)
            (void)!read(service->wake_fd, &wakes, sizeof wakes);
        if (fds[0].revents)
            return;
        end_further(service, &ending);
    }
}

/* It starts the child as well: the kernel's word for our death is sent when the *thread* that forked ends. */
static void *run(void *context) {
    struct service *service = context;
    int error = spawn(service);
    lock_take(&service->lock);
    service->started = true;
    service->start_error = error;
    pthread_cond_signal(&service->begun);
    lock_drop(&service->lock);
    if (error)
        return NULL;
    watch(service);
    drain(service); /* what it wrote last */
    end_line(service);
    leave(service);
    lock_take(&service->lock);
    (void)kill(-service->pid, SIGKILL); /* what it left of its group; its number is kept until it is reaped */
    service->reaped = true;
    int code = child_reap(service->pid);
    lock_drop(&service->lock);
    service->description.on_end(service->description.context, code);
    return NULL;
}

static void clear(struct service *service) {
    path_close(&service->child_fd);
    path_close(&service->output_fd);
    path_close(&service->wake_fd);
    pthread_cond_destroy(&service->begun);
    lock_done(&service->lock);
    free(service);
}

int service_start(const struct service_description *description, struct service **ret_service,
    struct reason *reason) {
    struct service *service = mem_new(sizeof *service);
    *service = (struct service){.description = *description, .child_fd = -1, .output_fd = -1};
    service->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    lock_init(&service->lock, LOCK_QUEUE);
    lock_condition_init(&service->begun);
    int error = service->wake_fd < 0 ? -errno : thread_start("service", run, service, &service->thread);
    if (!error) {
        lock_take(&service->lock);
        while (!service->started) /* fork and exec wait for nobody */
            (void)lock_wait(&service->lock, &service->begun, 0);
        error = service->start_error;
        lock_drop(&service->lock);
        if (error)
            pthread_join(service->thread, NULL);
    }
    if (error) {
        clear(service);
        return err_because(reason, error, "%s can't be started: %s", description->arguments[0],
            err_sentence(error));
    }
    *ret_service = service;
    return 0;
}

pid_t service_pid(const struct service *service) {
    return service->pid;
}

void service_stop(struct service *service, uint64_t patience_ms) {
    uint64_t nobody = 0;
    static const uint64_t once = 1;
    if (atomic_compare_exchange_strong(&service->patience_ms, &nobody, patience_ms ? patience_ms : 1))
        (void)!write(service->wake_fd, &once, sizeof once);
}

void service_kill(struct service *service) {
    signal_child(service, SIGKILL);
}

void service_free(struct service *service) {
    pthread_join(service->thread, NULL);
    clear(service);
}
