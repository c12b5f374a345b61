/* SPDX-License-Identifier: Apache-2.0 */
/* weightfs umount: unmounts, and waits until the daemon has put everything away. */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "daemon/mounts.h"
#include "daemon/say.h"
#include "daemon/tree_file.h"
#include "daemon/verbs.h"
#include "outside/child.h"

#define PID_MS        2000
#define UNMOUNT_MS    20000
#define DAEMON_MS     20000
#define BUSY_MS       2000 /* for so long a mount may be busy by chance */
#define BUSY_AGAIN_MS 20
#define UNLOAD_MS     5000 /* for so long engines may need to end */

const struct flag umount_flags[] = {
    {'l', "lazy", NULL, "detach it although files in it are open: it goes when they are closed"},
    {0, NULL, NULL, NULL},
};

/* Users may not unmount; the setuid helper of FUSE does it for those who mounted. */
static int unmount_with_helper(const char *point, bool lazy, struct reason *reason) {
    BUF_CLEANUP struct buf output = BUF_INIT;
    const char *const arguments[] = {"fusermount3", lazy ? "-uz" : "-u", "--", point, NULL};
    struct child_description description = {.arguments = arguments,
        .input_fd = -1,
        .deadline_ms = UNMOUNT_MS,
        .output_limit = sizeof(reason->text)};
    int code = child_run(&description, &output);
    if (code == 0)
        return 0;
    if (code < 0)
        return err_because(reason, code, "fusermount3: %s", err_sentence(code));
    while (output.len > 0 && output.data[output.len - 1] == '\n')
        output.data[--output.len] = '\0';
    return err_because(reason, strstr(buf_text(&output), "busy") ? -EBUSY : -EPERM, "%s",
        output.len ? output.data : "fusermount3 failed");
}

static int unmount(const char *point, bool lazy, struct reason *reason) {
    if (geteuid() != 0)
        return unmount_with_helper(point, lazy, reason);
    int error = umount2(point, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0 ? 0 : -errno;
    /* Whoever walks in it, as who wakes watchers does, is in it for a moment only. */
    for (uint64_t end = clock_ms() + BUSY_MS; error == -EBUSY && clock_ms() < end;) {
        (void)poll(NULL, 0, BUSY_AGAIN_MS);
        error = umount2(point, UMOUNT_NOFOLLOW) == 0 ? 0 : -errno;
    }
    if (error == 0)
        return 0;
    if (error == -EBUSY)
        return err_because(reason, error,
            "%s is in use: some process has a file open in it or stands in it (`fuser -vm %s`); -l detaches "
            "it",
            point, point);
    return err_because(reason, error, "%s: %s", point, err_sentence(error));
}

/* An engine that was loaded while its model arrived (load=stream) has the weights open in it. */
static int unmount_unloaded(const char *point, struct reason *reason) {
    struct reason said = {""};
    int error = -EBUSY;
    if (tree_file_tell(point, "unload", &said) < 0)
        return error; /* the sentence is the one of the first time */
    for (uint64_t end = clock_ms() + UNLOAD_MS; error == -EBUSY && clock_ms() < end;)
        error = unmount(point, false, reason);
    return error;
}

static int await_end(int pid_fd, int pid, const char *point) {
    struct pollfd wanted = {.fd = pid_fd, .events = POLLIN};
    if (poll(&wanted, 1, DAEMON_MS) > 0)
        return WEIGHTFS_EXIT_OK;
    return say(WEIGHTFS_EXIT_FAILURE,
        "%s is unmounted, but its daemon (process %d) has not ended within %d seconds", point, pid,
        DAEMON_MS / 1000);
}

static int umount_point(const char *path, bool lazy) {
    MOUNTS_CLEANUP struct mounts mounts = MOUNTS_INIT;
    char point[PATH_MAX];
    struct reason reason = {""};
    int error = mounts_resolve(path, point, sizeof(point));
    if (error >= 0)
        error = mounts_read(&mounts);
    if (error < 0)
        return say(WEIGHTFS_EXIT_FATAL, "%s: %s", path, err_sentence(error));
    if (!mounts_at(&mounts, point))
        return say(WEIGHTFS_EXIT_FATAL, "%s: no weightfs is mounted there", path);
    /* The descriptor names the process even when its number is used again. */
    int pid = tree_file_daemon_pid(point, PID_MS);
    FD_CLEANUP int pid_fd = pid ? pidfd_open(pid, 0) : -1;
    error = unmount(point, lazy, &reason);
    if (error == -EBUSY)
        error = unmount_unloaded(point, &reason);
    if (error < 0)
        return say(WEIGHTFS_EXIT_FATAL, "%s", err_text(&reason, error));
    return pid_fd < 0 || lazy ? WEIGHTFS_EXIT_OK : await_end(pid_fd, pid, point);
}

int verb_umount(int argc, char **argv) {
    const char *value;
    bool lazy = false;
    int flag;
    flags_begin();
    while ((flag = flags_next(umount_flags, argc, argv, &value)) > 0)
        lazy = true;
    if (flag < 0)
        return WEIGHTFS_EXIT_USAGE;
    if (argc - optind != 1)
        return verb_usage(argv[0]);
    return umount_point(argv[optind], lazy);
}
