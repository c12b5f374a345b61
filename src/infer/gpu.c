/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/gpu.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/path.h"
#include "base/pool.h"
#include "outside/child.h"

#define PROGRAM     "nvidia-smi"
#define YOUNG_MS    2000  /* figures */
#define ABSENT_MS   60000 /* that there is none: a driver that does not work does not begin to */
#define ASK_MS      5000
#define OUTPUT_MOST (16u << 10)

struct gpu_watch {
    char root[PATH_MAX];
    void (*renewed)(void *context);
    void *context;
    struct pool *pool;

    struct lock lock; /* QUEUE: what follows */
    struct work work;
    bool is_asking;
    uint64_t until_ms; /* how long the figures are believed; 0: there are none yet */
    struct gpu_figures figures;
};

/* ---- what others say */

void gpu_add_smi(const char *text, struct gpu_figures *figures) {
    for (const char *at = text; at && *at; at = strchr(at, '\n'), at += at != NULL) {
        char *end;
        unsigned long long total = strtoull(at, &end, 10);
        if (end == at || *end != ',')
            continue; /* "[N/A]": it has no memory of its own */
        const char *next = end + 1;
        unsigned long long free_mib = strtoull(next, &end, 10);
        if (end == next || total > UINT64_MAX >> 20 || free_mib > total)
            continue;
        figures->total += (uint64_t)total << 20;
        figures->free += (uint64_t)free_mib << 20;
    }
}

static int read_number(int folder_fd, const char *card, const char *name, uint64_t *ret_number) {
    char path[NAME_MAX + 64];
    BUF_CLEANUP struct buf text = BUF_INIT;
    int len = snprintf(path, sizeof path, "%s/device/%s", card, name);
    int error = len < 0 || len >= (int)sizeof path ? -ENAMETOOLONG : path_read(folder_fd, path, 64, &text);
    char *end;
    if (error)
        return error;
    *ret_number = strtoull(buf_text(&text), &end, 10);
    return end == text.data ? -EPROTO : 0;
}

/* "card0"; "card0-DP-1" is one of its plugs. */
static bool is_card(const char *name) {
    return strncmp(name, "card", 4) == 0 && name[4] && !name[4 + strspn(name + 4, "0123456789")];
}

void gpu_add_sysfs(const char *root, struct gpu_figures *figures) {
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/sys/class/drm", root);
    DIR *folder = len > 0 && len < (int)sizeof path ? opendir(path) : NULL;
    struct dirent *entry;
    if (!folder)
        return;
    while ((entry = readdir(folder))) {
        uint64_t total, used;
        if (!is_card(entry->d_name) ||
            read_number(dirfd(folder), entry->d_name, "mem_info_vram_total", &total) < 0 ||
            read_number(dirfd(folder), entry->d_name, "mem_info_vram_used", &used) < 0)
            continue;
        figures->total += total;
        figures->free += used < total ? total - used : 0;
    }
    (void)closedir(folder);
}

static bool is_on_path(const char *program) {
    const char *path = environment("PATH");
    for (const char *at = path ? path : ""; *at;) {
        char file[PATH_MAX];
        size_t len = strcspn(at, ":");
        if (len && snprintf(file, sizeof file, "%.*s/%s", (int)len, at, program) < (int)sizeof file &&
            access(file, X_OK) == 0)
            return true;
        at += len + (at[len] == ':');
    }
    return false;
}

static void ask_smi(struct gpu_figures *figures) {
    static const char *const arguments[] = {PROGRAM, "--query-gpu=memory.total,memory.free",
        "--format=csv,noheader,nounits", NULL};
    const struct child_description description = {.arguments = arguments,
        .input_fd = -1,
        .deadline_ms = ASK_MS,
        .output_limit = OUTPUT_MOST};
    BUF_CLEANUP struct buf output = BUF_INIT;
    int code = child_run(&description, &output);
    if (code == 0)
        gpu_add_smi(buf_text(&output), figures);
    else
        trace(engine, PROGRAM " ended with %d", code);
}

/* ---- the watch */

static void keep(struct gpu_watch *watch, const struct gpu_figures *figures) {
    LOCK_SCOPE(&watch->lock);
    watch->figures = *figures;
    watch->until_ms = clock_ms() + (figures->total ? YOUNG_MS : ABSENT_MS);
    watch->is_asking = false;
}

static void ask(struct work *work) {
    struct gpu_watch *watch = list_entry(work, struct gpu_watch, work);
    struct gpu_figures figures = {0};
    ask_smi(&figures);
    gpu_add_sysfs(watch->root, &figures);
    keep(watch, &figures);
    watch->renewed(watch->context);
}

struct gpu_watch *gpu_watch_new(const char *root, void (*renewed)(void *context), void *context) {
    struct gpu_watch *watch = mem_new(sizeof *watch);
    watch->renewed = renewed;
    watch->context = context;
    watch->work.run = ask;
    lock_init(&watch->lock, LOCK_QUEUE);
    (void)text_copy(watch->root, sizeof watch->root, root); /* a path that is too long has no GPUs */
    return watch;
}

void gpu_watch_free(struct gpu_watch *watch) {
    if (!watch)
        return;
    pool_stop(watch->pool);
    lock_done(&watch->lock);
    free(watch);
}

/* true: they are told. Else *ret_ask: it is for the caller to have them asked. */
static bool tell(struct gpu_watch *watch, struct gpu_figures *ret_figures, bool *ret_ask) {
    LOCK_SCOPE(&watch->lock);
    *ret_ask = false;
    if (!watch->is_asking && clock_ms() < watch->until_ms) {
        *ret_figures = watch->figures;
        return true;
    }
    *ret_ask = !watch->is_asking;
    watch->is_asking = true;
    return false;
}

bool gpu_watch_look(struct gpu_watch *watch, struct gpu_figures *ret_figures) {
    bool asks;
    if (tell(watch, ret_figures, &asks))
        return true;
    if (!asks)
        return false;
    if (!is_on_path(PROGRAM) || (!watch->pool && pool_start("gpu", 1, &watch->pool) < 0)) {
        struct gpu_figures figures = {0};
        gpu_add_sysfs(watch->root, &figures);
        keep(watch, &figures);
        *ret_figures = figures;
        return true;
    }
    pool_submit(watch->pool, &watch->work);
    return false;
}
