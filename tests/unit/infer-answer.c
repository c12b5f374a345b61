/* SPDX-License-Identifier: Apache-2.0 */
/* answers: they grow, wake who waits, end once, and are read by many */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#include "check.h"
#include "infer/answer.h"

struct reader {
    struct wait wait; /* first */
    sem_t woken;
    int result;
};

static void finish(struct wait *wait, int result) {
    struct reader *reader = (struct reader *)wait;
    reader->result = result;
    sem_post(&reader->woken);
}

static void reader_init(struct reader *reader) {
    *reader = (struct reader){.wait = {.finish = finish}};
    sem_init(&reader->woken, 0, 0);
}

static bool is_woken(struct reader *reader) {
    return sem_trywait(&reader->woken) == 0;
}

static void it_grows_and_ends_well(void) {
    struct answer *answer = answer_new(7);
    struct reader first, second;
    struct answer_info info;
    char text[16];
    reader_init(&first);
    reader_init(&second);
    CHECK(answer_number(answer) == 7);
    CHECK(answer_read(answer, 0, text, sizeof text) == 0);
    CHECK(answer_await(answer, 0, &first.wait) == PARKED);
    CHECK(answer_await(answer, 2, &second.wait) == PARKED);
    CHECK_OK(answer_add(answer, "ab", 2));
    CHECK(is_woken(&first) && first.result == 0 && !is_woken(&second));
    CHECK(answer_await(answer, 1, &first.wait) == 0);
    CHECK(answer_read(answer, 0, text, sizeof text) == 2 && !memcmp(text, "ab", 2));
    CHECK(answer_read(answer, 1, text, 1) == 1 && text[0] == 'b');
    answer_end(answer, 0, NULL);
    CHECK(is_woken(&second) && second.result == 0);
    CHECK(answer_read(answer, 2, text, sizeof text) == 0 && answer_read(answer, 99, text, 1) == 0);
    CHECK_ERROR(answer_add(answer, "c", 1), -ERR_CANCELLED);
    answer_end(answer, -EIO, "too late");
    answer_look(answer, &info);
    CHECK(info.ended && info.error == 0 && info.len == 2 && info.first_ms >= info.begun_ms);
    answer_put(answer);
}

static void it_ends_with_an_error(void) {
    struct answer *answer = answer_new(1);
    struct answer_info info;
    char text[4];
    CHECK_OK(answer_add(answer, "so", 2));
    answer_end(answer, -E2BIG, "too long");
    CHECK(answer_read(answer, 0, text, sizeof text) == 2);
    CHECK(answer_read(answer, 2, text, sizeof text) == -E2BIG);
    answer_look(answer, &info);
    CHECK_TEXT(info.reason.text, "too long");
    answer_put(answer);
}

static void who_waits_may_go(void) {
    struct answer *answer = answer_new(1);
    struct reader reader;
    reader_init(&reader);
    CHECK(answer_await(answer, 0, &reader.wait) == PARKED);
    CHECK(wait_withdraw(&reader.wait));
    CHECK_OK(answer_add(answer, "x", 1));
    CHECK(!is_woken(&reader) && !wait_withdraw(&reader.wait));
    answer_put(answer);
}

static void one_and_all_are_bounded(void) {
    static char piece[1 << 20];
    struct answer *answers[ANSWERS_LIMIT / ANSWER_LIMIT + 1];
    size_t count = 0;
    uint64_t all = 0;
    for (; count < sizeof answers / sizeof *answers; count++) {
        struct answer_info info;
        answers[count] = answer_new(count);
        while (answer_add(answers[count], piece, sizeof piece) == 0)
            continue;
        answer_look(answers[count], &info);
        CHECK(info.len <= ANSWER_LIMIT);
        all += info.len;
    }
    CHECK(all <= ANSWERS_LIMIT && all > ANSWERS_LIMIT - 2 * sizeof piece);
    while (count)
        answer_put(answers[--count]);
    struct answer *answer = answer_new(0);
    CHECK_OK(answer_add(answer, piece, sizeof piece));
    answer_put(answer);
}

#define COUNT 20000

static void *add(void *context) {
    for (unsigned i = 0; i < COUNT; i++)
        CHECK_OK(answer_add(context, "0123456789" + i % 10, 1));
    answer_end(context, 0, NULL);
    return NULL;
}

static void *read_all(void *context) {
    struct reader reader;
    uint64_t offset = 0;
    char text[97];
    reader_init(&reader);
    for (;;) {
        int result = answer_await(context, offset, &reader.wait);
        while (result == PARKED && sem_wait(&reader.woken) != 0)
            continue;
        ssize_t len = answer_read(context, offset, text, sizeof text);
        for (ssize_t i = 0; i < len; i++)
            if (text[i] != (char)('0' + (offset + (uint64_t)i) % 10))
                return context;
        if (len <= 0)
            break;
        offset += (uint64_t)len;
    }
    return offset == COUNT ? NULL : context;
}

static void many_read_while_it_grows(void) {
    struct answer *answer = answer_new(1);
    pthread_t writer, readers[8];
    void *wrong;
    for (size_t i = 0; i < 8; i++)
        CHECK(!pthread_create(&readers[i], NULL, read_all, answer));
    CHECK(!pthread_create(&writer, NULL, add, answer));
    pthread_join(writer, NULL);
    for (size_t i = 0; i < 8; i++) {
        pthread_join(readers[i], &wrong);
        CHECK(!wrong);
    }
    answer_put(answer);
}

/* One whose finish() goes on when somebody says so. */
struct slow {
    struct wait wait; /* first */
    sem_t entered, go_on;
};

static void finish_slowly(struct wait *wait, int result) {
    struct slow *slow = (struct slow *)wait;
    (void)result;
    sem_post(&slow->entered);
    while (sem_wait(&slow->go_on) != 0)
        continue;
}

static void *add_one(void *context) {
    CHECK_OK(answer_add(context, "x", 1));
    return NULL;
}

/* Two are woken at once, and the second one loses patience while the first one is being told: it is too late
 * to go, as the second one is in the hands of who tells them. */
static void who_is_being_woken_stays(void) {
    struct answer *answer = answer_new(1);
    struct slow first = {.wait = {.finish = finish_slowly}};
    struct reader second;
    pthread_t writer;
    sem_init(&first.entered, 0, 0);
    sem_init(&first.go_on, 0, 0);
    reader_init(&second);
    CHECK(answer_await(answer, 0, &first.wait) == PARKED);
    CHECK(answer_await(answer, 0, &second.wait) == PARKED);
    CHECK(!pthread_create(&writer, NULL, add_one, answer));
    while (sem_wait(&first.entered) != 0)
        continue;
    CHECK(!wait_withdraw(&second.wait));
    sem_post(&first.go_on);
    pthread_join(writer, NULL);
    CHECK(is_woken(&second) && second.result == 0);
    answer_put(answer);
}

int main(void) {
    it_grows_and_ends_well();
    it_ends_with_an_error();
    who_waits_may_go();
    one_and_all_are_bounded();
    many_read_while_it_grows();
    who_is_being_woken_stays();
    return check_result();
}
