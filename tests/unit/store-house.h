/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TESTS_UNIT_STORE_HOUSE_H
#define WEIGHTFS_TESTS_UNIT_STORE_HOUSE_H

/*
 * What tests of the store stand on: a file, a server on loopback that has it, a source that knows the
 * server, one daemon's part of the house (move_in, move_out), and a reader that waits as a mount does.
 * Each test is a program and includes this once.
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bus.h"
#include "base/clock.h"
#include "base/path.h"
#include "../lib/range_server.h"
#include "store/store.h"
#include "check.h"

#define SIZE (40 * STORE_BLOCK_BYTES + 1234)

static unsigned char content[SIZE];
static char sha256[SHA256_HEX_SIZE];
static struct range_server server;

/* --- a source that knows one address --- */

struct source_access {
    int port;
};
static struct source_access access_here;

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

static const struct source_access *access_of(void *context, const struct source *which) {
    (void)context;
    (void)which;
    return &access_here;
}

/* --- one daemon's part of the house --- */

struct house {
    struct options *options;
    struct http_loop *http;
    struct pool *pool;
    struct store *store;
};

static const struct option_row *const tables[] = {store_options, NULL};

static void move_in(struct house *house, const char *folder, const char *instance) {
    struct reason reason = {""};
    house->options = options_new(tables);
    CHECK(!options_set(house->options, "min_free_bytes", "0", "test", NULL));
    CHECK(!options_set(house->options, "stall_timeout_s", "3", "test", NULL));
    CHECK(!http_loop_start(&(struct http_settings){.user_agent = "test"}, "http", &house->http));
    CHECK(!pool_start("pool", 3, &house->pool));
    struct store_settings settings = {.path = folder,
        .instance = instance,
        .options = house->options,
        .http = house->http,
        .pool = house->pool,
        .access_of = access_of};
    int error = store_open(&settings, &house->store, &reason);
    if (error)
        (void)fprintf(stderr, "store_open: %s\n", err_text(&reason, error));
    CHECK(!error);
}

static void move_out(struct house *house) {
    store_stop(house->store);
    http_loop_stop(house->http);
    pool_stop(house->pool);
    store_close(house->store);
    options_free(house->options);
}

static struct blob *get(struct house *house, const char *digest) {
    struct blob *blob = NULL;
    struct blob_origin origin = {&source,
        {"acme/tiny", "0000000000000000000000000000000000000000", "file", digest, SIZE}};
    CHECK(!blob_get(house->store, &origin, &blob));
    return blob;
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

/* Reads as a mount does: waits, at most 20 s, then takes the bytes. */
static int read_range(struct blob *blob, uint32_t generation, void *data, size_t len, uint64_t offset) {
    struct reader reader = {.wait.finish = finish,
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .condition = PTHREAD_COND_INITIALIZER};
    int result = blob_await(blob, generation, offset, len, false, &reader.wait);
    if (result == PARKED) {
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 20;
        (void)pthread_mutex_lock(&reader.mutex);
        int timeout = 0;
        while (!reader.finished && !timeout)
            timeout = pthread_cond_timedwait(&reader.condition, &reader.mutex, &until);
        (void)pthread_mutex_unlock(&reader.mutex);
        CHECK(!timeout);
        result = reader.result;
    }
    return result < 0 ? result : (int)blob_read(blob, generation, data, len, offset);
}

static struct blob_info look(struct blob *blob) {
    struct blob_info info;
    blob_look(blob, &info);
    return info;
}

static bool reaches(struct blob *blob, enum blob_state state) {
    for (uint64_t until = clock_ms() + 10000; clock_ms() < until;) {
        if (look(blob).state == state)
            return true;
        (void)usleep(2000);
    }
    return false;
}

/* Before the first test. */
static void build_street(void) {
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (unsigned char)(i * 2654435761u >> 13);
    digest_of(content, SIZE, sha256);
    CHECK(!range_server_start(&server, content, SIZE));
    access_here.port = server.port;
    CHECK(!chdir(check_folder()));
}

#endif
