/* SPDX-License-Identifier: Apache-2.0 */
/* The command line's own: which mount is meant, and how progress is drawn. */
#include "check.h"

#include <limits.h>

#include "daemon/bar.h"
#include "daemon/mounts.h"

static const char MOUNTINFO[] =
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "40 22 0:41 / /models rw,nosuid,nodev shared:2 - fuse.weightfs weightfs rw,user_id=0\n"
    "41 22 0:42 / /srv/ai\\040models rw - fuse.weightfs none rw\n"
    "42 22 0:43 / /srv/other rw - fuse.sshfs host: rw\n"
    "43 22 0:41 /hf /bound rw - fuse.weightfs weightfs rw\n"
    "44 40 0:44 / /models rw - fuse.weightfs weightfs rw\n"
    "45 22 0:45 / /x rw - fuse.weightfsish weightfs rw\n"
    "a line that makes no sense - fuse.weightfs\n"
    "46 22 broken - fuse.weightfs weightfs rw\n";

static struct mounts mounts;
static char point[PATH_MAX];
static struct reason reason;

static int choose(const char *named, const char *folder) {
    point[0] = reason.text[0] = '\0';
    return mounts_choose(&mounts, named, folder, point, sizeof(point), &reason);
}

static void mountinfo_is_read(void) {
    mounts_parse(MOUNTINFO, &mounts);
    if (!CHECK(mounts.count == 3))
        return;
    CHECK_TEXT(mounts.entries[0].point, "/models");
    CHECK(mounts.entries[0].covered);
    CHECK_TEXT(mounts.entries[1].point, "/srv/ai models");
    CHECK_NUMBER(mounts.entries[1].minor, 42);
    CHECK_NUMBER(mounts.entries[2].minor, 44);
    CHECK_NUMBER(mounts_at(&mounts, "/models")->minor, 44);
    CHECK(!mounts_at(&mounts, "/models/hf"));
    CHECK(!mounts_containing(&mounts, "/modelsx"));
    CHECK_TEXT(mounts_containing(&mounts, "/srv/ai models/hf/a/b")->point, "/srv/ai models");
}

static void a_mount_is_chosen(void) {
    CHECK_ERROR(choose(NULL, "/models/hf/acme"), 0);
    CHECK_TEXT(point, "/models");
    CHECK_ERROR(choose("/srv/ai models", "/models"), 0);
    CHECK_TEXT(point, "/srv/ai models");
    CHECK_ERROR(choose("/srv", "/models"), -ENOENT);
    CHECK(strstr(reason.text, "/srv"));
    CHECK_ERROR(choose(NULL, "/home"), -EEXIST);
    CHECK(strstr(reason.text, "/models") && strstr(reason.text, "/srv/ai models"));
    CHECK_ERROR(choose(NULL, NULL), -EEXIST);
    mounts_done(&mounts);

    mounts_parse("40 22 0:41 / /only rw - fuse.weightfs weightfs rw\n", &mounts);
    CHECK_ERROR(choose(NULL, "/home"), 0);
    CHECK_TEXT(point, "/only");
    mounts_done(&mounts);
    mounts_parse("", &mounts);
    CHECK_ERROR(choose(NULL, "/home"), -ENOENT);
    CHECK(reason.text[0]);
    mounts_done(&mounts);
}

static void paths_are_resolved(void) {
    char path[PATH_MAX];
    CHECK_ERROR(mounts_resolve("/", path, sizeof(path)), 0);
    CHECK_TEXT(path, "/");
    CHECK_ERROR(mounts_resolve("/no-such-name/", path, sizeof(path)), 0);
    CHECK_TEXT(path, "/no-such-name");
    CHECK_ERROR(mounts_resolve("/proc/../no-such-name", path, sizeof(path)), 0);
    CHECK_TEXT(path, "/no-such-name");
    CHECK_ERROR(mounts_resolve("/proc/..", path, sizeof(path)), 0);
    CHECK_TEXT(path, "/");
    CHECK_ERROR(mounts_resolve("/no-such-name/x", path, sizeof(path)), -ENOENT);
}

static void bars_fit(void) {
    static const char PROGRESS[] = "50.0% 1 B/2 B 1 B/s ETA 0:01";
    char line[200];
    for (unsigned columns = 1; columns < 200; columns++) {
        bar_format("hf:acme/tiny", PROGRESS, columns, line, sizeof(line));
        CHECK(strlen(line) <= columns);
    }
    bar_format("hf:a/b", PROGRESS, 6 + 28 + 4 + 10, line, sizeof(line));
    CHECK_TEXT(line, "hf:a/b [#####-----] 50.0% 1 B/2 B 1 B/s ETA 0:01");
    bar_format("x", "100.0% y", 1 + 8 + 4 + 8, line, sizeof(line));
    CHECK_TEXT(line, "x [########] 100.0% y");
    bar_format("x", "nonsense", 1 + 8 + 4 + 8, line, sizeof(line));
    CHECK_TEXT(line, "x [--------] nonsense");
}

int main(void) {
    mountinfo_is_read();
    a_mount_is_chosen();
    paths_are_resolved();
    bars_fit();
    return check_result();
}
