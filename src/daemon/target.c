/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/path.h"
#include "daemon/errand.h"
#include "daemon/mounts.h"

#define LOOK_MS     5000
#define OPTION_SIZE 4096

int target_escape(const char *path, char *to, size_t size) {
    BUF_CLEANUP struct buf name = BUF_INIT;
    path += strspn(path, "/");
    if (!*path)
        return text_copy(to, size, "-");
    for (const char *at = path; *at; at++) {
        unsigned char byte = (unsigned char)*at;
        bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                     (byte >= '0' && byte <= '9') || byte == ':' || byte == '_' ||
                     (byte == '.' && name.len > 0);
        if (byte == '/') {
            at += strspn(at, "/") - 1;
            if (at[1])
                buf_text_add(&name, "-");
        } else if (plain) {
            buf_add(&name, at, 1);
        } else {
            buf_format(&name, "\\x%02x", byte);
        }
    }
    return text_copy(to, size, buf_text(&name));
}

int target_supervised_fd(const char *mountpoint) {
    static const char prefix[] = "/dev/fd/";
    if (strncmp(mountpoint, prefix, sizeof(prefix) - 1) != 0)
        return -1;
    char *end;
    errno = 0;
    long fd = strtol(mountpoint + sizeof(prefix) - 1, &end, 10);
    return errno || *end || end == mountpoint + sizeof(prefix) - 1 || fd < 0 || fd > INT_MAX ? -1 : (int)fd;
}

int target_default_store(char *to, size_t size, struct reason *reason) {
    const char *data = environment("XDG_DATA_HOME");
    const char *home = environment("HOME");
    int written;
    if (geteuid() == 0)
        written = snprintf(to, size, "/var/lib/weightfs");
    else if (data)
        written = snprintf(to, size, "%s/weightfs", data);
    else if (home)
        written = snprintf(to, size, "%s/.local/share/weightfs", home);
    else
        return err_because(reason, -ERR_CONFIG,
            "there is no HOME to keep a store in; name a folder with --store DIR");
    return written < 0 || (size_t)written >= size ? -ENAMETOOLONG : 0;
}

/* `path` against the current folder, textually: what it names may not be there yet. */
static int make_absolute(const char *path, char to[static PATH_MAX], struct reason *reason) {
    char folder[PATH_MAX];
    if (*path == '/')
        return text_copy(to, PATH_MAX, path) < 0
                   ? err_because(reason, -ENAMETOOLONG, "%s: the path is too long", path)
                   : 0;
    if (!getcwd(folder, sizeof(folder)))
        return err_because(reason, -errno, "the current folder: %s", err_sentence(-errno));
    int written = snprintf(to, PATH_MAX, "%s/%s", folder, path);
    if (written < 0 || written >= PATH_MAX)
        return err_because(reason, -ENAMETOOLONG, "%s: the path is too long", path);
    return 0;
}

/* The folder to mount on. One that is a dead mount of ours will do (the face clears it); a living one
 * will not. */
static int decide_mountpoint(const char *path, struct target *target, struct reason *reason) {
    MOUNTS_CLEANUP struct mounts mounts = MOUNTS_INIT;
    struct stat status;
    int error = mounts_resolve(path, target->mountpoint, sizeof(target->mountpoint));
    if (error < 0)
        return err_because(reason, error, "%s: %s", path, err_sentence(error));
    int seen = errand_run(errand_stat, target->mountpoint, LOOK_MS);
    if (mounts_read(&mounts) == 0 && mounts_at(&mounts, target->mountpoint)) {
        if (seen == -ENOTCONN || seen == -ECONNABORTED)
            return 0;
        return err_because(reason, -EBUSY,
            seen == -ETIMEDOUT
                ? "%s: a weightfs that does not answer is mounted there; `weightfs umount -l` detaches it"
                : "%s: a weightfs is mounted there already",
            path);
    }
    if (seen == -ENOENT)
        return err_because(reason, seen, "%s: there is no such folder; a mountpoint has to be there before",
            path);
    if (seen < 0)
        return err_because(reason, seen, "%s: %s", path, err_sentence(seen));
    char resolved[PATH_MAX];
    if (!realpath(path, resolved) || stat(resolved, &status) < 0)
        return err_because(reason, -errno, "%s: %s", path, err_sentence(-errno));
    if (!S_ISDIR(status.st_mode))
        return err_because(reason, -ENOTDIR, "%s: this is no folder; a mountpoint has to be one", path);
    if (mounts_at(&mounts, resolved)) /* through a link */
        return err_because(reason, -EBUSY, "%s: a weightfs is mounted there already", path);
    return text_copy(target->mountpoint, sizeof(target->mountpoint), resolved);
}

/* The kernel's number for the connection behind `fd` names the session; other kernels don't tell, then
 * the machine's start does. */
