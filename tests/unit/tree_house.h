/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TESTS_UNIT_TREE_HOUSE_H
#define WEIGHTFS_TESTS_UNIT_TREE_HOUSE_H

/*
 * A house without a face and without a network, for unit tests of the tree: every floor below is the
 * real one. move_in() builds it in TEST_DIR, store_model() makes a model known, walk() and its like
 * go as the kernel would.
 */

#include "check.h"

#include <fcntl.h>
#include <pthread.h>

#include "base/bus.h"
#include "manage/manage.h"
#include "model/catalog.h"
#include "model/declared.h"
#include "store/store.h"
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

static inline const struct source_access *access_of(void *context, const struct source *source) {
    (void)context, (void)source;
    return access_here;
}

static inline bool held(int result, const struct reason *reason, const char *what) {
    if (result < 0)
        fprintf(stderr, "%s: %s\n", what, err_text(reason, result));
    return CHECK(result >= 0);
}

/* --- listing: an entry a call --- */

struct next_entry {
    char *name;
    struct tree_entry *entry;
    uint64_t offset;
    bool found;
};

static inline bool take_one(void *context, const char *name, const struct tree_entry *entry, uint64_t next) {
    struct next_entry *to = context;
    if (to->found)
        return false;
    CHECK(next > to->offset);
    snprintf(to->name, 256, "%s", name);
    *to->entry = *entry;
    to->offset = next;
    return to->found = true;
}

/* false: there are no more. */
static inline bool list_next(node_number folder, uint64_t *offset, char name[static 256],
    struct tree_entry *ret_entry) {
    struct next_entry to = {.name = name, .entry = ret_entry, .offset = *offset};
    CHECK_OK(tree_list(tree, folder, NULL, *offset, true, take_one, &to));
    *offset = to.offset;
    return to.found;
}

static inline void tree_begin(void) {
    struct tree_settings settings = {.manage = manage,
        .uid = 1000,
        .gid = 1000,
        .version = "1",
        .mountpoint = "/m"};
    CHECK_OK(tree_new(&settings, &tree));
}

static inline bool move_in(void) {
    static const struct option_row daemon_options[] = {
        {.name = "allow_http", .type = OPTION_BOOL, .value = "off", .help = "as the daemon has it"},
        {.name = NULL     }
    };
    static const struct option_row *tables[] = {daemon_options, store_options, manage_options,
        declared_options, NULL, NULL};
    struct reason reason = {""};
    char path[4096];
    bool damaged;
    tables[4] = source_hf.options;
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

static inline void move_out(void) {
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

static inline int64_t store_model(const char *commit, bool with_extra) {
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

static inline void finish(struct wait *wait, int result) {
    (void)wait;
    pthread_mutex_lock(&lock);
    outcome = result < 0 ? result : 0;
    pthread_cond_signal(&ended);
    pthread_mutex_unlock(&lock);
}

/* What a parked call came to, within ten seconds. */
static inline int end_of(int result) {
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

static inline struct wait *new_wait(void) {
    static struct wait wait;
    wait = (struct wait){.finish = finish};
    outcome = PARKED;
    return &wait;
}

static inline int step(node_number folder, const char *name, struct tree_entry *entry) {
    for (unsigned attempt = 0; attempt < 3; attempt++) {
        int result = tree_lookup(tree, folder, name, NULL, entry, new_wait());
        if (result != PARKED)
            return result;
        result = end_of(result);
        if (result)
            return result;
    }
    return -EAGAIN;
}

static inline int walk(const char *path, struct tree_entry *entry) {
    char copy[512];
    CHECK_OK(text_copy(copy, sizeof copy, path));
    int result = tree_getattr(tree, NODE_ROOT, NULL, entry);
    for (char *rest = copy, *name; !result && (name = strsep(&rest, "/"));)
        result = step(entry->node, name, entry);
    return result;
}

static inline node_number node_of(const char *path) {
    struct tree_entry entry = {0};
    check_error(walk(path, &entry), 0, __FILE__, __LINE__, path);
    return entry.node;
}

static const struct tree_caller owner = {.uid = 1000, .gid = 1000, .pid = 1},
                                stranger = {.uid = 65534, .gid = 65534, .pid = 2};

static inline int open_node(node_number node, int flags, uint64_t *ret_handle) {
    struct tree_open opened;
    int result = tree_open(tree, node, flags, &owner, &opened);
    if (!result)
        *ret_handle = opened.handle;
    return result;
}

/* Reads it whole, as a string; its length or an error. */
static inline ssize_t read_text(const char *path, char text[static ROOM]) {
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

#endif
