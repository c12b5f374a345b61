/* SPDX-License-Identifier: Apache-2.0 */
/* What a child finds: its folder with links to the model's files, and its program. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "infer/child_engine.h"

/* The folder that holds `name`, made with all above it in `fd`: a descriptor or -errno; the
 * name's last part into *ret_last. */
static int open_parent(int fd, const char *name, const char **ret_last) {
    char part[256];
    int parent_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (parent_fd < 0)
        return -errno;
    for (const char *slash; parent_fd >= 0 && (slash = strchr(name, '/')); name = slash + 1) {
        int len = snprintf(part, sizeof part, "%.*s", (int)(slash - name), name), next;
        next = len < (int)sizeof part ? path_open_folder(parent_fd, part, true) : -ENAMETOOLONG;
        path_close(&parent_fd);
        parent_fd = next;
    }
    *ret_last = name;
    return parent_fd;
}

static int link_file(int files_fd, const struct engine_file *file, bool flat) {
    const char *slash = strrchr(file->name, '/'), *name = flat && slash ? slash + 1 : file->name, *last;
    int fd = open_parent(files_fd, name, &last);
    if (fd < 0)
        return fd;
    int error = symlinkat(file->path, fd, last) < 0 ? -errno : 0;
    path_close(&fd);
    return error;
}

int child_fill_folder(const struct engine_start *start, bool flat, struct reason *reason) {
    FD_CLEANUP int folder_fd = open(start->folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (folder_fd < 0 || mkdirat(folder_fd, "home", 0700) < 0 || mkdirat(folder_fd, "files", 0700) < 0)
        return err_because(reason, -errno, "%s: %s", start->folder, err_sentence(-errno));
    FD_CLEANUP int files_fd = openat(folder_fd, "files", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    int error = files_fd < 0 ? -errno : 0;
    for (size_t i = 0; i < start->model.file_count && !error; i++)
        error = link_file(files_fd, &start->model.files[i], flat);
    return error < 0 ? err_because(reason, error, "%s/files: %s", start->folder, err_sentence(error)) : 0;
}

int child_home(const struct engine_start *start, char *to, size_t size) {
    int len = snprintf(to, size, "%s/home", start->folder);
    return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

static int find_at(const char *path) {
    struct stat status;
    if (stat(path, &status) < 0)
        return -errno;
    if (S_ISDIR(status.st_mode))
        return -EISDIR;
    return access(path, X_OK) < 0 ? -errno : 0;
}

int child_find(const char *program, char *to, size_t size) {
    if (strchr(program, '/')) {
        int error = text_copy(to, size, program);
        return error < 0 ? error : find_at(program);
    }
    const char *path = environment("PATH");
    for (const char *at = path ? path : "/usr/local/bin:/usr/bin:/bin"; *at;) {
        size_t len = strcspn(at, ":");
        int written = len ? snprintf(to, size, "%.*s/%s", (int)len, at, program) : -1;
        if (written > 0 && (size_t)written < size && find_at(to) == 0)
            return 0;
        at += len + (at[len] == ':');
    }
    return -ENOENT;
}
