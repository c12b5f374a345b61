/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/mounted.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/path.h"
#include "outside/child.h"

enum { STALE_MOST = 16, ANSWER_MOST_MS = 3000, TABLE_MOST = 64 << 20, TEXT_MOST = 4096 };

int mounted_session_fd(const char *mountpoint) {
    static const char FOLDER[] = "/dev/fd/";
    if (strncmp(mountpoint, FOLDER, sizeof FOLDER - 1) != 0)
        return -1;
    char *end;
    errno = 0;
    long number = strtol(mountpoint + sizeof FOLDER - 1, &end, 10);
    return errno || *end || end == mountpoint + sizeof FOLDER - 1 || number < 0 || number > INT_MAX
               ? -1
               : (int)number;
}

/* "\040" is a blank. In place. */
static void unescape(char *text) {
    char *to = text;
    while (*text) {
        unsigned value;
        if (*text == '\\' && sscanf(text + 1, "%3o", &value) == 1 && strlen(text) >= 4) {
            *to++ = (char)value;
            text += 4;
        } else
            *to++ = *text++;
    }
    *to = 0;
}

struct mounted {
    unsigned major, minor;
    bool ours;
};

/* A line of mountinfo, 36 35 0:39 / /mnt rw,… shared:1 - fuse.weightfs name rw, and the path in it. */
static char *parse_line(char *line, struct mounted *ret_mounted) {
    struct mounted mounted = {0};
    int path_at = 0;
    if (sscanf(line, "%*d %*d %u:%u %*s %n", &mounted.major, &mounted.minor, &path_at) != 2 || !path_at)
        return NULL;
    char *path = line + path_at, *end = strchr(path, ' ');
    const char *type = strstr(path, " - ");
    if (!end || !type)
        return NULL;
    mounted.ours = strncmp(type + 3, "fuse.weightfs ", 14) == 0;
    *end = 0;
    unescape(path);
    *ret_mounted = mounted;
    return path;
}

static bool read_line(char *line, const char *mountpoint, struct mounted *ret_mounted) {
    struct mounted mounted;
    const char *path = parse_line(line, &mounted);
    if (!path || strcmp(path, mountpoint) != 0)
        return false;
    *ret_mounted = mounted;
    return true;
}

/* The topmost mount at `mountpoint`: the last in the table. */
static bool find(const char *mountpoint, struct mounted *ret_mounted) {
    BUF_CLEANUP struct buf table = BUF_INIT;
    if (path_read(AT_FDCWD, "/proc/self/mountinfo", TABLE_MOST, &table) < 0 || !table.len)
        return false;
    bool found = false;
    char *rest = table.data, *line;
    while ((line = strsep(&rest, "\n")))
        if (read_line(line, mountpoint, ret_mounted))
            found = true;
    return found;
}

static int resolve(const char *path, char **ret_path, struct reason *reason) {
    char *resolved = realpath(path, NULL);
    if (!resolved)
        return err_because(reason, -errno, "%s: %s", path, err_sentence(-errno));
    *ret_path = resolved;
    return 0;
}

