/* SPDX-License-Identifier: Apache-2.0 */
/* The tree on real floors: what is known is walked, listed, opened and read. */
#include "tree_house.h"

#include "tree/rows.h"

/* --- what is checked --- */

/* Every row that can be reached: what is listed can be looked up as the same, its size is what is
 * read, writing is refused. */
static unsigned look_everywhere(node_number folder, const char *path) {
    char name[256], there[512];
    static char text[ROOM];
    uint64_t offset = 0;
    struct tree_entry listed, looked;
    unsigned count = 0;
    while (list_next(folder, &offset, name, &listed)) {
        count++;
        snprintf(there, sizeof there, "%s%s%s", path, *path ? "/" : "", name);
        if (!check_that(!step(folder, name, &looked), __FILE__, __LINE__, there))
            continue;
        CHECK(looked.node == listed.node && looked.kind == listed.kind);
        CHECK(looked.stat.st_ino == listed.stat.st_ino &&
              looked.stat.st_mtim.tv_sec == listed.stat.st_mtim.tv_sec);
        CHECK(looked.stat.st_uid == 1000 && looked.stat.st_mtim.tv_sec > 0);
        if (listed.kind == NODE_FOLDER) {
            count += look_everywhere(listed.node, there);
            continue;
        }
        uint64_t handle;
        if (!(listed.stat.st_mode & 0222))
            CHECK(open_node(listed.node, O_RDWR, &handle) < 0);
        if (listed.kind == NODE_MODEL_FILE || node_is_answer(listed.node)) /* nothing was asked here */
            continue;
        struct buf target BUF_CLEANUP = BUF_INIT;
        if (listed.kind == NODE_LINK) {
            CHECK_OK(tree_readlink(tree, listed.node, &target));
            CHECK(target.len && (off_t)target.len == listed.stat.st_size && !strchr(buf_text(&target), '\n'));
            continue;
        }
        CHECK_ERROR(tree_readlink(tree, listed.node, &target), -EINVAL);
        ssize_t len = read_text(there, text);
        CHECK_OK(tree_getattr(tree, listed.node, &owner, &listed)); /* some are of the caller's */
        if (!check_that(len >= 0 && len == listed.stat.st_size, __FILE__, __LINE__, there))
            fprintf(stderr, "    read %zd, stat %lld\n", len, (long long)listed.stat.st_size);
        CHECK(len <= 0 || text[len - 1] == '\n');
    }
    return count;
}

static void names_that_cannot_be_are_not_there(void) {
    struct tree_entry entry;
    static const char *const PATHS[] = {".git", "hf/.hidden", "hf/a b", "hf/acme/.x", "hf/acme/bad name",
        "jobs/x", "jobs/999", "jobs/01", "config/nosuch", "hf/acme/tiny/nosuch", "hf/acme/tiny/files/nosuch",
        "hf/acme/tiny/files/sub/nosuch"};
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++)
        check_error(walk(PATHS[i], &entry), -ENOENT, __FILE__, __LINE__, PATHS[i]);
    CHECK_ERROR(walk("README/x", &entry), -ENOTDIR);
    CHECK_ERROR(walk("hf/other/model", &entry), -ERR_OFFLINE);
    CHECK_ERROR(tree_getattr(tree, node_make(ROW_LIMIT - 1, 0, 0), NULL, &entry), -ERR_STALE);
    CHECK_ERROR(tree_getattr(tree, node_make(ROW_MODEL, 12345, 0), NULL, &entry), -ERR_STALE);
    char name[256];
    uint64_t offset = 0;
    CHECK(!list_next(node_make(ROW_MODEL, 12345, 0), &offset, name, &entry));
}

static void model_files_say_what_they_are(void) {
    struct tree_entry entry;
    uint64_t handle = 0;
    char data[8];
    CHECK_OK(walk("hf/acme/tiny/files/sub/dir/file.json", &entry));
    CHECK(entry.kind == NODE_MODEL_FILE && entry.stat.st_size == 5000 && entry.stat.st_blocks == 1);
    CHECK(entry.stat.st_mtim.tv_sec == 1700000000 && entry.stat.st_blksize == 1 << 20);
    CHECK(node_generation(entry.node) % 2 == 1);
    CHECK_ERROR(open_node(entry.node, O_RDWR, &handle), -EROFS);
    CHECK_ERROR(open_node(entry.node, O_RDONLY | O_TRUNC, &handle), -EROFS);
    CHECK_ERROR(tree_truncate(tree, entry.node, 0), -EROFS);
    CHECK_OK(open_node(entry.node, O_RDONLY, &handle));
    CHECK(tree_read_await(tree, entry.node, handle, 5000, 10, &owner, new_wait()) == 0);
    CHECK(tree_read(tree, entry.node, handle, 5000, data, sizeof data) == 0);
    CHECK(end_of(tree_read_await(tree, entry.node, handle, 0, 8, &owner, new_wait())) < 0); /* offline */
    tree_release(tree, entry.node, handle);

    CHECK_OK(walk("hf/acme/tiny/files/secret.bin", &entry));
    CHECK(entry.stat.st_size == 77 && entry.stat.st_blocks == 1);
    CHECK_ERROR(open_node(entry.node, O_RDONLY, &handle), -EACCES);

    CHECK_OK(walk("hf/acme/tiny/files/empty", &entry));
    CHECK(entry.stat.st_size == 0 && entry.stat.st_blocks == 0);
    CHECK_OK(open_node(entry.node, O_RDONLY, &handle));
    CHECK(tree_read(tree, entry.node, handle, 0, data, sizeof data) == 0);
    tree_release(tree, entry.node, handle);
}

