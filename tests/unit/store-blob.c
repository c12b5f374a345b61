/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a blob, against a server on loopback: fetched in any order, withheld until verified, sealed,
 * shared, evicted. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bus.h"
#include "base/clock.h"
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

static unsigned char back[SIZE];

static void reads_tail_first_and_seals(void) {
    struct house house;
    move_in(&house, "store-1", "one");
    char key[DIGEST_TEXT_SIZE];
    (void)snprintf(key, sizeof key, "sha256-%s", sha256);
    struct blob *blob = get(&house, key);
    CHECK(look(blob).state == BLOB_ABSENT && look(blob).generation == 1);
    CHECK(!blob_use(blob, 1));
    CHECK(read_range(blob, 1, back, 1000, SIZE - 1000) == 1000 && !memcmp(back, content + SIZE - 1000, 1000));
    CHECK(server.bytes <= 2 * STORE_BLOCK_BYTES); /* a far seek costs one bounded range */
    for (size_t at = 0; at < SIZE; at += 100000) {
        size_t len = SIZE - at < 100000 ? SIZE - at : 100000;
        CHECK(read_range(blob, 1, back + at, len, at) == (int)len);
    }
    CHECK(!memcmp(back, content, SIZE));
    CHECK(reaches(blob, BLOB_COMPLETE));
    CHECK(look(blob).generation == 2);
    CHECK_TEXT(look(blob).sha256, sha256);
    CHECK(server.bytes == SIZE);                   /* nothing crossed twice */
    CHECK(read_range(blob, 1, back, 10, 5) == 10); /* the odd generation goes on */
    blob_unuse(blob);
    CHECK_ERROR(blob_use(blob, 3), -ERR_STALE);
    CHECK(!blob_use(blob, 2));
    int fd = blob_open_complete(blob);
    CHECK(fd >= 0 && pread(fd, back, 10, 20) == 10 && !memcmp(back, content + 20, 10));
    (void)close(fd);
    uint64_t freed = 0;
    CHECK_ERROR(blob_evict(blob, &freed), -EBUSY);
    blob_unuse(blob);
    CHECK(!blob_evict(blob, &freed) && freed >= SIZE);
    CHECK(look(blob).state == BLOB_ABSENT && look(blob).generation == 3);
    blob_put(blob);
    move_out(&house);
}

static void comes_back_after_a_restart(void) {
    struct house house;
    char key[DIGEST_TEXT_SIZE];
    (void)snprintf(key, sizeof key, "sha256-%s", sha256);
    move_in(&house, "store-2", "one");
    struct blob *blob = get(&house, key);
    CHECK(!blob_use(blob, 1));
    CHECK(read_range(blob, 1, back, 300000, 600000) == 300000);
    blob_unuse(blob);
    uint64_t here = look(blob).bytes_here;
    CHECK(here >= 300000);
    blob_put(blob);
    move_out(&house);
    uint64_t before = server.bytes;
    move_in(&house, "store-2", "one");
    blob = get(&house, key);
    CHECK(look(blob).bytes_here >= here);
    blob_want(blob);
    CHECK(reaches(blob, BLOB_COMPLETE));
    blob_unwant(blob);
    CHECK(server.bytes - before <= SIZE - 300000 + 2 * STORE_BLOCK_BYTES);
    blob_put(blob);
    move_out(&house);
}

static void refuses_a_wrong_file(void) {
    struct house house;
    char key[DIGEST_TEXT_SIZE];
    (void)snprintf(key, sizeof key, "sha256-%s", sha256);
    move_in(&house, "store-3", "one");
    struct blob *blob = get(&house, key);
    server.flip_at = SIZE / 2;
    CHECK(!blob_use(blob, 1));
    size_t good = 0;
    for (size_t at = 0; at < SIZE; at += 65536) {
        int got = read_range(blob, 1, back, SIZE - at < 65536 ? SIZE - at : 65536, at);
        CHECK(got > 0 || got == -ERR_MISMATCH || got == -ERR_STALE || got == -ERR_GONE);
        good += got > 0 ? (size_t)got : 0;
    }
    CHECK(good < SIZE);                 /* never the whole of it */
    CHECK(reaches(blob, BLOB_CORRUPT)); /* fetched once more by itself, wrong again */
    CHECK(look(blob).generation == 5);
    CHECK_ERROR(blob_check(blob, 1), -ERR_STALE);
    blob_unuse(blob);
    CHECK_ERROR(blob_use(blob, 5), -ERR_CORRUPT);
    server.flip_at = SIZE_MAX;
    blob_retry(blob);
    CHECK(!blob_use(blob, 5));
    CHECK(read_range(blob, 5, back, 100, 100) == 100);
    blob_want(blob);
    CHECK(reaches(blob, BLOB_COMPLETE));
    blob_unwant(blob);
    blob_unuse(blob);
    blob_put(blob);
    move_out(&house);
}

