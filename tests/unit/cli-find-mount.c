/* SPDX-License-Identifier: Apache-2.0 */
/* The command line's own: which mount is meant, and how progress is drawn. */
#include "check.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/bar.h"
#include "daemon/mounts.h"
#include "daemon/subject.h"

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
    CHECK(strstr(reason.text, "-m DIR"));
    TEXT_CLEANUP char *list = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&list, &len);
    mounts_print(&mounts, to);
    CHECK(to && fclose(to) == 0);
    CHECK_TEXT(list, "  /srv/ai models\n  /models\n");
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

/* Links lead to a mountpoint; from a mount on nothing is looked at. */
static void links_are_followed(void) {
    char scratch[] = "/tmp/weightfs-links.XXXXXX", path[PATH_MAX], wanted[PATH_MAX], line[2 * PATH_MAX];
    CHECK(mkdtemp(scratch) && chdir(scratch) == 0);
    CHECK(mkdir("m", 0755) == 0 && symlink("m", "link") == 0 && symlink("../no/such", "m/dangling") == 0 &&
          symlink("round", "round") == 0);
    snprintf(wanted, sizeof(wanted), "%s/m", scratch);
    CHECK_ERROR(mounts_resolve("link/../link/.", path, sizeof(path)), 0);
    CHECK_TEXT(path, wanted);
    CHECK_ERROR(mounts_resolve("round", path, sizeof(path)), -ELOOP);
    CHECK_ERROR(mounts_resolve("m/dangling", path, sizeof(path)), -ENOENT);
    snprintf(line, sizeof(line), "40 22 0:41 / %s rw - fuse.weightfs weightfs rw\n", wanted);
    mounts_parse(line, &mounts);
    CHECK_ERROR(choose("link", "/home"), 0);
    CHECK_TEXT(point, wanted);
    CHECK_ERROR(choose("link/dangling/x", "/home"), 0);
    mounts_done(&mounts);
    CHECK(unlink("m/dangling") == 0 && rmdir("m") == 0 && unlink("link") == 0 && unlink("round") == 0);
    CHECK(chdir("/") == 0 && rmdir(scratch) == 0);
}

static void paths_name_models(void) {
    char key[64];
    CHECK_ERROR(subject_key_of("hf/acme/tiny/files/x", key, sizeof(key)), 0);
    CHECK_TEXT(key, "hf:acme/tiny");
    CHECK_ERROR(subject_key_of("hf/acme/tiny", key, sizeof(key)), 0);
    CHECK_TEXT(key, "hf:acme/tiny");
    CHECK_ERROR(subject_key_of("hf/acme/tiny/", key, 5), -ENAMETOOLONG);
    static const char *const NONE[] = {"", "hf", "hf/", "hf/acme", "hf/acme/", "hf//tiny", "acme/tiny",
        "jobs/1/log"};
    for (size_t i = 0; i < sizeof(NONE) / sizeof(NONE[0]); i++)
        CHECK_ERROR(subject_key_of(NONE[i], key, sizeof(key)), -ENOENT);
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
    links_are_followed();
    paths_name_models();
    bars_fit();
    return check_result();
}
