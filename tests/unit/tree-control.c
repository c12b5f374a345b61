/* SPDX-License-Identifier: Apache-2.0 */
/* The tree on real floors: commands, events, and what the kernel is told of changes. */
#include "tree_house.h"

static void commands_are_whole_lines(void) {
    static char large[ROOM];
    node_number node = node_of("hf/acme/tiny/ctl");
    uint64_t handle = 0;
    memset(large, 'x', sizeof large);
    CHECK_OK(open_node(node, O_WRONLY | O_TRUNC, &handle));
    CHECK_OK(tree_truncate(tree, node, 0));
    CHECK_ERROR(tree_truncate(tree, node, 1), -EINVAL);
    CHECK_ERROR(end_of(tree_write(tree, node, handle, 0, "pin\n", 4, &stranger, new_wait())),
        -ERR_NOT_ALLOWED);
    CHECK_ERROR(end_of(tree_write(tree, node, handle, 0, "pi", 2, &stranger, new_wait())), -ERR_NOT_ALLOWED);
    CHECK_ERROR(end_of(tree_write(tree, node, handle, 0, "frobnicate\n", 11, &owner, new_wait())),
        -ERR_UNKNOWN_COMMAND);
    CHECK_OK(tree_flush(tree, node, handle, &owner, new_wait()));
    CHECK_OK(tree_write(tree, node, handle, 0, "p", 1, &owner, new_wait()));
    CHECK_ERROR(tree_write(tree, node, handle, 1, large, sizeof large, &owner, new_wait()), -E2BIG);
    CHECK_OK(end_of(tree_write(tree, node, handle, 99, "in\nunp", 6, &owner, new_wait())));
    struct catalog_model model;
    CHECK_OK(catalog_find_model(catalog, "hf", "acme/tiny", &model));
    CHECK(model.pinned);
    CHECK_OK(tree_write(tree, node, handle, 0, "in", 2, &owner, new_wait()));
    CHECK_OK(end_of(tree_flush(tree, node, handle, &owner, new_wait())));
    CHECK_OK(catalog_find_model(catalog, "hf", "acme/tiny", &model));
    CHECK(!model.pinned);
    /* A line that fails takes with it what stood behind it. */
    CHECK_OK(tree_write(tree, node, handle, 0, "# half", 6, &owner, new_wait()));
    CHECK_ERROR(end_of(tree_write(tree, node, handle, 0, "\npull nosuchfile\npin", 21, &owner, new_wait())),
        -ERR_UNKNOWN_VARIANT);
    CHECK_OK(end_of(tree_flush(tree, node, handle, &owner, new_wait())));
    CHECK_OK(catalog_find_model(catalog, "hf", "acme/tiny", &model));
    CHECK(!model.pinned);
    CHECK(tree_read(tree, node, handle, 0, large, sizeof large) > 0); /* and is told of */
    large[sizeof large - 1] = 0;
    CHECK(strstr(large, "nosuchfile"));
    tree_release(tree, node, handle);
    CHECK_ERROR(tree_write(tree, node_of("README"), 1, 0, "x\n", 2, &owner, new_wait()), -EPERM);
    CHECK_ERROR(tree_refuse(tree, node_of("hf/acme/tiny/files/sub")), -EROFS);
    CHECK_ERROR(tree_refuse(tree, NODE_ROOT), -EPERM);
}

static void events_go_on_where_they_were(void) {
    static char text[ROOM], more[ROOM];
    node_number node = node_of("events");
    uint64_t handle = 0;
    struct tree_entry entry;
    CHECK_OK(open_node(node, O_RDONLY, &handle));
    ssize_t count = tree_read(tree, node, handle, 0, text, ROOM);
    CHECK(count > 0 && text[count - 1] == '\n'); /* pinned and unpinned, if nothing else */
    CHECK_OK(tree_getattr(tree, node, NULL, &entry));
    CHECK_NUMBER(entry.stat.st_size, count);
    CHECK(tree_read(tree, node, handle, (uint64_t)count, more, ROOM) == 0);
    /* A number of a predecessor's who read far more than is here: goes on with our oldest line. */
    ssize_t again = tree_read(tree, node, 4712, 1000000, more, ROOM);
    CHECK(again == count && !memcmp(text, more, (size_t)count));
    CHECK(tree_read(tree, node, 4712, 1000000 + (uint64_t)again, more, ROOM) == 0);
    tree_release(tree, node, 4712);
    tree_release(tree, node, handle);
}

/* --- changes --- */

static char told[4096];
static unsigned told_count;