static void bears_bad_servers(void) {
    struct house house;
    char key[DIGEST_TEXT_SIZE];
    (void)snprintf(key, sizeof key, "sha256-%s", sha256);
    move_in(&house, "store-4", "one");
    struct blob *blob = get(&house, key);
    CHECK(!blob_use(blob, 1));
    server.wrong_range = 1;
    CHECK_ERROR(read_range(blob, 1, back, 10, 700000), -ERR_RANGE);
    server.wrong_range = 0;
    blob_retry(blob);
    server.status = 503;
    CHECK_ERROR(read_range(blob, 1, back, 10, 700000), -ERR_SERVER);
    server.status = 404;
    blob_retry(blob);
    CHECK_ERROR(read_range(blob, 1, back, 10, 700000), -ERR_UNKNOWN_FILE);
    server.status = 0;
    blob_retry(blob);
    server.cut_after = 100000; /* every answer ends early: it goes on where it was */
    CHECK(read_range(blob, 1, back, 900000, 700000) == 900000 && !memcmp(back, content + 700000, 900000));
    server.cut_after = SIZE_MAX;
    server.ignore_ranges = 1;
    blob_want(blob);
    CHECK(reaches(blob, BLOB_COMPLETE));
    server.ignore_ranges = 0;
    blob_unwant(blob);
    blob_unuse(blob);
    blob_put(blob);
    move_out(&house);
}

struct two {
    struct blob *blob;
    int result;
};

static void *read_all(void *context) {
    struct two *two = context;
    unsigned char *mine = malloc(SIZE);
    for (size_t at = 0; at < SIZE && two->result >= 0; at += 65536) {
        size_t len = SIZE - at < 65536 ? SIZE - at : 65536;
        two->result = read_range(two->blob, 1, mine + at, len, at);
    }
    if (two->result >= 0 && memcmp(mine, content, SIZE))
        two->result = -EIO;
    free(mine);
    return NULL;
}

static void two_daemons_fetch_once(void) {
    struct house one, other;
    char key[DIGEST_TEXT_SIZE];
    (void)snprintf(key, sizeof key, "sha256-%s", sha256);
    move_in(&one, "store-5", "one");
    move_in(&other, "store-5", "other");
    uint64_t before = server.bytes;
    struct two readers[2] = {{get(&one, key), 0}, {get(&other, key), 0}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        CHECK(!blob_use(readers[i].blob, 1));
        CHECK(!pthread_create(&threads[i], NULL, read_all, &readers[i]));
    }
    for (int i = 0; i < 2; i++) {
        CHECK(!pthread_join(threads[i], NULL));
        CHECK_NUMBER(readers[i].result > 0 ? 1 : readers[i].result, 1);
        CHECK(reaches(readers[i].blob, BLOB_COMPLETE));
        CHECK(look(readers[i].blob).generation == 2);
    }
    CHECK(server.bytes - before == SIZE);
    uint64_t freed;
    blob_unuse(readers[0].blob);
    CHECK_ERROR(blob_evict(readers[0].blob, &freed), -EBUSY); /* the other daemon's reader has it open */
    blob_unuse(readers[1].blob);
    CHECK(!blob_evict(readers[0].blob, &freed));
    CHECK_ERROR(blob_use(readers[1].blob, 2), -ERR_STALE);
    CHECK(look(readers[1].blob).generation == 3);
    blob_put(readers[0].blob);
    blob_put(readers[1].blob);
    move_out(&one);
    move_out(&other);
}

static void a_withdrawn_wait_never_finishes(void) {
    struct house house;
    char key[DIGEST_TEXT_SIZE];
    (void)snprintf(key, sizeof key, "sha256-%s", sha256);
    move_in(&house, "store-6", "one");
    struct blob *blob = get(&house, key);
    CHECK(!blob_use(blob, 1));
    server.hold = 1;
    struct reader reader = {.wait.finish = finish,
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .condition = PTHREAD_COND_INITIALIZER};
    CHECK(blob_await(blob, 1, 0, 100, false, &reader.wait) == PARKED);
    for (uint64_t until = clock_ms() + 5000; !server.held && clock_ms() < until;)
        (void)usleep(1000);
    CHECK(server.held); /* in flight */
    CHECK(wait_withdraw(&reader.wait));
    CHECK(!wait_withdraw(&reader.wait));
    server.hold = 0;
    CHECK(read_range(blob, 1, back, 100, 0) == 100);
    CHECK(!reader.finished);
    blob_unuse(blob);
    blob_put(blob);
    move_out(&house);
}

int main(void) {
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (unsigned char)(i * 2654435761u >> 13);
    digest_of(content, SIZE, sha256);
    CHECK(!range_server_start(&server, content, SIZE));
    access_here.port = server.port;
    const char *folder = getenv("TEST_DIR");
    CHECK(!chdir(folder ? folder : "."));
    static char here[4096];
    CHECK(getcwd(here, sizeof here));
    reads_tail_first_and_seals();
    comes_back_after_a_restart();
    refuses_a_wrong_file();
    bears_bad_servers();
    two_daemons_fetch_once();
    a_withdrawn_wait_never_finishes();
    range_server_stop(&server);
    return check_result();
}
