/* SPDX-License-Identifier: Apache-2.0 */
/* One store, several daemons, one after the other or at once. */
#include <sys/stat.h>

#include "store-house.h"

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
    move_in_both(&one, &other, "store-5");
    struct two readers[2] = {{get(&one), 0}, {get(&other), 0}};
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
    CHECK(server.bytes + other_server.bytes == SIZE);
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

static void a_start_sweeps_what_a_crash_left(void) {
    struct house house;
    move_in(&house, "store-7");
    move_out(&house);
    char path[512];
    (void)snprintf(path, sizeof path, "store-7/parts/%s", key);
    CHECK_OK(path_make_folders(path));
    static const char *const left[] = {".tmp-0123456789abcdef", "map"};
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "store-7/parts/%s/%s", key, left[i]);
        CHECK_OK(path_replace(AT_FDCWD, path, "x", 1, false));
        const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
        CHECK(!utimensat(AT_FDCWD, path, old, 0));
    }
    move_in(&house, "store-7");
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "store-7/parts/%s/%s", key, left[i]);
        CHECK(EVENTUALLY(access(path, F_OK)));
    }
    move_out(&house);
}

int main(void) {
    build_street();
    two_daemons_fetch_once();
    a_start_sweeps_what_a_crash_left();
    stop_servers();
    return check_result();
}
