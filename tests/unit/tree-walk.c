/* SPDX-License-Identifier: Apache-2.0 */
/* The tree on real floors, without FUSE and without a network: what is known is walked, listed, opened
 * and read. */
#include "check.h"

#include <fcntl.h>
#include <pthread.h>

#include "base/bus.h"
#include "base/clock.h"
#include "manage/manage.h"
#include "model/catalog.h"
#include "store/store.h"
#include "tree/rows.h"
#include "tree/tree.h"

#define ROOM          65536
#define EMPTY_SHA256  "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SOME_SHA256   "sha256-00000000000000000000000000000000000000000000000000000000000000aa"
#define SOME_GIT      "git-00000000000000000000000000000000000000bb"
#define FIRST_COMMIT  "1111111111111111111111111111111111111111"
#define SECOND_COMMIT "2222222222222222222222222222222222222222"

/* --- a house without a face --- */

static struct options *options;
static struct http_loop *http;
static struct pool *pool;
static struct timers *timers;
static struct source_access *access_here;
static struct store *store;
static struct catalog *catalog;
static struct manage *manage;
static struct tree *tree;

static const struct source_access *access_of(void *context, const struct source *source) {
    (void)context, (void)source;
    return access_here;
}

static bool held(int result, const struct reason *reason, const char *what) {
    if (result < 0)
        fprintf(stderr, "%s: %s\n", what, err_text(reason, result));
    return CHECK(result >= 0);
}

static void tree_begin(void) {
    struct tree_settings settings = {.manage = manage,
        .uid = 1000,
        .gid = 1000,
        .version = "1",
        .mountpoint = "/m"};
    CHECK_OK(tree_new(&settings, &tree));
}

static bool move_in(void) {
    static const struct option_row daemon_options[] = {
        {.name = "allow_http", .type = OPTION_BOOL, .value = "off", .help = "as the daemon has it"},
        {.name = NULL     }
    };
    static const struct option_row *tables[] = {daemon_options, store_options, manage_options, NULL, NULL};
    struct reason reason = {""};
    char path[4096];
    bool damaged;
    tables[3] = source_hf.options;
    options = options_new(tables);
    CHECK_OK(options_set(options, "offline", "on", "test", NULL));
    CHECK_OK(options_set(options, "admin_group", "daemon", "test", NULL));
    struct http_settings transfers = {.user_agent = "test"};
    CHECK_OK(http_loop_start(&transfers, "http", &http));
    http_loop_set_offline(http, true);
    CHECK_OK(pool_start("pool", 2, &pool));
    CHECK_OK(timers_start(&timers));
    if (!held(source_hf.access_new(options, &access_here, &reason), &reason, "access"))
        return false;
    struct store_settings store_settings = {.path = check_folder(),
        .instance = "unit",
        .options = options,
        .http = http,
        .pool = pool,
        .access_of = access_of};
    if (!held(store_open(&store_settings, &store, &reason), &reason, "store_open"))
        return false;
    snprintf(path, sizeof path, "%s/catalog.db", store_instance_path(store));
    if (!held(catalog_open(path, &catalog, &damaged, &reason), &reason, "catalog_open"))
        return false;
    struct manage_settings manage_settings = {.options = options,
        .catalog = catalog,
        .store = store,
        .http = http,
        .pool = pool,
        .timers = timers,
        .access_of = access_of,
        .session = "test"};
    if (!held(manage_start(&manage_settings, &manage, &reason), &reason, "manage_start"))
        return false;
    tree_begin();
    return true;
}

static void move_out(void) {
    http_loop_stop(http);
    bus_reset();
    manage_stop(manage);
    tree_free(tree);
    pool_stop(pool);
    store_close(store);
    timers_stop(timers);
    catalog_close(catalog);
    source_hf.access_free(access_here);
    options_free(options);
}

