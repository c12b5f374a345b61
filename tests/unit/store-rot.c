/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed blobs that are no longer what they were: found by a pass, out of service, fetched again. */
#include "store-house.h"

#include <sys/stat.h>

#include "base/fault.h"
#include "store/verify.h"

static struct blob *sealed(struct house *house) {
    struct blob *blob = get(house);
    blob_want(blob);
    CHECK(reaches(blob, BLOB_COMPLETE));
    blob_unwant(blob);
    return blob;
}

static const char *shelf_path(const char *folder) {
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/blobs/sha256/%.2s/%s", folder, sha256, sha256);
    return path;
}

/* What a disk does to a file by itself. */
static void rot_byte(const char *folder, off_t at) {
    int fd = open(shelf_path(folder), O_RDWR | O_CLOEXEC);
    unsigned char byte;
    CHECK(fd >= 0 && pread(fd, &byte, 1, at) == 1);
    byte ^= 0x10;
    CHECK(pwrite(fd, &byte, 1, at) == 1);
    (void)close(fd);
}

static void cut(const char *folder, off_t size) {
    CHECK(!truncate(shelf_path(folder), size));
}

static bool is_right(struct blob *blob) {
    struct blob_info info = look(blob);
    if (info.state != BLOB_COMPLETE || blob_use(blob, info.generation))
        return false;
    bool right = read_range(blob, info.generation, back, SIZE, 0) == SIZE && !memcmp(back, content, SIZE);
    blob_unuse(blob);
    return right;
}

static bool count_bytes(void *context, size_t bytes) {
    *(uint64_t *)context += bytes;
    return true;
}

static bool refuse(void *context, size_t bytes) {
    *(uint64_t *)context += bytes;
    return false;
}

static void what_is_right_stays(void) {
    struct house house;
    move_in(&house, "right");
    struct blob *blob = sealed(&house);
    uint64_t bytes = 0;
    CHECK_OK(blob_verify(blob, &(struct verify_manner){.go_on = count_bytes, .context = &bytes}, NULL));
    CHECK(bytes == SIZE);
    CHECK_OK(blob_verify(blob,
        &(struct verify_manner){.go_on = count_bytes, .context = &bytes, .direct = true}, NULL));
    CHECK(bytes == 2 * SIZE);
    CHECK(look(blob).generation == 2 && is_right(blob));
    uint64_t freed;
    CHECK(EVENTUALLY(!blob_evict(blob, &freed)));
    CHECK_ERROR(blob_verify(blob, &(struct verify_manner){0}, NULL), -ERR_GONE);
    blob_put(blob);
    move_out(&house);
}

static void a_wrong_byte_ends_the_generation(bool direct, const char *folder) {
    struct house house;
    struct reason reason = {""};
    move_in(&house, folder);
    struct blob *blob = sealed(&house);
    rot_byte(folder, SIZE - 7);
    server.status = 503; /* so that what is between is seen */
    CHECK_ERROR(blob_verify(blob, &(struct verify_manner){.direct = direct, .refetch = true}, &reason),
        -ERR_ROTTEN);
    CHECK(strstr(reason.text, sha256));
    CHECK(look(blob).generation == 3 && look(blob).state != BLOB_COMPLETE);
    CHECK_ERROR(blob_use(blob, 2), -ERR_STALE);
    CHECK(access(shelf_path(folder), F_OK));
    int again = blob_verify(blob, &(struct verify_manner){0}, NULL);
    CHECK(again == -ERR_ROTTEN || again == -ERR_GONE); /* the server's refusal may stand in its place */
    server.status = 0;
    CHECK(EVENTUALLY(look(blob).generation == 4 && is_right(blob)));
    CHECK(EVENTUALLY(!look(blob).wanted));
    CHECK(!look(blob).error);
    blob_put(blob);
    move_out(&house);
}

