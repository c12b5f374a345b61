/* SPDX-License-Identifier: Apache-2.0 */
/* What a part on disk, or a listing, may have wrong. */
#include "store-house.h"

static void what_was_full_is_sealed_by_the_next_pull(void) {
    leave_full("full");
    struct house house;
    move_in(&house, "full");
    struct blob *blob = get(&house);
    CHECK(look(blob).state == BLOB_FULL || look(blob).state == BLOB_COMPLETE);
    blob_want(blob);
    CHECK(reaches(blob, BLOB_COMPLETE)); /* nobody reads: the pull alone has it hashed */
    blob_unwant(blob);
    blob_put(blob);
    move_out(&house);
}

static void a_listing_with_another_size_harms_nobody(void) {
    struct house house;
    move_in(&house, "size");
    struct blob *right = get(&house);
    blob_want(right);
    CHECK(reaches(right, BLOB_COMPLETE));
    blob_unwant(right);
    struct blob *wrong = get_file(&house, key, SIZE - 1);
    CHECK_ERROR(blob_use(wrong, look(wrong).generation), -ERR_CHANGED);
    CHECK(look(right).state == BLOB_COMPLETE);
    CHECK(look(right).generation == 2);
    CHECK(!blob_use(right, 2));
    CHECK(read_range(right, 2, back, 10, SIZE - 10) == 10 && !memcmp(back, content + SIZE - 10, 10));
    blob_unuse(right);
    blob_put(right);
    blob_put(wrong);
    move_out(&house);
}

static void a_part_that_cannot_be_read_is_told(void) {
    struct house house;
    leave_full("eio");
    int fd = open_in("eio", "data", O_RDWR);
    move_in(&house, "eio");
    int lock = take_hash("eio");
    struct blob *blob = get(&house);
    CHECK(!blob_use(blob, 1));
    struct reader reader = READER;
    CHECK(blob_await(blob, 1, 0, 100, false, &reader.wait) == PARKED);
    CHECK(!ftruncate(fd, SIZE - 1)); /* to the hash this reads as a disk that fails */
    (void)close(lock);
    int result = outcome(&reader, PATIENT_MS);
    CHECK(result < 0 && result != -ETIMEDOUT);
    CHECK(look(blob).error);
    CHECK(!ftruncate(fd, SIZE));
    (void)close(fd);
    blob_unuse(blob);
    blob_put(blob);
    move_out(&house);
}

int main(void) {
    build_street();
    what_was_full_is_sealed_by_the_next_pull();
    a_listing_with_another_size_harms_nobody();
    a_part_that_cannot_be_read_is_told();
    stop_servers();
    return check_result();
}
