/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/path.h"

static int top; /* the scratch folder */

static const char *below(const char *name) {
    static char path[2][PATH_MAX];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", check_folder(), name);
    return path[turn];
}

static int count_entries(const char *name) {
    DIR *folder = opendir(below(name));
    int count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
    if (folder)
        closedir(folder);
    return count;
}

static void folders_are_made(void) {
    struct stat about;
    CHECK_OK(path_make_folders(below("a/b//c/")));
    CHECK_OK(path_make_folders(below("a/b/c")));
    CHECK_OK(path_make_folders("/"));
    CHECK(!stat(below("a/b/c"), &about) && S_ISDIR(about.st_mode));
    CHECK_OK(path_replace(top, "a/file", "x", 1, false));
    CHECK_ERROR(path_make_folders(below("a/file")), -ENOTDIR);
    CHECK_ERROR(path_make_folders(below("a/file/d")), -ENOTDIR);
    CHECK_ERROR(path_make_folders(""), -ENOENT);

    FD_CLEANUP int made = path_open_folder(top, "made", true);
    CHECK(made >= 0);
    CHECK_ERROR(path_open_folder(top, "missing", false), -ENOENT);
    CHECK_ERROR(path_open_folder(top, "missing/too", true), -ENOENT);
    CHECK(!symlinkat("made", top, "link"));
    CHECK_ERROR(path_open_folder(top, "link", true), -ENOTDIR);
}

static void files_are_read_whole_within_a_limit(void) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    char data[20000];
    memset(data, 'x', sizeof data);
    CHECK_OK(path_replace(top, "file", data, sizeof data, false));
    CHECK_OK(path_read(top, "file", sizeof data, &text));
    CHECK(text.len == sizeof data && !memcmp(text.data, data, sizeof data) && !text.data[text.len]);
    CHECK_ERROR(path_read(top, "file", sizeof data - 1, &text), -EFBIG);
    CHECK_ERROR(path_read(top, "missing", 1, &text), -ENOENT);
    CHECK_ERROR(path_read(top, "made", 1, &text), -EISDIR);
    CHECK(!mkfifoat(top, "fifo", 0600));
    CHECK_ERROR(path_read(top, "fifo", 1, &text), -EINVAL);
    CHECK_NUMBER((int64_t)text.len, sizeof data);
    CHECK_OK(path_replace(top, "file", "", 0, false));
    CHECK_OK(path_read(top, "file", 0, &text));
    CHECK_TEXT(text.data, "");
    CHECK_OK(path_read(top, "/proc/self/comm", 100, &text));
    CHECK(text.len > 1);
    struct buf small = {.limit = 1};
    CHECK_ERROR(path_read(top, "/proc/self/comm", 100, &small), -EFBIG);
    CHECK(!small.data);
}

static void replacing_is_whole_or_not_at_all(void) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    CHECK_OK(path_make_folders(below("replace/folder")));
    CHECK_OK(path_replace(top, "replace/file", "old", 3, true));
    CHECK_OK(path_replace(top, "replace/file", "newer", 5, true));
    CHECK_OK(path_read(top, "replace/file", 100, &text));
    CHECK_TEXT(text.data, "newer");
    CHECK_OK(path_replace(AT_FDCWD, below("replace/file"), "abs", 3, false));
    CHECK_ERROR(path_replace(top, "replace/folder", "x", 1, false), -EISDIR);
    CHECK_ERROR(path_replace(top, "missing/file", "x", 1, false), -ENOENT);

    /* A disk that takes half of it. */
    struct rlimit before, small = {4096, RLIM_INFINITY};
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    setrlimit(RLIMIT_FSIZE, &small);
    static const char data[8192];
    CHECK_ERROR(path_replace(top, "replace/file", data, sizeof data, false), -EFBIG);
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK_OK(path_read(top, "replace/file", 100, &text));
    CHECK_TEXT(text.data, "abs");
    CHECK_NUMBER(count_entries("replace"), 2);
}

static void reading_past_the_end_is_an_error(void) {
    char data[4] = "";
    FD_CLEANUP int fd = openat(top, "all", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK_OK(path_write_all(fd, "abc", 3, 5));
    CHECK_OK(path_read_all(fd, data, 3, 5));
    CHECK_TEXT(data, "abc");
    CHECK_ERROR(path_read_all(fd, data, 3, 6), -EIO);
    CHECK_OK(path_read_all(fd, data, 0, 100));
    CHECK_ERROR(path_write_all(-1, "a", 1, 0), -EBADF);
    CHECK_ERROR(path_read_all(fd, data, 1, UINT64_MAX), -EINVAL);
}

static void a_tree_is_removed_and_links_are_not_followed(void) {
    CHECK_OK(path_make_folders(below("outside")));
    CHECK_OK(path_replace(top, "outside/kept", "x", 1, false));
    CHECK_OK(path_make_folders(below("tree/a/b/c")));
    CHECK(!symlink("../../outside", below("tree/a/link")));
    for (int i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof name, "tree/a/%d", i);
        CHECK_OK(path_replace(top, name, "x", 1, false));
    }
    CHECK_OK(path_remove_tree(top, "tree"));
    CHECK(faccessat(top, "tree", F_OK, 0) && errno == ENOENT);
    CHECK_NUMBER(count_entries("outside"), 1);
    CHECK_OK(path_remove_tree(top, "tree"));
    CHECK_ERROR(path_remove_tree(top, "outside/kept"), -ENOTDIR);
    CHECK(!symlinkat("outside", top, "to-outside"));
    CHECK_ERROR(path_remove_tree(top, "to-outside"), -ENOTDIR);
    CHECK_NUMBER(count_entries("outside"), 1);
}

static void below_is_told_through_links_and_what_is_missing(void) {
    CHECK_OK(path_make_folders(below("x/y")));
    CHECK(!symlinkat("x/y", top, "to-y"));
    CHECK_NUMBER(path_is_below(below("x/y"), below("x")), 1);
    CHECK_NUMBER(path_is_below(below("x"), below("x/")), 1);
    CHECK_NUMBER(path_is_below(below("x"), below("x/y")), 0);
    CHECK_NUMBER(path_is_below(below("xx"), below("x")), 0);
    CHECK_NUMBER(path_is_below(below("to-y"), below("x")), 1);
    CHECK_NUMBER(path_is_below(below("to-y/new/er"), below("x/y/new")), 1);
    CHECK_NUMBER(path_is_below(below("x/new/../../other"), below("x")), 0);
    CHECK_NUMBER(path_is_below(below("x/new/.//deep/"), below("x/new")), 1);
    CHECK_NUMBER(path_is_below(below("new"), "/"), 1);
    CHECK_NUMBER(path_is_below("/new-at-the-top/a", "/new-at-the-top"), 1);
    CHECK_NUMBER(path_is_below("/", below("x")), 0);
    CHECK_ERROR(path_is_below("x", "/"), -EINVAL);
    CHECK_ERROR(path_is_below("/", ""), -EINVAL);
    CHECK_OK(path_replace(top, "plain", "x", 1, false));
    CHECK_ERROR(path_is_below(below("plain/x"), "/"), -ENOTDIR);
}

int main(void) {
    top = open(check_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    folders_are_made();
    files_are_read_whole_within_a_limit();
    replacing_is_whole_or_not_at_all();
    reading_past_the_end_is_an_error();
    a_tree_is_removed_and_links_are_not_followed();
    below_is_told_through_links_and_what_is_missing();
    close(top);
    return check_result();
}