static void without_a_wish_it_stays_away(void) {
    struct house house;
    move_in(&house, "away");
    struct blob *blob = sealed(&house);
    rot_byte("away", 0);
    CHECK_ERROR(blob_verify(blob, &(struct verify_manner){0}, NULL), -ERR_ROTTEN);
    CHECK(!look(blob).wanted && look(blob).state == BLOB_ABSENT && look(blob).error == -ERR_ROTTEN);
    blob_want(blob); /* a pull heals it */
    CHECK(reaches(blob, BLOB_COMPLETE));
    blob_unwant(blob);
    CHECK(is_right(blob));
    blob_put(blob);
    move_out(&house);
}

/* Who has it open keeps the file; our own reads of it, and new opens, do not. */
static void what_is_open_keeps_its_file(void) {
    struct house house;
    move_in(&house, "held");
    struct blob *blob = sealed(&house);
    CHECK(!blob_use(blob, 2));
    int fd = blob_open_complete(blob); /* as the kernel has it */
    CHECK(fd >= 0);
    rot_byte("held", 5);
    CHECK_ERROR(blob_verify(blob, &(struct verify_manner){.refetch = true}, NULL), -ERR_ROTTEN);
    CHECK(pread(fd, back, SIZE, 0) == SIZE && back[5] == (content[5] ^ 0x10));
    CHECK_ERROR((int)blob_read(blob, 2, back, 10, 0), -ERR_STALE);
    CHECK_ERROR(blob_use(blob, 2), -ERR_STALE);
    CHECK(!blob_still_serves(blob, 2));
    CHECK(EVENTUALLY(is_right(blob)));
    blob_unuse(blob);
    (void)close(fd);
    CHECK(is_right(blob));
    blob_put(blob);
    move_out(&house);
}

static void the_neighbour_hears_of_it(void) {
    struct house one, other;
    move_in_both(&one, &other, "neighbours");
    struct blob *a = sealed(&one), *b = get(&other);
    CHECK(look(b).generation == 2 && !blob_use(b, 2)); /* open there */
    CHECK(!blob_use(b, 2));
    blob_unuse(b);
    rot_byte("neighbours", 70000);
    CHECK_ERROR(blob_verify(a, &(struct verify_manner){0}, NULL), -ERR_ROTTEN);
    CHECK_ERROR(blob_use(b, 2), -ERR_STALE);
    CHECK(look(b).generation == 3 && look(b).state == BLOB_ABSENT);
    blob_want(a);
    CHECK(reaches(a, BLOB_COMPLETE));
    blob_unwant(a);
    CHECK(is_right(b) && look(b).generation == 4);
    blob_unuse(b);
    blob_put(a);
    blob_put(b);
    move_out(&one);
    move_out(&other);
}

/* The same bytes under another kind of digest: it hears of it too, even if they are back before it looks. */
static void every_key_of_the_bytes_hears_of_it(void) {
    struct house house;
    char own[SHA256_HEX_SIZE], git[DIGEST_TEXT_SIZE];
    struct digest *digest = digest_new(DIGEST_GIT, SIZE);
    digest_add(digest, content, SIZE);
    digest_end(digest, own, git);
    digest_free(digest);
    move_in(&house, "keys");
    struct blob *blob = sealed(&house), *twin = get_file(&house, git, SIZE);
    blob_want(twin);
    CHECK(reaches(twin, BLOB_COMPLETE));
    blob_unwant(twin);
    CHECK(EVENTUALLY(!look(twin).wanted));
    CHECK(!blob_use(twin, 2));
    rot_byte("keys", 1000);
    CHECK_ERROR(blob_verify(blob, &(struct verify_manner){.refetch = true}, NULL), -ERR_ROTTEN);
    CHECK(EVENTUALLY(is_right(blob)));
    CHECK_ERROR(blob_use(twin, 2), -ERR_STALE);
    CHECK(look(twin).generation == 3);
    blob_unuse(twin);
    blob_put(twin);
    blob_put(blob);
    move_out(&house);
}