static void note(void *context, const struct tree_change *change) {
    pthread_mutex_lock(&lock);
    size_t len = strlen(told);
    snprintf(told + len, sizeof told - len, "%s%s%s ", change->expire ? "-" : "+", change->name,
        change->expire && change->parent != *(node_number *)context ? "(below)" : "");
    told_count++;
    pthread_cond_signal(&ended);
    pthread_mutex_unlock(&lock);
}

/* Publishes, and waits at most ten seconds for so many changes. */
static void changes_of(const struct news *news, unsigned count) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    told[0] = 0;
    told_count = 0;
    bus_publish(news);
    pthread_mutex_lock(&lock);
    int waited = 0;
    while (told_count < count && !waited)
        waited = pthread_cond_timedwait(&ended, &lock, &until);
    CHECK_NUMBER(told_count, count);
    pthread_mutex_unlock(&lock);
}

static void the_kernel_hears_of_changes(int64_t model_id) {
    node_number files = node_of("hf/acme/tiny/files"), old = node_of("hf/acme/tiny/files/config.json"), now;
    struct tree_entry entry;
    uint64_t handle = 0;
    CHECK_ERROR(walk("hf/acme/tiny/files/new.json", &entry), -ENOENT);
    tree_listen(tree, note, &files);

    /* Another revision: all names directly in files/, of the former and of the new one, and the
     * folder's times. */
    CHECK_NUMBER(store_model(SECOND_COMMIT, true), model_id);
    changes_of(&(struct news){.kind = NEWS_FILES_CHANGED, .id = model_id}, 4 + 5 + 1);
    CHECK_TEXT(told,
        "-config.json -empty -secret.bin -sub -config.json -empty -new.json -secret.bin -sub + ");
    now = node_of("hf/acme/tiny/files/config.json");
    CHECK(now != old);
    CHECK_OK(walk("hf/acme/tiny/files/new.json", &entry));
    CHECK_ERROR(open_node(old, O_RDONLY, &handle), -ERR_STALE);
    node_number kept = node_of("hf/acme/tiny/revisions/111111111111/files/config.json");
    CHECK(kept != old && node_inode(kept) == node_inode(old));
    CHECK_OK(open_node(kept, O_RDONLY, &handle));
    tree_release(tree, kept, handle);
    CHECK_OK(tree_getattr(tree, old, NULL, &entry)); /* who has it open may ask */

    /* A blob's generation: every name that leads to it, in files/ and then in revisions/. */
    changes_of(&(struct news){.kind = NEWS_BLOB_GENERATION, .id = 2, .key = SOME_SHA256}, 5);
    CHECK_TEXT(told, "-new.json -file.json(below) -file.json(below) -new.json(below) -file.json(below) ");

    /* Forgotten: whoever stands there finds it gone, and an empty folder. */
    char name[256];
    uint64_t offset = 0;
    node_number model = node_of("hf/acme/tiny");
    CHECK_OK(catalog_forget_model(catalog, model_id));
    changes_of(&(struct news){.kind = NEWS_MODEL_FORGOTTEN, .id = model_id, .text = "hf:acme/tiny"}, 2);
    CHECK_TEXT(told, "+ -files(below) ");
    CHECK_ERROR(tree_getattr(tree, model, NULL, &entry), -ERR_STALE);
    CHECK_ERROR(tree_getattr(tree, now, NULL, &entry), -ERR_STALE);
    CHECK_ERROR(step(model, "state", &entry), -ERR_STALE);
    CHECK(!list_next(files, &offset, name, &entry));
    tree_listen(tree, NULL, NULL);
}

static void the_admin_group_may_command(void) {
    static const struct tree_caller member = {.uid = 4711, .gid = 1, .pid = 3}; /* "daemon" */
    struct tree_entry entry;
    uint64_t handle = 0;
    CHECK_OK(walk("hf/acme/tiny/ctl", &entry));
    CHECK_NUMBER(entry.stat.st_mode & 07777, 0666);
    CHECK_NUMBER(entry.stat.st_gid, 1);
    CHECK_OK(open_node(entry.node, O_WRONLY, &handle));
    CHECK_OK(tree_write(tree, entry.node, handle, 0, "# half a line", 13, &member, new_wait()));
    CHECK_OK(end_of(tree_flush(tree, entry.node, handle, &member, new_wait())));
    CHECK_ERROR(end_of(tree_write(tree, entry.node, handle, 0, "#\n", 2, &stranger, new_wait())),
        -ERR_NOT_ALLOWED);
    tree_release(tree, entry.node, handle);
}

int main(void) {
    if (!move_in())
        return check_result();
    int64_t model_id = store_model(FIRST_COMMIT, false);
    commands_are_whole_lines();
    events_go_on_where_they_were();
    the_admin_group_may_command();
    the_kernel_hears_of_changes(model_id);
    move_out();
    return check_result();
}
