/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TESTS_UNIT_STORE_HOUSE_H
#define WEIGHTFS_TESTS_UNIT_STORE_HOUSE_H

/*
 * What tests of the store stand on: a file, two servers on loopback that have it, a source that knows where
 * a daemon finds its server, one daemon's part of the house (move_in, move_out), a reader that waits as a
 * mount does, and what a rival daemon would do to a part. Each test is a program and includes this once.
 * Every wait ends: with what was waited for, or after PATIENT_MS.
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/bus.h"
#include "base/clock.h"
#include "base/path.h"
#include "../lib/range_server.h"
#include "store/store.h"
#include "check.h"

#define BLOCKS     40
#define SIZE       (BLOCKS * STORE_BLOCK_BYTES + 1234)
#define PATIENT_MS 20000

static unsigned char content[SIZE], back[SIZE];
static char sha256[SHA256_HEX_SIZE], key[DIGEST_TEXT_SIZE]; /* of the content */
static struct range_server server, other_server;            /* the second is for a second daemon */

/* In a condition that is looked at until it holds: true when it did in time. */
#define EVENTUALLY(condition)                                   \
    ({                                                          \
        uint64_t until_ms = clock_ms() + PATIENT_MS;            \
        bool holds;                                             \
        while (!(holds = (condition)) && clock_ms() < until_ms) \
            (void)usleep(1000);                                 \
        holds;                                                  \
    })

/* --- a source that knows one address for each daemon --- */

struct source_access {
    int port;
};

static int file_request(const struct source_access *from, const struct source_file *file,
    struct source_ask *ret_ask, struct reason *reason) {
    (void)file;
    (void)reason;
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/file", from->port);
    *ret_ask = (struct source_ask){.url = mem_text(url)};
    return 0;
}

static int file_head(const struct source_access *from, const struct source_file *file,
    const struct http_head *head, bool direct, struct source_lesson *ret_lesson, struct reason *reason) {
    (void)from;
    (void)file;
    (void)ret_lesson;
    if (head->status == 403 && direct)
        return -ERR_EXPIRED;
    if (head->status == 404)
        return err_because(reason, -ERR_UNKNOWN_FILE, "it is gone");
    return head->status >= 500 ? err_because(reason, -ERR_SERVER, "status %d", head->status) : 0;
}

static const struct source source = {.name = "test", .file_request = file_request, .file_head = file_head};

/* --- one daemon's part of the house --- */

struct house {
    struct options *options;
    struct http_loop *http;
    struct pool *pool;
    struct store *store;
    struct source_access access;
};

static const struct source_access *access_of(void *context, const struct source *which) {
    (void)which;
    return &((struct house *)context)->access;
}

static const struct option_row *const tables[] = {store_options, NULL};

/* `from`: the server it fetches from; `option`: one more option that is set, or NULL. */
static void move_in_with(struct house *house, const char *folder, const char *instance,
    const struct range_server *from, const char *option, const char *value) {
    struct reason reason = {""};
    house->access.port = from->port;
    house->options = options_new(tables);
    CHECK(!options_set(house->options, "min_free_bytes", "0", "test", NULL));
    CHECK(!options_set(house->options, "stall_timeout_s", "3", "test", NULL));
    if (option)
        CHECK(!options_set(house->options, option, value, "test", NULL));
    CHECK(!http_loop_start(&(struct http_settings){.user_agent = "test"}, "http", &house->http));
    CHECK(!pool_start("pool", 3, &house->pool));
    struct store_settings settings = {.path = folder,
        .instance = instance,
        .options = house->options,
        .http = house->http,
        .pool = house->pool,
        .access_of = access_of,
        .context = house};
    int error = store_open(&settings, &house->store, &reason);
    if (error) { /* nothing that follows could say more */
        (void)fprintf(stderr, "store_open: %s\n", err_text(&reason, error));
        exit(1);
    }
}

static inline void move_in(struct house *house, const char *folder) {
    move_in_with(house, folder, "one", &server, NULL, NULL);
}

/* Two daemons on one store, each with a server of its own. */
static inline void move_in_both(struct house *one, struct house *other, const char *folder) {
    move_in_with(one, folder, "one", &server, NULL, NULL);
    move_in_with(other, folder, "other", &other_server, NULL, NULL);
}

static void move_out(struct house *house) {
    store_stop(house->store);
    http_loop_stop(house->http);
    pool_stop(house->pool);
    store_close(house->store);
    options_free(house->options);
}

