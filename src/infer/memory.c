/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"

#define TEXT_MOST      (64u << 10) /* of one such file */
#define PROCESSES_MOST 256         /* of one engine */

static int read_file(struct buf *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int read_file(struct buf *to, const char *format, ...) {
    char path[PATH_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(path, sizeof path, format, args);
    va_end(args);
    buf_clear(to);
    return len < 0 || len >= (int)sizeof path ? -ENAMETOOLONG : path_read(AT_FDCWD, path, TEXT_MOST, to);
}

/* The number behind a word that begins a line: "MemAvailable:   123 kB", "inactive_file 456". */
static int number_of(const char *text, const char *word, uint64_t *ret_number) {
    size_t len = strlen(word);
    for (const char *at = text; at; at = strchr(at, '\n'), at += at != NULL) {
        if (strncmp(at, word, len) != 0)
            continue;
        char *end;
        errno = 0;
        unsigned long long number = strtoull(at + len, &end, 10);
        if (end == at + len || errno)
            return -EPROTO;
        *ret_number = number;
        return 0;
    }
    return -ENOENT;
}

/* ---- control groups */

static const struct group_kind {
    const char *line;   /* how its line in /proc/self/cgroup begins behind the first colon */
    const char *folder; /* where its groups are */
    const char *limit, *usage, *inactive, *active;
} GROUP_KINDS[] = {
    {":", "/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file ", "active_file "},
    {"memory:", "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
        "total_inactive_file ", "total_active_file "},
};

/* What one group leaves; UINT64_MAX: it has no limit. */
static uint64_t left_in(const char *root, const struct group_kind *kind, const char *path) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    uint64_t limit, usage, inactive = 0, active = 0;
    if (read_file(&text, "%s%s%s/%s", root, kind->folder, path, kind->limit) < 0 ||
        number_of(buf_text(&text), "", &limit) < 0) /* "max" */
        return UINT64_MAX;
    if (read_file(&text, "%s%s%s/%s", root, kind->folder, path, kind->usage) < 0 ||
        number_of(buf_text(&text), "", &usage) < 0)
        return UINT64_MAX;
    if (read_file(&text, "%s%s%s/memory.stat", root, kind->folder, path) == 0) {
        (void)number_of(buf_text(&text), kind->inactive, &inactive); /* 0 when it tells none */
        (void)number_of(buf_text(&text), kind->active, &active);
    }
    uint64_t cached = inactive + active < usage ? inactive + active : usage;
    return usage - cached < limit ? limit - (usage - cached) : 0;
}

/* Of our group and all above it, the least. */
static uint64_t left_in_groups(const char *root, const struct group_kind *kind, const char *line) {
    char path[PATH_MAX];
    uint64_t least = UINT64_MAX;
    int len = snprintf(path, sizeof path, "%.*s", (int)strcspn(line, "\n"), line);
    if (len < 0 || len >= (int)sizeof path || *path != '/')
        return UINT64_MAX;
    for (char *slash; (slash = strrchr(path, '/'));) {
        if (slash[1]) {
            uint64_t left = left_in(root, kind, path);
            least = left < least ? left : least;
        }
        *slash = '\0';
    }
    uint64_t left = left_in(root, kind, ""); /* of a container, seen from within */
    return left < least ? left : least;
}

static uint64_t left_by_groups(const char *root) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    uint64_t least = UINT64_MAX;
    if (read_file(&text, "%s/proc/self/cgroup", root) < 0)
        return UINT64_MAX;
    for (const char *at = buf_text(&text); at && *at; at = strchr(at, '\n'), at += at != NULL) {
        const char *name = strchr(at, ':');
        for (size_t i = 0; name && i < sizeof GROUP_KINDS / sizeof *GROUP_KINDS; i++) {
            size_t len = strlen(GROUP_KINDS[i].line);
            if (strncmp(name + 1, GROUP_KINDS[i].line, len) != 0)
                continue;
            uint64_t left = left_in_groups(root, &GROUP_KINDS[i], name + 1 + len);
            least = left < least ? left : least;
        }
    }
    return least;
}

int memory_available(const char *root, uint64_t *ret_bytes) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    uint64_t kib, left = left_by_groups(root);
    int error = read_file(&text, "%s/proc/meminfo", root);
    if (!error)
        error = number_of(buf_text(&text), "MemAvailable:", &kib);
    if (error)
        return error;
    *ret_bytes = kib << 10 < left ? kib << 10 : left;
    return 0;
}

/* ---- processes */

static int add_process(const char *root, int pid, struct buf *text, struct memory_use *use) {
    uint64_t resident, files = 0;
    if (read_file(text, "%s/proc/%d/status", root, pid) < 0)
        return -ESRCH;
    if (number_of(buf_text(text), "VmRSS:", &resident) < 0)
        return 0;                                        /* it has ended, and waits to be reaped */
    (void)number_of(buf_text(text), "RssFile:", &files); /* 0 when it tells none */
    use->resident += resident << 10;
    use->own += (resident - (files < resident ? files : resident)) << 10;
    return 0;
}

int memory_of_process(const char *root, int pid, struct memory_use *ret_use) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    int pids[PROCESSES_MOST] = {pid};
    struct memory_use use = {0};
    int error = add_process(root, pid, &text, &use);
    if (error)
        return error;
    for (size_t at = 0, count = 1; at < count; at++) {
        if (at)
            (void)add_process(root, pids[at], &text, &use); /* gone meanwhile: nothing */
        if (read_file(&text, "%s/proc/%d/task/%d/children", root, pids[at], pids[at]) < 0)
            continue;
        char *rest = text.data, *end;
        for (long child; rest && count < PROCESSES_MOST && (child = strtol(rest, &end, 10)) > 0; rest = end)
            pids[count++] = (int)child;
    }
    *ret_use = use;
    return 0;
}
