/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"

#define MOUNTINFO_LIMIT (16 * 1024 * 1024)
#define LINKS_MOST      40 /* as the kernel has it */

/* mountinfo writes space, tab, newline and backslash as \040 and the like. */
static void unescape(char *text) {
    char *to = text;
    for (const char *at = text; *at; to++) {
        if (at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' && at[2] <= '7' && at[3] >= '0' &&
            at[3] <= '7') {
            *to = (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0'));
            at += 4;
        } else {
            *to = *at++;
        }
    }
    *to = '\0';
}

/* "36 25 0:42 / /models rw,nosuid shared:1 - fuse.weightfs weightfs rw": the point and the minor, or
 * NULL when it is not ours. */
static char *parse_line(char *line, unsigned *ret_minor) {
    char *type = strstr(line, " - ");
    char root[8];
    unsigned minor;
    int start = 0, end = 0;
    if (!type || strncmp(type + 3, MOUNTS_TYPE " ", sizeof(MOUNTS_TYPE)) != 0)
        return NULL;
    /* A bind mount of a part of the tree has another root than "/": it is not the mount. */
    if (sscanf(line, "%*u %*u %*u:%u %7s %n%*s%n", &minor, root, &start, &end) != 2 || end <= start ||
        strcmp(root, "/") != 0)
        return NULL;
    line[end] = '\0';
    unescape(line + start);
    *ret_minor = minor;
    return line + start;
}

void mounts_parse(const char *text, struct mounts *ret_mounts) {
    TEXT_CLEANUP char *copy = mem_text(text);
    struct mounts mounts = MOUNTS_INIT;
    char *rest = NULL;
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        unsigned minor;
        char *point = parse_line(line, &minor);
        if (!point)
            continue;
        for (size_t i = 0; i < mounts.count; i++)
            mounts.entries[i].covered |= strcmp(mounts.entries[i].point, point) == 0;
        mounts.entries = mem_resize(mounts.entries, mounts.count + 1, sizeof(*mounts.entries));
        mounts.entries[mounts.count++] = (struct mount_entry){.point = mem_text(point), .minor = minor};
    }
    *ret_mounts = mounts;
}

int mounts_read(struct mounts *ret_mounts) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    int error = path_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_LIMIT, &text);
    if (error < 0)
        return error;
    mounts_parse(buf_text(&text), ret_mounts);
    return 0;
}

void mounts_done(struct mounts *mounts) {
    for (size_t i = 0; i < mounts->count; i++)
        free(mounts->entries[i].point);
    free(mounts->entries);
    *mounts = (struct mounts)MOUNTS_INIT;
}

