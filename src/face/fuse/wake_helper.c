/* SPDX-License-Identifier: Apache-2.0 */
/* The helper process of waker.c: gets messages of lines, does them on the mount, answers each with a byte. */

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/path.h"
#include "face/fuse/waker.h"
#include "weightfs/exit.h"

enum { MESSAGE_MOST = 64 << 10 };

/* Of root's rights it keeps those to set times and make a folder where modes say no, and to walk there. */
static void give_up_rights(void) {
    const uint32_t kept = 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH | 1u << CAP_FOWNER;
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct rights[_LINUX_CAPABILITY_U32S_3] = {{0}};
    if (geteuid() == 0)
        rights[0] = (struct __user_cap_data_struct){.effective = kept, .permitted = kept};
    (void)syscall(SYS_capset, &head, rights); /* more than is needed does no harm: it is ours */
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    (void)setrlimit(RLIMIT_FSIZE, &(struct rlimit){0, 0});
}

/* The mountpoint, if it is our mount that lies there: else something else may have files of these names. */
static int open_root(const char *mountpoint, const char *device) {
    struct statx status;
    char there[32];
    FD_CLEANUP int fd = open(mountpoint, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &status) < 0)
        return -1;
    (void)snprintf(there, sizeof there, "%u:%u", status.stx_dev_major, status.stx_dev_minor);
    if (strcmp(there, device) != 0)
        return -1;
    int opened = fd;
    fd = -1;
    return opened;
}

/* One time alone: to inotify that is a modification; both would be a change of attributes. */
static void touch(int root, const char *path) {
    static const struct timespec TIMES[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};
    (void)utimensat(root, path, TIMES, AT_SYMLINK_NOFOLLOW); /* what has gone needs no waking */
}

/* Somebody may have seen it already; then the folder that it is in is what changed. */
static void make(int root, char *path) {
    char *slash = strrchr(path, '/');
    if (mkdirat(root, path, 0555) == 0 || !slash)
        return;
    *slash = '\0';
    touch(root, path);
}

static void do_line(int root, char *line) {
    if (line[0] == 't' && line[1] == ' ')
        touch(root, line + 2);
    else if (line[0] == 'c' && line[1] == ' ')
        make(root, line + 2);
}

static void do_message(const char *mountpoint, const char *device, char *message) {
    FD_CLEANUP int root = open_root(mountpoint, device);
    char *rest = message, *line;
    while (root >= 0 && (line = strsep(&rest, "\n")))
        do_line(root, line);
}

int wake_helper(int argc, char **argv) {
    static char message[MESSAGE_MOST];
    if (argc != 3)
        return WEIGHTFS_EXIT_USAGE;
    give_up_rights();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* after the rights: a change of those clears it */
    (void)prctl(PR_SET_NAME, "weightfs-wake");
    (void)!chdir("/");
    for (;;) {
        ssize_t len = recv(0, message, sizeof message - 1, 0);
        if (len < 0 && errno == EINTR)
            continue;
        if (len <= 0) /* the daemon has gone, or wants us no more */
            return WEIGHTFS_EXIT_OK;
        message[len] = '\0';
        do_message(argv[1], argv[2], message);
        if (send(0, "", 1, MSG_NOSIGNAL) != 1)
            return WEIGHTFS_EXIT_OK;
    }
}
