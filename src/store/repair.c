/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After the start, in the background: what a crash left and nobody will ask for. What a crash left of
 * blobs that are asked for is put right by load.c when they are. Nothing here touches bytes that may
 * count: temporary files of path_replace(), and maps without data.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"
#include "store/rot.h"

#define ABANDONED_S 600 /* younger ones may be somebody's who writes just now */
#define LOCK_TRIES  500 /* whoever opens a part at the start holds it for a moment */

/* Removes temporary files in the folder; its descriptor is the caller's. */
static void sweep_folder(int folder_fd) {
    int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        path_close(&fd);
        return;
    }
    struct dirent *entry;
    struct stat stat;
    while ((entry = readdir(dir)))
        if (!strncmp(entry->d_name, PATH_TEMPORARY, strlen(PATH_TEMPORARY)) &&
            !fstatat(folder_fd, entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) &&
            clock_wall_ms() / 1000 - stat.st_mtim.tv_sec > ABANDONED_S)
            (void)unlinkat(folder_fd, entry->d_name, 0); /* it only takes room */
    (void)closedir(dir);
}

static void repair_part(struct store *store, const char *key) {
    FD_CLEANUP int part_fd = path_open_folder(store->parts_fd, key, false);
    if (part_fd < 0 || part_lock(part_fd, LOCK_TRIES))
        return;
    if (faccessat(part_fd, "data", F_OK, AT_SYMLINK_NOFOLLOW) && errno == ENOENT)
        (void)unlinkat(part_fd, "map", 0);
    sweep_folder(part_fd);
    part_unlock(part_fd);
}

/* What was being taken out of service. */
static void repair_shelf(struct store *store) {
    int fd = openat(store->blobs_fd, "sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        path_close(&fd);
        return;
    }
    struct dirent *entry;
    while ((entry = readdir(dir)) && !store->closing)
        if (digest_is_hex(entry->d_name, 2))
            rot_repair(store, entry->d_name);
    (void)closedir(dir);
}

void store_repair(struct store *store) {
    sweep_folder(store->instance_fd);
    repair_shelf(store);
    int fd = openat(store->parts_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        path_close(&fd);
        return;
    }
    struct dirent *entry;
    while ((entry = readdir(dir)) && !store->closing)
        if (digest_kind_of(entry->d_name) != DIGEST_NONE)
            repair_part(store, entry->d_name);
    (void)closedir(dir);
}