static bool is_below(const char *path, const char *point) {
    size_t len = strlen(point);
    if (strcmp(point, "/") == 0)
        return true;
    return strncmp(path, point, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

const struct mount_entry *mounts_containing(const struct mounts *mounts, const char *path) {
    const struct mount_entry *best = NULL;
    for (size_t i = 0; i < mounts->count; i++) {
        const struct mount_entry *entry = &mounts->entries[i];
        if (!entry->covered && is_below(path, entry->point) &&
            (!best || strlen(entry->point) > strlen(best->point)))
            best = entry;
    }
    return best;
}

const struct mount_entry *mounts_at(const struct mounts *mounts, const char *point) {
    const struct mount_entry *best = mounts_containing(mounts, point);
    return best && strcmp(best->point, point) == 0 ? best : NULL;
}

/* Takes the last part off; "" is "/". */
static void go_up(char *path) {
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
}

/* Puts the target of a link in front of what is left of the way. */
static int put_in_front(char rest[static PATH_MAX], const char *target, const char *behind) {
    char way[2 * PATH_MAX];
    snprintf(way, sizeof(way), "%s/%s", target, behind);
    return text_copy(rest, PATH_MAX, way);
}

/* `path` is at a part that has just been added, `behind` what follows it. 1: it was a link, which `path`
 * and `rest` now follow; 0: it was none; -errno. */
static int follow_link(char path[static PATH_MAX], char rest[static PATH_MAX], const char *behind) {
    char target[PATH_MAX];
    ssize_t len = readlink(path, target, sizeof(target) - 1);
    if (len < 0)
        return errno == EINVAL || (errno == ENOENT && !behind[strspn(behind, "/")]) ? 0 : -errno;
    target[len] = '\0';
    go_up(path);
    if (*target == '/')
        path[0] = '\0';
    int error = put_in_front(rest, target, behind);
    return error < 0 ? error : 1;
}

static int resolve(const struct mounts *mounts, const char *text, char *to, size_t size) {
    char path[PATH_MAX] = "", rest[PATH_MAX];
    unsigned links = 0;
    int error = *text ? text_copy(rest, sizeof(rest), text) : -ENOENT;
    if (error < 0)
        return error;
    if (*text != '/' && !getcwd(path, sizeof(path)))
        return -errno;
    if (strcmp(path, "/") == 0)
        path[0] = '\0';
    for (char *part = rest + strspn(rest, "/"); *part; part += strspn(part, "/")) {
        size_t len = strcspn(part, "/"), at = strlen(path);
        const char *behind = part + len;
        if (len == 2 && memcmp(part, "..", 2) == 0) {
            go_up(path);
        } else if (len != 1 || *part != '.') {
            if (at + 1 + len >= sizeof(path))
                return -ENAMETOOLONG;
            snprintf(path + at, sizeof(path) - at, "/%.*s", (int)len, part);
            int followed = mounts_containing(mounts, path) ? 0 : follow_link(path, rest, behind);
            if (followed < 0 || (followed && ++links > LINKS_MOST))
                return followed < 0 ? followed : -ELOOP;
            if (followed)
                behind = rest;
        }
        part = (char *)(uintptr_t)behind;
    }
    return text_copy(to, size, path[0] ? path : "/");
}

int mounts_resolve(const char *path, char *to, size_t size) {
    MOUNTS_CLEANUP struct mounts mounts = MOUNTS_INIT;
    int error = mounts_read(&mounts);
    return error < 0 ? error : resolve(&mounts, path, to, size);
}

static int choose_named(const struct mounts *mounts, const char *named, char *ret_point, size_t size,
    struct reason *reason) {
    char path[PATH_MAX];
    int error = resolve(mounts, named, path, sizeof(path));
    if (error < 0)
        return err_because(reason, error, "%s: %s", named, err_sentence(error));
    const struct mount_entry *entry = mounts_containing(mounts, path);
    if (!entry)
        return err_because(reason, -ENOENT, "%s: no weightfs is mounted there", named);
    return text_copy(ret_point, size, entry->point);
}

int mounts_choose(const struct mounts *mounts, const char *named, const char *folder, char *ret_point,
    size_t size, struct reason *reason) {
    if (named)
        return choose_named(mounts, named, ret_point, size, reason);
    const struct mount_entry *entry = folder ? mounts_containing(mounts, folder) : NULL;
    if (entry)
        return text_copy(ret_point, size, entry->point);
    size_t count = 0;
    for (size_t i = 0; i < mounts->count; i++) {
        if (mounts->entries[i].covered)
            continue;
        entry = &mounts->entries[i];
        count++;
    }
    if (count == 0)
        return err_because(reason, -ENOENT, "no weightfs is mounted; `weightfs mount DIR` mounts one");
    if (count > 1)
        return err_because(reason, -EEXIST, "several are mounted; say which with -m DIR or WEIGHTFS_MOUNT");
    return text_copy(ret_point, size, entry->point);
}

void mounts_print(const struct mounts *mounts, FILE *to) {
    for (size_t i = 0; i < mounts->count; i++) {
        if (!mounts->entries[i].covered)
            fprintf(to, "  %s\n", mounts->entries[i].point);
    }
}

int mounts_find(const char *named, char *ret_point, size_t size, struct reason *reason) {
    MOUNTS_CLEANUP struct mounts mounts = MOUNTS_INIT;
    char folder[PATH_MAX];
    int error = mounts_read(&mounts);
    if (error < 0)
        return err_because(reason, error, "/proc/self/mountinfo: %s", err_sentence(error));
    if (!named)
        named = environment("WEIGHTFS_MOUNT");
    bool has_folder = getcwd(folder, sizeof(folder)) != NULL; /* a removed folder is in no mount */
    return mounts_choose(&mounts, named, has_folder ? folder : NULL, ret_point, size, reason);
}