static int64_t store_model(const char *commit, bool with_extra) {
    struct manifest *manifest = manifest_new();
    int64_t id = 0;
    bool changed;
    CHECK_OK(text_copy(manifest->model, sizeof manifest->model, "acme/tiny"));
    CHECK_OK(text_copy(manifest->revision, sizeof manifest->revision, "main"));
    CHECK_OK(text_copy(manifest->commit, sizeof manifest->commit, commit));
    manifest->modified_ms = 1700000000000;
    CHECK_OK(manifest_add(manifest, "config.json", 11, 1000, SOME_GIT, false));
    CHECK_OK(manifest_add(manifest, "empty", 5, 0, EMPTY_SHA256, false));
    CHECK_OK(manifest_add(manifest, "secret.bin", 10, 77, "", true));
    CHECK_OK(manifest_add(manifest, "sub/dir/file.json", 17, 5000, SOME_SHA256, false));
    if (with_extra)
        CHECK_OK(manifest_add(manifest, "new.json", 8, 2000, SOME_SHA256, false));
    CHECK_OK(manifest_add(manifest, "../trick", 8, 1, SOME_SHA256, false));
    manifest_finish(manifest);
    CHECK_OK(catalog_begin(catalog));
    CHECK_OK(catalog_store_manifest(catalog, "hf", "acme/tiny", manifest, &id, &changed));
    CHECK_OK(catalog_commit(catalog));
    manifest_free(manifest);
    return id;
}

/* --- a face's wait: one at a time --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static int outcome;

static void finish(struct wait *wait, int result) {
    (void)wait;
    pthread_mutex_lock(&lock);
    outcome = result < 0 ? result : 0;
    pthread_cond_signal(&ended);
    pthread_mutex_unlock(&lock);
}

/* What a parked call came to, within ten seconds. */
static int end_of(int result) {
    if (result != PARKED)
        return result;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    pthread_mutex_lock(&lock);
    int waited = 0;
    while (outcome == PARKED && !waited)
        waited = pthread_cond_timedwait(&ended, &lock, &until);
    result = waited ? -ETIMEDOUT : outcome;
    pthread_mutex_unlock(&lock);
    return result;
}

static struct wait *new_wait(void) {
    static struct wait wait;
    wait = (struct wait){.finish = finish};
    outcome = PARKED;
    return &wait;
}

static int step(node_number folder, const char *name, struct tree_entry *entry) {
    for (unsigned attempt = 0; attempt < 3; attempt++) {
        int result = tree_lookup(tree, folder, name, entry, new_wait());
        if (result != PARKED)
            return result;
        result = end_of(result);
        if (result)
            return result;
    }
    return -EAGAIN;
}

static int walk(const char *path, struct tree_entry *entry) {
    char copy[512];
    CHECK_OK(text_copy(copy, sizeof copy, path));
    int result = tree_getattr(tree, NODE_ROOT, entry);
    for (char *rest = copy, *name; !result && (name = strsep(&rest, "/"));)
        result = step(entry->node, name, entry);
    return result;
}

static node_number node_of(const char *path) {
    struct tree_entry entry = {0};
    check_error(walk(path, &entry), 0, __FILE__, __LINE__, path);
    return entry.node;
}

static const struct tree_caller owner = {.uid = 1000, .gid = 1000, .pid = 1},
                                stranger = {.uid = 65534, .gid = 65534, .pid = 2};

static int open_node(node_number node, int flags, uint64_t *ret_handle) {
    struct tree_open opened;
    int result = tree_open(tree, node, flags, &owner, &opened);
    if (!result)
        *ret_handle = opened.handle;
    return result;
}

/* Reads it whole, as a string; its length or an error. */
static ssize_t read_text(const char *path, char text[static ROOM]) {
    uint64_t handle = 0;
    node_number node = node_of(path);
    int result = open_node(node, O_RDONLY, &handle);
    if (result < 0)
        return result;
    result = end_of(tree_read_await(tree, node, handle, 0, ROOM - 1, &owner, new_wait()));
    ssize_t count = result < 0 ? result : tree_read(tree, node, handle, 0, text, ROOM - 1);
    text[count > 0 ? count : 0] = 0;
    tree_release(tree, node, handle);
    return count;
}

/* --- what is checked --- */

/* Every row that can be reached: what is listed can be looked up as the same, its size is what is
 * read, writing is refused. */
