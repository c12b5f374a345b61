/* SPDX-License-Identifier: Apache-2.0 */
/* Readers and disturbers of two daemons, all at once and at random: for the sanitizers above all. */
#include "store-house.h"

#define READERS      6
#define CROWD        8
#define VISITS       1000
#define ENOUGH_MS    3000 /* then visits that are left are left out */
#define LONGEST_READ 200000u

struct crowd {
    struct blob *blob;
    atomic_bool *stop;
    unsigned seed;
    uint64_t until_ms;
    unsigned right; /* reads that gave bytes */
};

static void visit(struct crowd *crowd, uint32_t generation, unsigned char *mine) {
    for (int i = 0; i < 6; i++) {
        size_t at = (size_t)rand_r(&crowd->seed) % SIZE;
        size_t len = 1 + (size_t)rand_r(&crowd->seed) % LONGEST_READ;
        len = len < SIZE - at ? len : SIZE - at;
        struct reader reader = READER;
        int result = blob_await(crowd->blob, generation, at, len, i & 1, &reader.wait);
        if (result == PARKED) /* some lose patience at once */
            result = outcome(&reader, rand_r(&crowd->seed) % 4 ? PATIENT_MS : 1);
        if (!result && blob_read(crowd->blob, generation, mine, len, at) == (ssize_t)len)
            crowd->right += CHECK(!memcmp(mine, content + at, len));
    }
}

static void *reads_at_random(void *context) {
    struct crowd *crowd = context;
    unsigned char *mine = malloc(LONGEST_READ);
    for (int i = 0; i < VISITS && clock_ms() < crowd->until_ms; i++) {
        uint32_t generation = look(crowd->blob).generation;
        if (blob_use(crowd->blob, generation))
            continue;
        visit(crowd, generation, mine);
        blob_unuse(crowd->blob);
    }
    free(mine);
    return NULL;
}

static void *disturbs(void *context) {
    struct crowd *crowd = context;
    while (!atomic_load(crowd->stop)) {
        uint64_t freed;
        switch (rand_r(&crowd->seed) % 4) {
        case 0: blob_retry(crowd->blob); break;
        case 1: (void)blob_evict(crowd->blob, &freed); break;
        case 2:
            blob_want(crowd->blob);
            (void)usleep(3000);
            blob_unwant(crowd->blob);
            break;
        case 3: server.cut_after = rand_r(&crowd->seed) % 2 ? SIZE_MAX : 150000; break;
        }
        (void)usleep(rand_r(&crowd->seed) % 5000);
    }
    return NULL;
}

static void a_crowd(void) {
    struct house houses[2];
    atomic_bool stop = false;
    struct crowd crowds[CROWD];
    pthread_t threads[CROWD];
    unsigned right = 0;
    move_in_both(&houses[0], &houses[1], "crowd");
    for (unsigned i = 0; i < CROWD; i++) {
        crowds[i] = (struct crowd){get(&houses[i % 2]), &stop, 77 + i, clock_ms() + ENOUGH_MS, 0};
        CHECK(!pthread_create(&threads[i], NULL, i < READERS ? reads_at_random : disturbs, &crowds[i]));
    }
    for (unsigned i = 0; i < CROWD; i++) {
        if (i == READERS)
            atomic_store(&stop, true);
        CHECK(!pthread_join(threads[i], NULL));
        right += crowds[i].right;
    }
    CHECK(right);
    server.cut_after = SIZE_MAX;
    /* Nothing of it is left: it is pulled, and right. */
    struct blob *blob = crowds[0].blob;
    blob_retry(blob);
    blob_want(blob);
    CHECK(reaches(blob, BLOB_COMPLETE));
    blob_unwant(blob);
    uint32_t generation = look(blob).generation;
    CHECK_OK(blob_use(blob, generation));
    for (size_t at = 0; at < SIZE; at += LONGEST_READ) {
        size_t len = SIZE - at < LONGEST_READ ? SIZE - at : LONGEST_READ;
        CHECK_NUMBER(read_range(blob, generation, back + at, len, at), (int64_t)len);
    }
    CHECK(!memcmp(back, content, SIZE));
    blob_unuse(blob);
    for (unsigned i = 0; i < CROWD; i++)
        blob_put(crowds[i].blob);
    for (int i = 0; i < 2; i++)
        move_out(&houses[i]);
}

int main(void) {
    build_street();
    a_crowd();
    stop_servers();
    return check_result();
}
