/* SPDX-License-Identifier: Apache-2.0 */
/*
 * successor MOUNTPOINT SLOW COMPLETE PROGRAM [ARGUMENT…]: a supervisor that loses its daemon in the middle
 * of a read.
 *
 * Opens /dev/fuse, mounts it, and runs PROGRAM ARGUMENT… /dev/fd/N. COMPLETE=REFERENCE is a file of the
 * mount that must be readable at once, SLOW=REFERENCE one whose read must have to wait (whoever calls has
 * seen to that); both are compared with plain files. When the daemon says in status.json that a read is
 * parked, it is killed; "in flight" is printed if the reader waits for its answer then. A line on standard
 * input lets the second daemon start, with
 * --takeover. Exit code 0: the reader, which knows nothing of all this, got the right bytes.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 1 << 16, LOOKS = 500, LOOK_MS = 20, ALL_S = 100 };

static const char *mountpoint;
static pid_t owner, daemon_pid, reader_pid;

static void clean_up(void) {
    if (getpid() != owner)
        return;
    if (daemon_pid > 0)
        kill(daemon_pid, SIGKILL);
    if (reader_pid > 0)
        kill(reader_pid, SIGKILL);
    umount2(mountpoint, MNT_DETACH);
}

static void too_late(int number) {
    (void)number;
    static const char text[] = "successor: it took too long\n";
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    clean_up();
    _exit(1);
}

static int mount_session(void) {
    int fd = open("/dev/fuse", O_RDWR); /* inherited by the daemons */
    char options[128];
    snprintf(options, sizeof options,
        "fd=%d,rootmode=40000,user_id=%u,group_id=%u,allow_other,default_permissions", fd, getuid(),
        getgid());
    if (fd < 0 || mount("successor", mountpoint, "fuse.weightfs", MS_NOSUID | MS_NODEV, options) < 0)
        err(1, "mounting %s", mountpoint);
    return fd;
}

static pid_t start(char **arguments, int count, int session_fd, int takeover) {
    char path[32], *all[64] = {NULL};
    if (count > 60)
        errx(2, "too many arguments");
    memcpy(all, arguments, (size_t)count * sizeof *all);
    if (takeover)
        all[count++] = "--takeover";
    snprintf(path, sizeof path, "/dev/fd/%d", session_fd);
    all[count] = path;
    pid_t pid = fork();
    if (pid == 0) {
        execvp(all[0], all);
        err(1, "%s", all[0]);
    }
    if (pid < 0)
        err(1, "fork");
    return pid;
}

static void pause_ms(long ms) {
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static int open_or_die(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        err(1, "%s", path);
    return fd;
}

static void compare(int fd, const char *reference) {
    static char got[PIECE], wanted[PIECE];
    int reference_fd = open_or_die(reference);
    ssize_t count;
    off_t at = 0;
    do {
        count = pread(fd, got, sizeof got, at);
        if (count < 0)
            err(1, "reading at %lld, where %s continues", (long long)at, reference);
        if (pread(reference_fd, wanted, sizeof wanted, at) != count ||
            memcmp(got, wanted, (size_t)count) != 0)
            errx(1, "other bytes at %lld than in %s", (long long)at, reference);
        at += count;
    } while (count > 0);
    close(reference_fd);
}

/* What the daemon says of itself: how many requests wait. */
static long parked(void) {
    char path[4096], text[65536];
    snprintf(path, sizeof path, "%s/status.json", mountpoint);
    int fd = open_or_die(path);
    ssize_t count = read(fd, text, sizeof text - 1);
    close(fd);
    text[count < 0 ? 0 : count] = 0;
    const char *at = strstr(text, "\"parked\":");
    return at ? strtol(at + 9, NULL, 10) : 0;
}

/* In the kernel, in a system call that reads. */
static int is_reading(pid_t pid) {
    char path[64], text[128] = "";
    snprintf(path, sizeof path, "/proc/%d/syscall", pid);
    int fd = open_or_die(path);
    ssize_t count = read(fd, text, sizeof text - 1);
    close(fd);
    return count > 0 && strncmp(text, "running", 7) != 0 && waitpid(pid, NULL, WNOHANG) == 0;
}

static void await_parked(void) {
    for (int i = 0; i < LOOKS; i++, pause_ms(LOOK_MS))
        if (parked() > 0)
            return;
    errx(1, "no read was ever parked");
}

static void end(pid_t pid, int number, const char *name) {
    int status;
    kill(pid, number);
    if (waitpid(pid, &status, 0) != pid)
        err(1, "waiting for %s", name);
    if (number != SIGKILL && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
        errx(1, "%s ended badly: status %#x", name, status);
}

static char *split(char *pair) {
    char *equals = strchr(pair, '=');
    if (!equals)
        errx(2, "%s: FILE=REFERENCE is wanted", pair);
    *equals = 0;
    return equals + 1;
}

int main(int count, char **arguments) {
    if (count < 5)
        errx(2, "successor MOUNTPOINT SLOW=REFERENCE COMPLETE=REFERENCE PROGRAM [ARGUMENT…]");
    mountpoint = arguments[1];
    char *slow = arguments[2], *slow_reference = split(slow), *complete = arguments[3],
         *complete_reference = split(complete);
    owner = getpid();
    int session = mount_session();
    atexit(clean_up);
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = too_late}, NULL);
    alarm(ALL_S);

    daemon_pid = start(arguments + 4, count - 4, session, 0);
    int early = open_or_die(
        complete); /* held over it all: what the kernel passes through must go on, under the same number */
    compare(early, complete_reference);
    reader_pid = fork();
    if (reader_pid == 0) {
        compare(open_or_die(slow), slow_reference);
        _exit(0);
    }
    await_parked();
    end(daemon_pid, SIGKILL, "the first daemon");
    daemon_pid = 0;
    if (!is_reading(reader_pid))
        errx(1, "nobody was reading when the daemon was killed");
    puts("in flight");
    fflush(stdout);

    char line[16];
    if (!fgets(line, sizeof line, stdin))
        errx(1, "nobody said go");
    daemon_pid = start(arguments + 4, count - 4, session, 1);
    int status;
    if (waitpid(reader_pid, &status, 0) != reader_pid || status != 0)
        errx(1, "the reader failed: status %#x", status);
    reader_pid = 0;
    compare(early, complete_reference);
    compare(open_or_die(complete), complete_reference);
    puts("right bytes");
    end(daemon_pid, SIGTERM, "the second daemon");
    daemon_pid = 0;
    return 0;
}