static void another_size_is_rot(bool open) {
    struct house house;
    struct reason reason = {""};
    const char *folder = open ? "cut-open" : "cut";
    move_in(&house, folder);
    struct blob *blob = sealed(&house);
    if (open)
        CHECK(!blob_use(blob, 2));
    cut(folder, SIZE - 1000);
    CHECK_ERROR(blob_verify(blob, &(struct verify_manner){.refetch = true}, &reason), -ERR_ROTTEN);
    CHECK(strstr(reason.text, "bytes instead of"));
    if (open)
        blob_unuse(blob);
    CHECK(EVENTUALLY(is_right(blob)));
    CHECK(look(blob).generation == 4);
    blob_put(blob);
    move_out(&house);
}

static void it_can_be_cancelled(void) {
    struct house house;
    move_in(&house, "cancelled");
    struct blob *blob = sealed(&house);
    uint64_t bytes = 0;
    rot_byte("cancelled", 0);
    CHECK_ERROR(blob_verify(blob, &(struct verify_manner){.go_on = refuse, .context = &bytes}, NULL),
        -ERR_CANCELLED);
    CHECK(!bytes && look(blob).generation == 2);
    blob_put(blob);
    move_out(&house);
}

/* Left by a crash after the first step: the walk after the start does the rest. */
static void a_crash_between_is_ended(void) {
    struct house house;
    char aside[256];
    move_in(&house, "crash");
    blob_put(sealed(&house));
    move_out(&house);
    (void)snprintf(aside, sizeof aside, "crash/blobs/sha256/%.2s/.rotten-%s", sha256, sha256);
    CHECK(!rename(shelf_path("crash"), aside));
    move_in(&house, "crash");
    CHECK(EVENTUALLY(access(aside, F_OK)));
    struct blob *blob = get(&house);
    CHECK(look(blob).generation == 3 && look(blob).state == BLOB_ABSENT);
    blob_want(blob);
    CHECK(reaches(blob, BLOB_COMPLETE));
    blob_unwant(blob);
    CHECK(is_right(blob));
    blob_put(blob);
    move_out(&house);
}

#ifdef WEIGHTFS_FAULTS
/* Armed while no thread of a house runs. */
static int verify_with(const char *fault, const char *folder, struct reason *reason) {
    struct house house;
    CHECK_OK(fault_arm(fault));
    move_in(&house, folder);
    struct blob *blob = sealed(&house);
    int result = blob_verify(blob, &(struct verify_manner){.refetch = true}, reason);
    CHECK(EVENTUALLY(is_right(blob)));
    blob_put(blob);
    move_out(&house);
    return result;
}

static void what_the_disk_cannot_read_is_rot(void) {
    struct reason reason = {""};
    CHECK_OK(verify_with("store_verify_read:EIO:1:1", "once", &reason)); /* a second try is granted */
    CHECK_ERROR(verify_with("store_verify_read:EIO:1:2", "unreadable", &reason), -ERR_ROTTEN);
    CHECK(strstr(reason.text, "can't read"));
    /* that says nothing of the bytes */
    CHECK_ERROR(verify_with("store_verify_open:EMFILE", "no-descriptor", &reason), -EMFILE);
}
#endif

int main(void) {
    build_street();
    what_is_right_stays();
    a_wrong_byte_ends_the_generation(false, "wrong");
    a_wrong_byte_ends_the_generation(true, "wrong-direct");
    without_a_wish_it_stays_away();
    what_is_open_keeps_its_file();
    the_neighbour_hears_of_it();
    every_key_of_the_bytes_hears_of_it();
    another_size_is_rot(false);
    another_size_is_rot(true);
    it_can_be_cancelled();
    a_crash_between_is_ended();
#ifdef WEIGHTFS_FAULTS
    what_the_disk_cannot_read_is_rot();
#endif
    stop_servers();
    return check_result();
}