int mounted_resolve(const char *mountpoint, char **ret_path, struct reason *reason) {
    TEXT_CLEANUP char *parent = mem_text(mountpoint);
    size_t len = strlen(parent);
    while (len > 1 && parent[len - 1] == '/')
        parent[--len] = 0;
    char *slash = strrchr(parent, '/');
    if (!slash || !slash[1])
        return resolve(mountpoint, ret_path, reason);
    TEXT_CLEANUP char *name = mem_text(slash + 1);
    slash[slash == parent] = 0;
    TEXT_CLEANUP char *folder = NULL;
    int error = resolve(parent, &folder, reason);
    if (error)
        return error;
    BUF_CLEANUP struct buf path = BUF_INIT;
    (void)buf_format(&path, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
    struct mounted mounted;
    if (!find(buf_text(&path), &mounted) || !mounted.ours)
        return resolve(mountpoint, ret_path, reason);
    *ret_path = buf_take(&path);
    return 0;
}

static int run(const char *const *arguments, struct buf *output) {
    static const char *const ENVIRONMENT[] = {"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    struct child_description description = {
        .arguments = arguments,
        .environment = ENVIRONMENT,
        .input_fd = -1,
        .deadline_ms = ANSWER_MOST_MS,
        .output_limit = TEXT_MOST,
    };
    return child_run(&description, output);
}

/* A mount without a daemon answers each question with ENOTCONN. It is a child that asks: one that hangs is
 * none of ours. */
static bool is_dead(const char *mountpoint) {
    BUF_CLEANUP struct buf output = BUF_INIT;
    int code = run((const char *const[]){"stat", "-f", "--", mountpoint, NULL}, &output);
    return code > 0 && strstr(buf_text(&output), "not connected");
}

static int detach(const char *mountpoint) {
    if (umount2(mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
        return 0;
    int error = -errno;
    if (error != -EPERM)
        return error;
    return run((const char *const[]){"fusermount3", "-u", "-z", "-q", "--", mountpoint, NULL}, NULL) == 0
               ? 0
               : error;
}

int mounted_clear(const char *mountpoint, struct reason *reason) {
    struct mounted mounted;
    for (unsigned i = 0; i < STALE_MOST && find(mountpoint, &mounted) && mounted.ours; i++) {
        if (!is_dead(mountpoint))
            return err_because(reason, -EBUSY, "weightfs is mounted at %s already", mountpoint);
        int error = detach(mountpoint);
        if (error)
            return err_because(reason, error, "%s has a mount without a daemon, and can't be unmounted: %s",
                mountpoint, err_sentence(error));
        log_notice("cleared a mount at %s whose daemon had died", mountpoint);
    }
    return 0;
}

/* Newer kernels say which connection a descriptor belongs to; its number is the device's minor number. */
static bool device_of_session(int session_fd, struct mounted *ret_mounted) {
    char path[64];
    BUF_CLEANUP struct buf text = BUF_INIT;
    (void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", session_fd);
    if (path_read(AT_FDCWD, path, TEXT_MOST, &text) < 0)
        return false;
    const char *line = strstr(buf_text(&text), "fuse_connection:");
    struct mounted mounted = {0};
    if (!line || sscanf(line, "fuse_connection: %u", &mounted.minor) != 1)
        return false;
    *ret_mounted = mounted;
    return true;
}

/* The path of a mount of this device; NULL. The caller frees. */
static char *path_of_device(const struct mounted *wanted) {
    BUF_CLEANUP struct buf table = BUF_INIT;
    if (path_read(AT_FDCWD, "/proc/self/mountinfo", TABLE_MOST, &table) < 0 || !table.len)
        return NULL;
    char *rest = table.data, *line;
    while ((line = strsep(&rest, "\n"))) {
        struct mounted mounted;
        const char *path = parse_line(line, &mounted);
        if (path && mounted.major == wanted->major && mounted.minor == wanted->minor)
            return mem_text(path);
    }
    return NULL;
}

int mounted_where(int session_fd, const char *mountpoint, char **ret_path, char *ret_device, size_t size) {
    struct mounted mounted;
    bool found =
        mountpoint ? find(mountpoint, &mounted) && mounted.ours : device_of_session(session_fd, &mounted);
    char *path = !found ? NULL : mountpoint ? mem_text(mountpoint) : path_of_device(&mounted);
    if (!path)
        return -ENOENT;
    (void)snprintf(ret_device, size, "%u:%u", mounted.major, mounted.minor);
    *ret_path = path;
    return 0;
}

void mounted_set_read_ahead(int session_fd, const char *mountpoint, unsigned kib) {
    struct mounted mounted;
    if (!device_of_session(session_fd, &mounted) &&
        (!mountpoint || !find(mountpoint, &mounted) || !mounted.ours))
        return;
    char path[64], text[16];
    (void)snprintf(path, sizeof path, "/sys/class/bdi/%u:%u/read_ahead_kb", mounted.major, mounted.minor);
    int len = snprintf(text, sizeof text, "%u", kib);
    FD_CLEANUP int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, (size_t)len) < 0)
        trace(fuse, "%s stays as it is: %s", path, err_sentence(-errno));
}
