/* SPDX-License-Identifier: Apache-2.0 */
/* Making room tells of each key that led to the file, though nobody has its blob, or ever asked for it. */
#include "store-house.h"

#include <stdatomic.h>

#include "store/shelf.h"

static const char *awaited_key; /* set before the daemon starts, as the next */
static int64_t awaited_generation;
static atomic_uint told;

static void hear(void *context, const struct news *news) {
    (void)context;
    told += news->kind == NEWS_BLOB_GENERATION && strcmp(news->key, awaited_key) == 0 &&
            news->id == awaited_generation;
}

static void listen_for(const char *which, int64_t generation) {
    awaited_key = which;
    awaited_generation = generation;
    told = 0;
    bus_listen(hear, NULL);
}

static void seal_and_put(struct house *house, const char *digest) {
    struct blob *blob = get_file(house, digest, SIZE);
    blob_want(blob);
    CHECK(reaches(blob, BLOB_COMPLETE));
    blob_unwant(blob);
    blob_put(blob);
}

static void goes(struct house *house) {
    struct shelf_item item = {.bytes = SIZE};
    (void)snprintf(item.name, sizeof item.name, "%s", sha256);
    /* a descriptor of the hash may be open still */
    CHECK(EVENTUALLY(shelf_evict(house->store, &item) == SIZE));
}

static void of_a_blob_that_nobody_has(const char *digest, const char *folder) {
    struct house house;
    listen_for(digest, 3);
    move_in(&house, folder);
    seal_and_put(&house, digest);
    goes(&house);
    CHECK_NUMBER(told, 1);
    move_out(&house);
    bus_reset();
}

static void of_a_blob_that_nobody_asked_for(void) {
    struct house house;
    move_in(&house, "unknown");
    seal_and_put(&house, key);
    move_out(&house);
    listen_for(key, 0); /* it isn't looked up */
    move_in(&house, "unknown");
    goes(&house);
    CHECK_NUMBER(told, 1);
    struct blob *blob = get(&house);
    CHECK(look(blob).state == BLOB_ABSENT && look(blob).generation == 3);
    blob_put(blob);
    move_out(&house);
    bus_reset();
}

int main(void) {
    char hex[SHA256_HEX_SIZE], git_key[DIGEST_TEXT_SIZE];
    build_street();
    struct digest *digest = digest_new(DIGEST_GIT, SIZE);
    digest_add(digest, content, SIZE);
    digest_end(digest, hex, git_key);
    digest_free(digest);
    of_a_blob_that_nobody_has(key, "idle");
    of_a_blob_that_nobody_has(git_key, "idle-git");
    of_a_blob_that_nobody_asked_for();
    stop_servers();
    return check_result();
}
