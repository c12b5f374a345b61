/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a blob, against a server on loopback: fetched in any order, withheld until verified, sealed,
 * evicted. */
#include "store-house.h"

static void reads_tail_first_and_seals(void) {
    struct house house;
    move_in(&house, "store-1");
    struct blob *blob = get(&house);
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
    move_in(&house, "store-2");
    struct blob *blob = get(&house);
    CHECK(!blob_use(blob, 1));
    CHECK(read_range(blob, 1, back, 300000, 600000) == 300000);
    blob_unuse(blob);
    uint64_t here = look(blob).bytes_here;
    CHECK(here >= 300000);
    blob_put(blob);
    move_out(&house);
    uint64_t before = server.bytes;
    move_in(&house, "store-2");
    blob = get(&house);
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
    move_in(&house, "store-3");
    struct blob *blob = get(&house);
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
    move_in(&house, "store-4");
    struct blob *blob = get(&house);
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

static void a_withdrawn_wait_never_finishes(void) {
    struct house house;
    move_in(&house, "store-6");
    struct blob *blob = get(&house);
    CHECK(!blob_use(blob, 1));
    server.hold = 1;
    struct reader reader = READER;
    CHECK(blob_await(blob, 1, 0, 100, false, &reader.wait) == PARKED);
    CHECK(EVENTUALLY(server.held)); /* in flight */
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
    build_street();
    reads_tail_first_and_seals();
    comes_back_after_a_restart();
    refuses_a_wrong_file();
    bears_bad_servers();
    a_withdrawn_wait_never_finishes();
    stop_servers();
    return check_result();
}
