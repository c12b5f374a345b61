/* SPDX-License-Identifier: Apache-2.0 */
#include "store/shelf.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"

/* Calls `each` with every name in the folder but those that begin with a dot. */
static void walk(int dir_fd, const char *folder, void (*each)(void *context, int fd, const char *name),
    void *context) {
    int fd = openat(dir_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        path_close(&fd);
        return;
    }
    struct dirent *entry;
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            each(context, dirfd(dir), entry->d_name);
    (void)closedir(dir);
}

static void add(struct shelf *shelf, const char *name, bool is_part, const struct stat *stat) {
    if (shelf->count == shelf->room) {
        shelf->room = shelf->room ? shelf->room * 2 : 64;
        shelf->items = mem_resize(shelf->items, shelf->room, sizeof *shelf->items);
    }
    struct shelf_item *item = &shelf->items[shelf->count];
    if (text_copy(item->name, sizeof item->name, name))
        return; /* not a name of ours */
    item->is_part = is_part;
    item->bytes = (uint64_t)stat->st_blocks * 512;
    item->used_ns = stat->st_atim.tv_sec * 1000000000LL + stat->st_atim.tv_nsec;
    shelf->bytes += item->bytes;
    shelf->count++;
}

static void each_blob(void *context, int fd, const char *name) {
    struct stat stat;
    if (digest_is_hex(name, 64) && !fstatat(fd, name, &stat, AT_SYMLINK_NOFOLLOW) && S_ISREG(stat.st_mode))
        add(context, name, false, &stat);
}

static void each_shelf_folder(void *context, int fd, const char *name) {
    walk(fd, name, each_blob, context);
}

static void each_part(void *context, int fd, const char *name) {
    char data[300];
    struct stat stat;
    (void)snprintf(data, sizeof data, "%.255s/data", name);
    if (digest_kind_of(name) != DIGEST_NONE && !fstatat(fd, data, &stat, AT_SYMLINK_NOFOLLOW) &&
        S_ISREG(stat.st_mode))
        add(context, name, true, &stat);
}

void shelf_read(struct store *store, struct shelf *shelf) {
    walk(store->blobs_fd, "sha256", each_shelf_folder, shelf);
    walk(store->dir_fd, "parts", each_part, shelf);
}

void shelf_done(struct shelf *shelf) {
    free(shelf->items);
    *shelf = (struct shelf){0};
}

struct holds {
    struct store *store;
    char (*names)[DIGEST_TEXT_SIZE]; /* hex digits of sealed blobs, keys of parts */
    size_t count, room;
};

static void hold(struct holds *holds, const char *name) {
    if (holds->count == holds->room) {
        holds->room = holds->room ? holds->room * 2 : 64;
        holds->names = mem_resize(holds->names, holds->room, sizeof *holds->names);
    }
    if (!text_copy(holds->names[holds->count], DIGEST_TEXT_SIZE, name))
        holds->count++;
}

static void read_pins(struct holds *holds, int fd, const char *file) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    if (path_read(fd, file, 64u << 20, &text))
        return;
    char *save = NULL;
    for (char *key = strtok_r(text.data, "\n", &save); key; key = strtok_r(NULL, "\n", &save)) {
        struct meta meta;
        struct meta_stamp stamp;
        hold(holds, key);
        if (digest_kind_of(key) == DIGEST_SHA256)
            hold(holds, key + strlen("sha256-"));
        else if (digest_kind_of(key) != DIGEST_NONE &&
                 !meta_read(holds->store->parts_fd, key, &meta, &stamp) && *meta.sha256)
            hold(holds, meta.sha256);
    }
}

/* "pins", and what a damaged catalogue held that was put aside ("…-pins"): nobody knows better yet. */
static void each_pins(void *context, int fd, const char *name) {
    size_t len = strlen(name);
    if (strcmp(name, "pins") == 0 || (len > 5 && strcmp(name + len - 5, "-pins") == 0))
        read_pins(context, fd, name);
}

static void each_instance_pins(void *context, int fd, const char *name) {
    walk(fd, name, each_pins, context);
}

static int by_name(const void *a, const void *b) {
    return strcmp(a, b);
}

static void read_holds(struct store *store, struct holds *holds) {
    holds->store = store;
    walk(store->dir_fd, "instances", each_instance_pins, holds);
    if (holds->count)
        qsort(holds->names, holds->count, sizeof *holds->names, by_name);
}

static bool is_in(const struct holds *holds, const char *name) {
    return holds->count && bsearch(name, holds->names, holds->count, sizeof *holds->names, by_name);
}

bool shelf_is_held(struct store *store, const char *key) {
    struct holds holds = {0};
    read_holds(store, &holds);
    bool held = is_in(&holds, key);
    free(holds.names);
    return held;
}

static int by_use(const void *a, const void *b) {
    const struct shelf_item *x = a, *y = b;
    return x->used_ns < y->used_ns ? -1 : x->used_ns > y->used_ns;
}

void shelf_order(struct store *store, struct shelf *shelf) {
    struct holds holds = {0};
    read_holds(store, &holds);
    size_t kept = 0;
    for (size_t i = 0; i < shelf->count; i++)
        if (!is_in(&holds, shelf->items[i].name))
            shelf->items[kept++] = shelf->items[i];
    shelf->count = kept;
    free(holds.names);
    if (kept)
        qsort(shelf->items, kept, sizeof *shelf->items, by_use);
}

#define PLACE_SIZE (DIGEST_TEXT_SIZE + 32)

static void place_of(const char *name, bool is_part, char to[static PLACE_SIZE]) {
    (void)snprintf(to, PLACE_SIZE, is_part ? "parts/%s/data" : "blobs/sha256/%.2s/%s", name, name);
}

int64_t shelf_used_ms(struct store *store, const char *key, const char *sha256) {
    char name[PLACE_SIZE];
    struct stat stat;
    place_of(*sha256 ? sha256 : key, !*sha256, name);
    if (fstatat(store->dir_fd, name, &stat, AT_SYMLINK_NOFOLLOW))
        return 0;
    return stat.st_atim.tv_sec * INT64_C(1000) + stat.st_atim.tv_nsec / 1000000;
}

bool shelf_is_used(struct store *store, const struct shelf_item *item) {
    char name[PLACE_SIZE];
    place_of(item->name, item->is_part, name);
    FD_CLEANUP int fd =
        openat(store->dir_fd, name, (item->is_part ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB); /* let go of with the descriptor */
}

static void each_instance(void *context, int fd, const char *name) {
    (void)fd, (void)name;
    ++*(size_t *)context;
}

bool shelf_is_alone(struct store *store) {
    size_t count = 0;
    walk(store->dir_fd, "instances", each_instance, &count);
    return count <= 1;
}

static void each_instance_budget(void *context, int fd, const char *name) {
    uint64_t *least = context, budget;
    char file[300];
    (void)snprintf(file, sizeof file, "%.255s/lock", name);
    FD_CLEANUP int lock_fd = openat(fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (lock_fd < 0 || !flock(lock_fd, LOCK_SH | LOCK_NB))
        return; /* nobody runs it: the lock goes with the descriptor */
    (void)snprintf(file, sizeof file, "%.255s/budget", name);
    BUF_CLEANUP struct buf text = BUF_INIT;
    if (path_read(fd, file, 64, &text))
        return;
    text.data[strcspn(text.data, "\n")] = 0;
    if (!bytes_parse(text.data, &budget) && budget && (!*least || budget < *least))
        *least = budget;
}

uint64_t shelf_budget(struct store *store) {
    uint64_t least = 0;
    walk(store->dir_fd, "instances", each_instance_budget, &least);
    return least;
}