static unsigned look_everywhere(node_number folder, const char *path) {
    char name[256], there[512];
    static char text[ROOM];
    uint64_t offset = 0, next;
    struct tree_entry listed, looked;
    unsigned count = 0;
    int result;
    while (!(result = tree_readdir(tree, folder, offset, true, name, &listed, &next))) {
        CHECK(next > offset);
        offset = next;
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
        if (listed.kind != NODE_CONTROL)
            CHECK(open_node(listed.node, O_RDWR, &handle) < 0);
        if (listed.kind == NODE_MODEL_FILE)
            continue;
        ssize_t len = read_text(there, text);
        if (!check_that(len >= 0 && len == listed.stat.st_size, __FILE__, __LINE__, there))
            fprintf(stderr, "    read %zd, stat %lld\n", len, (long long)listed.stat.st_size);
        CHECK(len <= 0 || text[len - 1] == '\n');
    }
    check_error(result, -ENOENT, __FILE__, __LINE__, path);
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
    CHECK_ERROR(tree_getattr(tree, node_make(ROW_LIMIT - 1, 0, 0), &entry), -ERR_STALE);
    CHECK_ERROR(tree_getattr(tree, node_make(ROW_MODEL, 12345, 0), &entry), -ERR_STALE);
    char name[256];
    uint64_t next;
    CHECK_ERROR(tree_readdir(tree, node_make(ROW_MODEL, 12345, 0), 0, true, name, &entry, &next), -ENOENT);
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
    CHECK_OK(tree_getattr(tree, node, &before));
    CHECK_OK(open_node(node, O_RDONLY, &handle));
    CHECK_OK(tree_getattr(tree, node, &after));
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
    CHECK_OK(tree_getattr(tree, node, &entry));
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
    CHECK_ERROR(tree_getattr(tree, old, &entry), -ERR_STALE);

    /* A blob's generation: every name that leads to it. */
    changes_of(&(struct news){.kind = NEWS_BLOB_GENERATION, .id = 2, .key = SOME_SHA256}, 2);
    CHECK_TEXT(told, "-new.json -file.json(below) ");

    /* Forgotten: whoever stands there finds it gone, and an empty folder. */
    char name[256];
    uint64_t next;
    node_number model = node_of("hf/acme/tiny");
    CHECK_OK(catalog_forget_model(catalog, model_id));
    changes_of(&(struct news){.kind = NEWS_MODEL_FORGOTTEN, .id = model_id, .text = "hf:acme/tiny"}, 2);
    CHECK_TEXT(told, "+ -files(below) ");
    CHECK_ERROR(tree_getattr(tree, model, &entry), -ERR_STALE);
    CHECK_ERROR(tree_getattr(tree, now, &entry), -ERR_STALE);
    CHECK_ERROR(step(model, "state", &entry), -ERR_STALE);
    CHECK_ERROR(tree_readdir(tree, files, 0, true, name, &entry, &next), -ENOENT);
    tree_listen(tree, NULL, NULL);
}

static void the_admin_group_may_command(void) {
    static const struct tree_caller member = {.uid = 4711, .gid = 1, .pid = 3}; /* "daemon" */
    struct tree_entry entry;
    uint64_t handle = 0;
    CHECK_OK(walk("hf/acme/tiny/ctl", &entry));
    CHECK_NUMBER(entry.stat.st_mode & 07777, 0664);
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
    struct tree_entry entry;
    CHECK_ERROR(walk("hf/acme/tiny", &entry), -ERR_OFFLINE);
    int64_t model_id = store_model(FIRST_COMMIT, false);
    CHECK(look_everywhere(NODE_ROOT, "") > 40);
    names_that_cannot_be_are_not_there();
    model_files_say_what_they_are();
    attributes_are_told();
    texts_say_what_is();
    one_open_sees_one_text();
    handles_of_a_predecessor_are_taken_up();
    commands_are_whole_lines();
    events_go_on_where_they_were();
    the_admin_group_may_command();
    the_kernel_hears_of_changes(model_id);
    move_out();
    return check_result();
}