static void name_session(int fd, char to[static TARGET_SESSION_SIZE]) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    char path[64];
    unsigned connection = 0;
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    if (fd >= 0 && path_read(AT_FDCWD, path, 65536, &text) == 0) {
        const char *line = strstr(buf_text(&text), "fuse_connection:");
        if (line)
            (void)sscanf(line, "fuse_connection: %u", &connection);
    }
    if (fd >= 0)
        snprintf(to, TARGET_SESSION_SIZE, "%s-%u", boot_id(), connection);
    else /* a mount of our own is a new session each time */
        snprintf(to, TARGET_SESSION_SIZE, "%s-%d-%llu", boot_id(), getpid(), (unsigned long long)clock_ns());
}

static int decide_instance(struct target *target, const struct options *options, struct reason *reason) {
    if (options_text(options, "instance", target->instance, sizeof(target->instance))) {
        if (target->instance[0] == '.' || target->instance[0] == '\0' || strchr(target->instance, '/'))
            return err_because(reason, -ERR_CONFIG,
                "instance=%s: the name of a folder is wanted: no slash, no dot in front", target->instance);
        return 0;
    }
    if (target->supervised_fd >= 0)
        return err_because(reason, -ERR_CONFIG,
            "%s has no name that an instance could have; add -o instance=NAME", target->mountpoint);
    if (target_escape(target->mountpoint, target->instance, sizeof(target->instance)) < 0)
        return err_because(reason, -ERR_CONFIG,
            "%s is too long to name the instance by; add -o instance=NAME", target->mountpoint);
    return 0;
}

static int refuse_nesting(const char *what, const char *path, const struct target *target,
    struct reason *reason) {
    if (path_is_below(path, target->mountpoint) > 0)
        return err_because(reason, -ERR_CONFIG,
            "the %s (%s) lies inside the mountpoint (%s); choose another place for one of them", what, path,
            target->mountpoint);
    return 0;
}

int target_put_back(struct options *options, const char *name, const char *value, struct reason *reason) {
    char old[OPTION_SIZE], origin[OPTION_SIZE];
    size_t row = 0;
    while (strcmp(options_row(options, row)->name, name) != 0)
        row++;
    options_show(options, row, old, sizeof(old), origin, sizeof(origin));
    return strcmp(old, value) == 0 ? 0 : options_set(options, name, value, origin, reason);
}

/* "~/…" and "$NAME/…" are for who reads the option to expand. */
static bool is_relative(const char *path) {
    return *path && !strchr("/~$", *path);
}

int target_settle_paths(struct options *options, struct reason *reason) {
    char text[PATH_MAX], path[PATH_MAX];
    const struct option_row *row;
    int error = 0;
    for (size_t i = 0; (row = options_row(options, i)) && error >= 0; i++) {
        bool is_store = strcmp(row->name, "store") == 0;
        bool is_path = is_store || strcmp(row->name, "log") == 0 || strcmp(row->name, "ca_file") == 0 ||
                       row->type == OPTION_SECRET_FILE;
        if (!is_path)
            continue;
        bool is_set = options_text(options, row->name, text, sizeof(text));
        if (!is_set && is_store)
            error = target_default_store(text, sizeof(text), reason);
        else if (!is_set || (row->type == OPTION_SECRET_FILE && !is_relative(text)))
            continue;
        if (error >= 0)
            error = make_absolute(text, path, reason);
        if (error >= 0)
            error = target_put_back(options, row->name, path, reason);
    }
    return error;
}

static int decide_paths(struct target *target, const struct options *options, struct reason *reason) {
    char text[PATH_MAX];
    int error = 0;
    if (!options_text(options, "store", text, sizeof(text)) || !text[0])
        error = target_default_store(text, sizeof(text), reason);
    if (error >= 0)
        error = make_absolute(text, target->store, reason);
    if (error >= 0 && options_text(options, "log", text, sizeof(text)) && text[0])
        error = make_absolute(text, target->log, reason);
    if (error < 0 || target->supervised_fd >= 0)
        return error;
    error = refuse_nesting("store", target->store, target, reason);
    if (error >= 0 && target->log[0])
        error = refuse_nesting("log", target->log, target, reason);
    if (error >= 0 && path_is_below(target->mountpoint, target->store) > 0)
        error = err_because(reason, -ERR_CONFIG,
            "the mountpoint (%s) lies inside the store (%s); choose another place for one of them",
            target->mountpoint, target->store);
    return error;
}

int target_decide(const char *mountpoint, const char *session, const struct options *options,
    struct target *ret_target, struct reason *reason) {
    struct target target = {.supervised_fd = target_supervised_fd(mountpoint)};
    int error;
    if (target.supervised_fd < 0)
        error = decide_mountpoint(mountpoint, &target, reason);
    else if (fcntl(target.supervised_fd, F_GETFD) < 0)
        error = err_because(reason, -errno, "%s: this descriptor is not open", mountpoint);
    else
        error = text_copy(target.mountpoint, sizeof(target.mountpoint), mountpoint);
    if (error >= 0)
        error = decide_paths(&target, options, reason);
    if (error >= 0)
        error = decide_instance(&target, options, reason);
    if (error < 0)
        return error;
    if (session)
        snprintf(target.session, sizeof(target.session), "%s", session);
    else
        name_session(target.supervised_fd, target.session);
    *ret_target = target;
    return 0;
}
