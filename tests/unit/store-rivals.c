/* SPDX-License-Identifier: Apache-2.0 */
/* Two daemons on one store that are at odds: one holds a lock, stalls, hashes or evicts while the other
 * serves readers. */
#include "store-house.h"

static void a_read_parked_at_a_busy_folder_is_served(void) {
    struct house house;
    move_in(&house, "busy");
    struct blob *blob = get(&house);
    CHECK(!blob_use(blob, 1));
    CHECK(read_range(blob, 1, back, 10, 0) == 10);
    blob_unuse(blob);
    blob_put(blob);
    move_out(&house);
    move_in(&house, "busy");
    blob = get(&house);
    int fd = open_in("busy", ".", O_RDONLY | O_DIRECTORY);
    CHECK(EVENTUALLY(!flock(fd, LOCK_EX | LOCK_NB))); /* the walk after the start may have it */
    CHECK_OK(blob_use(blob, 1));
    struct reader reader = READER;
    CHECK(blob_await(blob, 1, 0, 10, false, &reader.wait) == PARKED);
    CHECK(!finishes_within(&reader, 100)); /* some ticks of the loop, which find it locked */
    (void)close(fd);
    CHECK_OK(outcome(&reader, PATIENT_MS));
    CHECK(blob_read(blob, 1, back, 10, 0) == 10 && !memcmp(back, content, 10));
    blob_unuse(blob);
    blob_put(blob);
    move_out(&house);
}

static bool reads_blocks(struct blob *blob, size_t first, size_t end) {
    for (; first < end; first++) {
        size_t at = first * STORE_BLOCK_BYTES;
        size_t len = SIZE - at < STORE_BLOCK_BYTES ? SIZE - at : STORE_BLOCK_BYTES;
        if (read_range(blob, 1, back + at, len, at) != (int)len)
            return false;
    }
    return true;
}

static void no_reader_of_two_mounts_holds_a_wrong_whole(void) {
    struct house one, other;
    move_in_both(&one, &other, "whole");
    server.flip_at = other_server.flip_at = 777;
    struct blob *a = get(&one), *b = get(&other);
    CHECK(!blob_use(a, 1) && !blob_use(b, 1));
    size_t piece = 16 * STORE_BLOCK_BYTES, second = 20 * STORE_BLOCK_BYTES;
    CHECK(reads_blocks(a, 36, BLOCKS + 1) && reads_blocks(a, 16, 20));
    /* Both wait for a piece; the two together are what is missing, and come at the same moment. */
    server.hold = other_server.hold = 1;
    struct reader first = READER, last = READER;
    CHECK(blob_await(a, 1, 0, piece, false, &first.wait) == PARKED);
    CHECK(blob_await(b, 1, second, piece, false, &last.wait) == PARKED);
    CHECK(EVENTUALLY(server.held && other_server.held));
    server.hold = other_server.hold = 0;
    int results[2] = {outcome(&first, PATIENT_MS), outcome(&last, PATIENT_MS)};
    CHECK(results[0] || results[1]); /* the later of the two is withheld */
    CHECK(results[0] != -ETIMEDOUT && results[1] != -ETIMEDOUT);
    server.flip_at = other_server.flip_at = SIZE_MAX;
    blob_unuse(a);
    blob_unuse(b);
    blob_put(a);
    blob_put(b);
    move_out(&one);
    move_out(&other);
}

static void a_stalled_daemon_stops_no_other_reads_of_its_neighbour(void) {
    struct house house;
    move_in(&house, "neighbour");
    struct blob *blob = get(&house);
    CHECK(!blob_use(blob, 1));
    CHECK(read_range(blob, 1, back, 10, 0) == 10);
    int fd = open_in("neighbour", "map", O_RDWR); /* a daemon that fetches block 20 and never has it */
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 20, .l_len = 1};
    CHECK(!fcntl(fd, F_OFD_SETLK, &lock));
    struct reader behind = READER;
    CHECK(blob_await(blob, 1, 20 * STORE_BLOCK_BYTES, 10, false, &behind.wait) == PARKED);
    CHECK(read_range(blob, 1, back, 10, 30 * STORE_BLOCK_BYTES) == 10);
    CHECK(!finishes_within(&behind, 0));
    (void)close(fd);
    CHECK_OK(outcome(&behind, PATIENT_MS));
    blob_unuse(blob);
    blob_put(blob);
    move_out(&house);
}

/* True when no daemon has the part's data open. */
static bool is_let_go(const char *folder) {
    int fd = open_in(folder, "data", O_RDWR);
    bool free = !flock(fd, LOCK_EX | LOCK_NB);
    (void)close(fd);
    return free;
}

static void what_is_open_is_not_evicted(void) {
    struct house one, other;
    move_in_both(&one, &other, "open");
    struct blob *a = get(&one), *b = get(&other);
    CHECK(!blob_use(a, 1));
    CHECK(read_range(a, 1, back, 10, 0) == 10);
    blob_unuse(a);
    CHECK(EVENTUALLY(is_let_go("open")));
    CHECK(!blob_use(a, 1)); /* open again, nothing read yet */
    uint64_t freed = 0;
    CHECK_ERROR(blob_evict(b, &freed), -EBUSY);
    CHECK(read_range(a, 1, back, 10, 0) == 10);
    blob_unuse(a);
    CHECK(EVENTUALLY(blob_evict(b, &freed) != -EBUSY));
    CHECK_ERROR(blob_use(a, 1), -ERR_STALE);
    blob_put(a);
    blob_put(b);
    move_out(&one);
    move_out(&other);
}

static void the_refetch_ends_with_the_neighbours_seal(void) {
    struct house one, other;
    move_in_both(&one, &other, "refetch");
    struct blob *a = get(&one), *b = get(&other);
    server.flip_at = 5;
    CHECK(!blob_use(a, 1));
    CHECK(read_range(a, 1, back, 10, 0) == 10);
    int fd = take_hash("refetch");
    blob_want(a);
    CHECK(reaches(a, BLOB_FULL));
    blob_unwant(a);
    server.status = 503; /* the first is wrong, and then nothing more comes to the one */
    (void)close(fd);
    CHECK(EVENTUALLY(look(a).generation == 3));
    blob_unuse(a);
    blob_want(b);
    CHECK(reaches(b, BLOB_COMPLETE));
    blob_unwant(b);
    CHECK(reaches(a, BLOB_COMPLETE));
    CHECK(EVENTUALLY(!look(a).wanted));
    uint64_t freed = 0;
    CHECK(EVENTUALLY(!blob_evict(a, &freed)));
    server.status = 0;
    server.flip_at = SIZE_MAX;
    blob_put(a);
    blob_put(b);
    move_out(&one);
    move_out(&other);
}

int main(void) {
    build_street();
    a_read_parked_at_a_busy_folder_is_served();
    no_reader_of_two_mounts_holds_a_wrong_whole();
    a_stalled_daemon_stops_no_other_reads_of_its_neighbour();
    what_is_open_is_not_evicted();
    the_refetch_ends_with_the_neighbours_seal();
    stop_servers();
    return check_result();
}
