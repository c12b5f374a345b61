/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passthroughfs FOLDER MOUNTPOINT: the files of one folder, read-only, with FUSE passthrough and `noflush`, and nothing else:
 * what tests/bench compares opening a file with. Stays in front; ends with SIGTERM or when it is unmounted.
 *
 * Node id N + 1 is the N-th name that was looked up; a name's backing file is registered at its first open and kept.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if FUSE_USE_VERSION < 317
int main(void) {
    errx(77, "this libfuse has no passthrough");
}
#else

enum { NAMES_MOST = 1024 };
static const double FOREVER_S = 3600;

static int folder_fd;
static struct {
    char *name;
    int backing_id;
} files[NAMES_MOST];
static size_t file_count;

static int attributes_of(fuse_ino_t node, struct stat *ret_stat) {
    if (node != FUSE_ROOT_ID && (node < 2 || node - 2 >= file_count))
        return ENOENT;
    if (fstatat(folder_fd, node == FUSE_ROOT_ID ? "" : files[node - 2].name, ret_stat, AT_EMPTY_PATH) < 0)
        return errno;
    ret_stat->st_ino = node;
    return 0;
}

static void do_init(void *context, struct fuse_conn_info *connection) {
    (void)context;
    if (!fuse_set_feature_flag(connection, FUSE_CAP_PASSTHROUGH))
        errx(77, "this kernel has no passthrough");
    connection->max_backing_stack_depth = 1;
}

static void do_lookup(fuse_req_t request, fuse_ino_t parent, const char *name) {
    struct fuse_entry_param entry = {.attr_timeout = FOREVER_S, .entry_timeout = FOREVER_S};
    size_t place = 0;
    while (place < file_count && strcmp(files[place].name, name) != 0)
        place++;
    if (parent != FUSE_ROOT_ID || place == NAMES_MOST || faccessat(folder_fd, name, F_OK, 0) < 0) {
        (void)fuse_reply_err(request, ENOENT);
        return;
    }
    if (place == file_count) {
        files[place].name = strdup(name);
        file_count++;
    }
    entry.ino = place + 2;
    int error = attributes_of(entry.ino, &entry.attr);
    if (error)
        (void)fuse_reply_err(request, error);
    else
        (void)fuse_reply_entry(request, &entry);
}

static void do_getattr(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info) {
    (void)info;
    struct stat stat;
    int error = attributes_of(node, &stat);
    if (error)
        (void)fuse_reply_err(request, error);
    else
        (void)fuse_reply_attr(request, &stat, FOREVER_S);
}

static void do_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info) {
    int *backing_id = &files[node - 2].backing_id;
    if ((info->flags & O_ACCMODE) != O_RDONLY) {
        (void)fuse_reply_err(request, EROFS);
        return;
    }
    if (*backing_id == 0) {
        int fd = openat(folder_fd, files[node - 2].name, O_RDONLY | O_CLOEXEC);
        *backing_id = fd < 0 ? 0 : fuse_passthrough_open(request, fd);
        if (fd >= 0)
            close(fd);
    }
    if (*backing_id <= 0) {
        (void)fuse_reply_err(request, EIO);
        return;
    }
    info->backing_id = *backing_id;
    info->noflush = 1;
    (void)fuse_reply_open(request, info);
}

static void do_release(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info) {
    (void)node;
    (void)info;
    (void)fuse_reply_err(request, 0);
}

static const struct fuse_lowlevel_ops operations = {
    .init = do_init,
    .lookup = do_lookup,
    .getattr = do_getattr,
    .open = do_open,
    .release = do_release,
};

int main(int argc, char **argv) {
    if (argc != 3)
        errx(2, "usage: passthroughfs FOLDER MOUNTPOINT");
    folder_fd = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd < 0)
        err(1, "%s", argv[1]);
    char *arguments[] = {argv[0], "-ofsname=passthroughfs,default_permissions", NULL};
    struct fuse_args options = FUSE_ARGS_INIT(2, arguments);
    struct fuse_session *session = fuse_session_new(&options, &operations, sizeof operations, NULL);
    if (!session || fuse_set_signal_handlers(session) < 0 || fuse_session_mount(session, argv[2]) < 0)
        errx(1, "cannot mount at %s", argv[2]);
    int result = fuse_session_loop(session);
    fuse_session_unmount(session);
    fuse_remove_signal_handlers(session);
    fuse_session_destroy(session);
    return result < 0 ? 1 : 0;
}

#endif
