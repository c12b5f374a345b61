/* SPDX-License-Identifier: Apache-2.0 */
/* The part of path.h that walks: removing a tree, and who is below whom. */
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_DEPTH = 64 }; /* each level is an open descriptor */

static int remove_tree(int dir_fd, const char *name, int depth);

static bool is_dots(const char *name) {
    return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static int remove_entry(int dir_fd, const char *name, int depth) {
    if (!unlinkat(dir_fd, name, 0) || errno == ENOENT)
        return 0;
    /* Linux says EISDIR for a folder, POSIX allows EPERM. */
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    return remove_tree(dir_fd, name, depth + 1);
}

/* One walk over the folder; the number of entries that were seen, or -errno. */
static int remove_entries(DIR *folder, int depth) {
    int seen = 0;
    rewinddir(folder);
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry)
            return errno ? -errno : seen;
        if (is_dots(entry->d_name))
            continue;
        int error = remove_entry(dirfd(folder), entry->d_name, depth);
        if (error)
            return error;
        seen = 1;
    }
}

static void close_folder(DIR **folder) {
    if (*folder)
        closedir(*folder);
}

static int remove_tree(int dir_fd, const char *name, int depth) {
    if (depth > MOST_DEPTH)
        return -ELOOP;
    int fd = path_open_folder(dir_fd, name, false);
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    __attribute__((cleanup(close_folder))) DIR *folder = fdopendir(fd);
    if (!folder) {
        int error = -errno;
        close(fd);
        return error;
    }
    /* Again until nothing is seen: some file systems skip entries when others are removed meanwhile. */
    int seen;
    do
        seen = remove_entries(folder, depth);
    while (seen > 0);
    if (seen < 0)
        return seen;
    return unlinkat(dir_fd, name, AT_REMOVEDIR) && errno != ENOENT ? -errno : 0;
}

int path_remove_tree(int dir_fd, const char *name) {
    return remove_tree(dir_fd, name, 0);
}

/* Adds one component of a path that does not exist (so that it is no link) to a resolved one. */
static int append(char path[static PATH_MAX], const char *name, size_t len) {
    if (!len || (len == 1 && name[0] == '.'))
        return 0;
    size_t end = strlen(path);
    if (len == 2 && name[0] == '.' && name[1] == '.') {
        char *slash = strrchr(path, '/');
        slash[slash == path] = '\0';
        return 0;
    }
    end -= end == 1; /* "/" */
    if (end + 1 + len >= PATH_MAX)
        return -ENAMETOOLONG;
    path[end] = '/';
    memcpy(path + end + 1, name, len);
    path[end + 1 + len] = '\0';
    return 0;
}

/* realpath of the longest existing part, and the rest behind it as it is. */
static int resolve(const char *path, char to[static PATH_MAX]) {
    char head[PATH_MAX];
    if (path[0] != '/')
        return -EINVAL;
    int error = text_copy(head, sizeof head, path);
    if (error)
        return error;
    size_t len = strlen(head);
    /* ENOTCONN: a mount whose daemon has died. It is a folder, not a link, and that is all that has to be
     * known. */
    while (!realpath(head, to)) {
        if ((errno != ENOENT && errno != ENOTCONN) || len <= 1)
            return -errno;
        while (len > 1 && head[len - 1] == '/')
            len--;
        while (len > 1 && head[len - 1] != '/')
            len--;
        head[len] = '\0';
    }
    for (const char *at = path + len; *at && !error;) {
        size_t part = strcspn(at, "/");
        error = append(to, at, part);
        at += part + (at[part] == '/');
    }
    return error;
}

int path_is_below(const char *inner, const char *outer) {
    char in[PATH_MAX], out[PATH_MAX];
    int error = resolve(inner, in);
    error = error ? error : resolve(outer, out);
    if (error)
        return error;
    size_t len = strlen(out);
    len -= len == 1; /* "/" */
    return !strncmp(in, out, len) && (in[len] == '/' || !in[len]);
}