static struct blob *get_file(struct house *house, const char *digest, uint64_t size) {
    struct blob *blob = NULL;
    struct blob_origin origin = {&source,
        {"acme/tiny", "0000000000000000000000000000000000000000", "file", digest, size}};
    CHECK(!blob_get(house->store, &origin, &blob));
    return blob;
}

static struct blob *get(struct house *house) {
    return get_file(house, key, SIZE);
}

/* --- a reader --- */

struct reader {
    struct wait wait;
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool finished;
    int result;
};

static void finish(struct wait *wait, int result) {
    struct reader *reader = list_entry(wait, struct reader, wait);
    (void)pthread_mutex_lock(&reader->mutex);
    reader->finished = true;
    reader->result = result;
    (void)pthread_cond_signal(&reader->condition);
    (void)pthread_mutex_unlock(&reader->mutex);
}

#define READER \
    { .wait.finish = finish, .mutex = PTHREAD_MUTEX_INITIALIZER, .condition = PTHREAD_COND_INITIALIZER }

static bool finishes_within(struct reader *reader, unsigned ms) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += ms % 1000 * 1000000l;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&reader->mutex);
    int timeout = 0;
    while (!reader->finished && !timeout)
        timeout = pthread_cond_timedwait(&reader->condition, &reader->mutex, &until);
    bool finished = reader->finished;
    (void)pthread_mutex_unlock(&reader->mutex);
    return finished;
}

/* What became of a parked read; -ETIMEDOUT, and it is taken back, when nobody served it. */
static int outcome(struct reader *reader, unsigned ms) {
    if (!finishes_within(reader, ms) && wait_withdraw(&reader->wait))
        return -ETIMEDOUT;
    CHECK(finishes_within(reader, PATIENT_MS)); /* else withdrawing failed since finish() is on its way */
    return reader->result;
}

/* Reads as a mount does: waits, then takes the bytes. */
static int read_range(struct blob *blob, uint32_t generation, void *data, size_t len, uint64_t offset) {
    struct reader reader = READER;
    int result = blob_await(blob, generation, offset, len, false, &reader.wait);
    if (result == PARKED)
        result = outcome(&reader, PATIENT_MS);
    return result < 0 ? result : (int)blob_read(blob, generation, data, len, offset);
}

static struct blob_info look(struct blob *blob) {
    struct blob_info info;
    blob_look(blob, &info);
    return info;
}

static bool reaches(struct blob *blob, enum blob_state state) {
    return EVENTUALLY(look(blob).state == state);
}

/* --- what a rival daemon does to a part --- */

/* A descriptor of parts/KEY/NAME ("." is the folder); the caller's. */
static inline int open_in(const char *folder, const char *name, int flags) {
    char path[256];
    (void)snprintf(path, sizeof path, "%s/parts/%s/%s", folder, key, name);
    int fd = open(path, flags | O_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

/* Says "I hash", until the descriptor is closed; when nobody else does. */
static inline int take_hash(const char *folder) {
    int fd = open_in(folder, "map", O_RDWR);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)1 << 40, .l_len = 1};
    CHECK(EVENTUALLY(!fcntl(fd, F_OFD_SETLK, &lock)));
    return fd;
}

/* Leaves every block here and none verified, as a kill before the hash's end does. */
static inline void leave_full(const char *folder) {
    struct house house;
    move_in(&house, folder);
    struct blob *blob = get(&house);
    CHECK(!blob_use(blob, 1));
    CHECK(read_range(blob, 1, back, 10, 0) == 10);
    int fd = take_hash(folder);
    blob_want(blob);
    CHECK(reaches(blob, BLOB_FULL));
    blob_unwant(blob);
    blob_unuse(blob);
    blob_put(blob);
    move_out(&house);
    (void)close(fd);
}

static void prepare_content(void) {
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (unsigned char)(i * 2654435761u >> 13);
    digest_of(content, SIZE, sha256);
    (void)snprintf(key, sizeof key, "sha256-%s", sha256);
    CHECK(!chdir(check_folder()));
}

static void start_servers(void) {
    CHECK(!range_server_start(&server, content, SIZE));
    CHECK(!range_server_start(&other_server, content, SIZE));
}

static void stop_servers(void) {
    range_server_stop(&server);
    range_server_stop(&other_server);
}

/* Before the first test; stop_servers() after the last. */
static inline void build_street(void) {
    prepare_content();
    start_servers();
}

#endif
