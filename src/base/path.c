/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

void path_close(int *fd) {
    int saved = errno;
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}

static int make_folder(const char *path) {
    struct stat about;
    if (!mkdir(path, 0755))
        return 0;
    int error = -errno;
    /* Whatever mkdir says (EEXIST, or EROFS and EACCES above what is ours): a folder that is there will
     * do. */
    if (stat(path, &about))
        return error;
    return S_ISDIR(about.st_mode) ? 0 : -ENOTDIR;
}

int path_make_folders(const char *path) {
    char part[PATH_MAX];
    if (!*path)
        return -ENOENT;
    int error = text_copy(part, sizeof part, path);
    for (char *at = part + 1; !error && *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        error = make_folder(part);
        *at = '/';
    }
    return error ? error : make_folder(part);
}

int path_open_folder(int dir_fd, const char *name, bool make) {
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(dir_fd, name, flags);
    if (fd >= 0 || errno != ENOENT || !make)
        return fd >= 0 ? fd : -errno;
    if (mkdirat(dir_fd, name, 0755) && errno != EEXIST)
        return -errno;
    fd = openat(dir_fd, name, flags);
    return fd >= 0 ? fd : -errno;
}

/* Reads to the end; what is longer than `limit` is -EFBIG. A file's size is not asked: those of /proc have
 * none. */
static int read_to_end(int fd, size_t limit, struct buf *to) {
    char chunk[8192];
    for (;;) {
        ssize_t len = read(fd, chunk, sizeof chunk);
        if (len < 0 && errno == EINTR)
            continue;
        if (len <= 0)
            return len ? -errno : buf_add(to, "", 0);
        if ((size_t)len > limit - to->len)
            return -EFBIG;
        int error = buf_add(to, chunk, (size_t)len);
        if (error)
            return error;
    }
}

int path_read(int dir_fd, const char *name, size_t limit, struct buf *ret_text) {
    /* Not blocking: to open a FIFO would wait for a writer. */
    FD_CLEANUP int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat about;
    if (fd < 0 || fstat(fd, &about))
        return -errno;
    if (!S_ISREG(about.st_mode))
        return S_ISDIR(about.st_mode) ? -EISDIR : -EINVAL;
    /* But to be read as any reader would: in a mount of ours some files make him wait (`wait`, `reply`). */
    if (fcntl(fd, F_SETFL, 0))
        return -errno;
    BUF_CLEANUP struct buf text = BUF_INIT;
    text.limit = ret_text->limit;
    int error = read_to_end(fd, limit, &text);
    if (error)
        return error;
    buf_done(ret_text);
    *ret_text = text;
    text = (struct buf)BUF_INIT;
    return 0;
}

int path_read_all(int fd, void *data, size_t len, uint64_t offset) {
    for (char *at = data; len;) {
        ssize_t done = pread(fd, at, len, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done ? -errno : -EIO;
        at += done;
        offset += (uint64_t)done;
        len -= (size_t)done;
    }
    return 0;
}

int path_write_all(int fd, const void *data, size_t len, uint64_t offset) {
    for (const char *at = data; len;) {
        ssize_t done = pwrite(fd, at, len, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done ? -errno : -EIO;
        at += done;
        offset += (uint64_t)done;
        len -= (size_t)done;
    }
    return 0;
}

/* The folder in which `name` is, and its own name in there. */
static int open_parent(int dir_fd, const char *name, const char **ret_own) {
    const char *slash = strrchr(name, '/');
    char folder[PATH_MAX] = ".";
    if (slash) {
        size_t len = slash == name ? 1 : (size_t)(slash - name);
        if (len >= sizeof folder)
            return -ENAMETOOLONG;
        memcpy(folder, name, len);
        folder[len] = '\0';
    }
    int fd = openat(dir_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    *ret_own = slash ? slash + 1 : name;
    return fd;
}

static int write_temp(int fd, const void *data, size_t len, bool durable) {
    int error = path_write_all(fd, data, len, 0);
    if (!error && durable && fsync(fd))
        error = -errno;
    return error;
}

int path_replace(int dir_fd, const char *name, const void *data, size_t len, bool durable) {
    const char *own;
    FD_CLEANUP int parent = open_parent(dir_fd, name, &own);
    if (parent < 0)
        return parent;
    char temp[32];
    snprintf(temp, sizeof temp, PATH_TEMPORARY "%08x%08x", random_below(UINT32_MAX),
        random_below(UINT32_MAX));
    FD_CLEANUP int fd = openat(parent, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    int error = write_temp(fd, data, len, durable);
    if (!error && renameat(parent, temp, parent, own))
        error = -errno;
    if (error) {
        (void)unlinkat(parent, temp, 0); /* the first failure is the one to tell */
        return error;
    }
    return durable && fsync(parent) ? -errno : 0;
}