static void attributes_are_told(void) {
    node_number node = node_of("hf/acme/tiny/files/sub/dir/file.json");
    BUF_CLEANUP struct buf value = BUF_INIT, names = BUF_INIT;
    CHECK_OK(tree_getxattr(tree, node, "user.weightfs.sha256", &value));
    CHECK_TEXT(buf_text(&value), SOME_SHA256 + strlen("sha256-"));
    buf_clear(&value);
    CHECK_OK(tree_getxattr(tree, node, "user.weightfs.state", &value));
    CHECK_TEXT(buf_text(&value), "absent");
    buf_clear(&value);
    CHECK_OK(tree_getxattr(tree, node, "user.weightfs.revision", &value));
    CHECK_TEXT(buf_text(&value), FIRST_COMMIT);
    CHECK_ERROR(tree_getxattr(tree, node, "user.weightfs.nosuch", &value), -ENODATA);
    CHECK_ERROR(tree_getxattr(tree, node_of("README"), "user.weightfs.state", &value), -ENODATA);
    CHECK_OK(tree_listxattr(tree, node, &names));
    CHECK(memmem(names.data, names.len, "user.weightfs.source", strlen("user.weightfs.source") + 1));
}

static void texts_say_what_is(void) {
    static char text[ROOM];
    CHECK(read_text("hf/acme/tiny/state", text) > 0);
    CHECK(!strcmp(text, "absent\n") || !strcmp(text, "partial\n"));
    CHECK(read_text("hf/acme/tiny/SHA256SUMS", text) > 0);
    CHECK(strstr(text, "# not known before it is here: config.json\n"));
    CHECK(strstr(text, "00aa  sub/dir/file.json\n"));
    CHECK(read_text("hf/acme/tiny/status", text) > 0);
    CHECK(strstr(text, "hf:acme/tiny\n") && strstr(text, FIRST_COMMIT) && strstr(text, "trick: "));
    CHECK(read_text("hf/acme/tiny/wait", text) > 0);
    CHECK(read_text("config/offline", text) > 0);
    CHECK_TEXT(text, "on\n");
    CHECK(read_text("health", text) > 0);
    CHECK(!strncmp(text, "ok\n", 3) || !strncmp(text, "degraded\n", 9));
}

/* stat, open, stat and read agree, and times stand still while the text does. */
static void one_open_sees_one_text(void) {
    node_number node = node_of("hf/acme/tiny/status");
    struct tree_entry before, after;
    uint64_t handle = 0;
    char data[4];
    CHECK_OK(tree_getattr(tree, node, NULL, &before));
    CHECK_OK(open_node(node, O_RDONLY, &handle));
    CHECK_OK(tree_getattr(tree, node, NULL, &after));
    CHECK(before.stat.st_size == after.stat.st_size && before.attr_ms == 0);
    CHECK(before.stat.st_mtim.tv_sec == after.stat.st_mtim.tv_sec &&
          before.stat.st_mtim.tv_nsec == after.stat.st_mtim.tv_nsec);
    CHECK(tree_read(tree, node, handle, (uint64_t)after.stat.st_size - 1, data, sizeof data) == 1 &&
          data[0] == '\n');
    CHECK(tree_read(tree, node, handle, UINT64_MAX / 2, data, sizeof data) == 0);
    tree_release(tree, node, handle);
}

static void handles_of_a_predecessor_are_taken_up(void) {
    static char text[ROOM];
    node_number state = node_of("hf/acme/tiny/state"), empty = node_of("hf/acme/tiny/files/empty");
    CHECK(tree_read(tree, state, 4711, 0, text, ROOM) > 0);
    CHECK(tree_read(tree, state, 4711, 0, text, ROOM) > 0);
    CHECK(tree_read(tree, empty, 4711, 0, text, ROOM) < 0); /* that number is another file's */
    tree_release(tree, state, 4711);
    CHECK(tree_read(tree, empty, 4711, 0, text, ROOM) == 0);
    struct blob *blob = NULL;
    CHECK_OK(tree_blob(tree, empty, 4711, &blob));
    if (blob)
        blob_put(blob);
    tree_release(tree, empty, 4711);
    CHECK_ERROR((int)tree_read(tree, state, 0, 0, text, ROOM), -EBADF);
}

int main(void) {
    if (!move_in())
        return check_result();
    struct tree_entry entry;
    CHECK_ERROR(walk("hf/acme/tiny", &entry), -ERR_OFFLINE);
    store_model(FIRST_COMMIT, false);
    CHECK(look_everywhere(NODE_ROOT, "") > 40);
    names_that_cannot_be_are_not_there();
    model_files_say_what_they_are();
    attributes_are_told();
    texts_say_what_is();
    one_open_sees_one_text();
    handles_of_a_predecessor_are_taken_up();
    move_out();
    return check_result();
}
