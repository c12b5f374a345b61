/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passthroughfs FOLDER MOUNTPOINT: the least that can pass files through, to compare with.
 *
 * Shows the regular files of one folder, read-only; the kernel reads them by itself. Each is registered
 * when it is first opened, and stays so. Stays in front, prints "ready" when it is mounted, and ends when
 * it is unmounted. Exit code 77: not possible here.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fuse_lowlevel.h>

#if FUSE_VERSION < FUSE_MAKE_VERSION(3, 17)

int main(void) {
    fprintf(stderr, "this libfuse is too old\n");
    return 77;
}

#else

enum { FILES_MOST = 1024, FIRST_NODE = 2, BELIEVE_S = 3600 };

static struct file {
    char *name;
    struct stat stat;
    int backing_id;
} files[FILES_MOST];
static size_t file_count;
static int folder_fd;
static pthread_mutex_t registering = PTHREAD_MUTEX_INITIALIZER;

static struct file *file_of(fuse_ino_t node) {
    return node >= FIRST_NODE && node - FIRST_NODE < file_count ? &files[node - FIRST_NODE] : NULL;
}

static void read_folder(const char *path) {
    folder_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = folder_fd < 0 ? NULL : opendir(path);
    if (!folder)
        err(1, "%s", path);
    const struct dirent *entry;
    while ((entry = readdir(folder)) && file_count < FILES_MOST) {
        struct file *file = &files[file_count];
        if (fstatat(folder_fd, entry->d_name, &file->stat, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(file->stat.st_mode))
            continue;
        file->name = strdup(entry->d_name);
        if (!file->name)
            err(1, "a name");
        file->stat.st_ino = FIRST_NODE + file_count++;
    }
    closedir(folder);
}

static void fs_init(void *context, struct fuse_conn_info *connection) {
    (void)context;
    if (!fuse_set_feature_flag(connection, FUSE_CAP_PASSTHROUGH))
        errx(77, "this kernel can't pass files through");
    connection->max_backing_stack_depth = 1;
}

static void fs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name) {
    for (size_t i = 0; parent == FUSE_ROOT_ID && i < file_count; i++) {
        if (strcmp(files[i].name, name) != 0)
            continue;
        struct fuse_entry_param param = {.ino = FIRST_NODE + i,
            .attr = files[i].stat,
            .attr_timeout = BELIEVE_S,
            .entry_timeout = BELIEVE_S};
        fuse_reply_entry(req, &param);
        return;
    }
    fuse_reply_err(req, ENOENT);
}

static void fs_getattr(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info) {
    (void)info;
    struct stat root = {.st_ino = FUSE_ROOT_ID, .st_mode = S_IFDIR | 0555, .st_nlink = 2};
    const struct file *file = file_of(node);
    fuse_reply_attr(req, file ? &file->stat : &root, BELIEVE_S);
}

static void fs_readdir(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset,
    struct fuse_file_info *info) {
    (void)node, (void)info;
    char data[65536];
    size_t used = 0, room = size < sizeof data ? size : sizeof data;
    for (size_t i = (size_t)offset; i < file_count; i++) {
        size_t more =
            fuse_add_direntry(req, data + used, room - used, files[i].name, &files[i].stat, (off_t)i + 1);
        if (more > room - used)
            break;
        used += more;
    }
    fuse_reply_buf(req, data, used);
}

static int register_file(fuse_req_t req, struct file *file) {
    int fd = openat(folder_fd, file->name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    int id = fuse_passthrough_open(req, fd);
    close(fd);
    return id;
}

static void fs_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info) {
    struct file *file = file_of(node);
    if (!file || (info->flags & O_ACCMODE) != O_RDONLY || (info->flags & O_TRUNC)) {
        fuse_reply_err(req, EROFS);
        return;
    }
    pthread_mutex_lock(&registering);
    if (!file->backing_id)
        file->backing_id = register_file(req, file);
    info->backing_id = file->backing_id;
    pthread_mutex_unlock(&registering);
    info->noflush = 1;
    if (info->backing_id > 0)
        fuse_reply_open(req, info);
    else
        fuse_reply_err(req, EPERM);
}

static const struct fuse_lowlevel_ops operations = {
    .init = fs_init,
    .lookup = fs_lookup,
    .getattr = fs_getattr,
    .readdir = fs_readdir,
    .open = fs_open,
};

int main(int count, char **arguments) {
    if (count != 3)
        errx(2, "passthroughfs FOLDER MOUNTPOINT");
    read_folder(arguments[1]);
    char *fuse_arguments[] = {arguments[0], "-o", "fsname=passthroughfs,default_permissions,nosuid,nodev",
        NULL};
    struct fuse_args args = FUSE_ARGS_INIT(3, fuse_arguments);
    struct fuse_session *session = fuse_session_new(&args, &operations, sizeof operations, NULL);
    if (!session || fuse_set_signal_handlers(session) != 0 || fuse_session_mount(session, arguments[2]) != 0)
        errx(1, "can't mount %s", arguments[2]);
    puts("ready");
    fflush(stdout);
    struct fuse_loop_config *config = fuse_loop_cfg_create();
    int result = fuse_session_loop_mt(session, config);
    fuse_loop_cfg_destroy(config);
    fuse_session_unmount(session);
    fuse_remove_signal_handlers(session);
    fuse_session_destroy(session);
    return result < 0;
}

#endif
