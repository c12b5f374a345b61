/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <ctype.h>
#include <time.h>

#include "base/clock.h"
#include "base/lock.h"

static const int64_t SHIFT_MS = INT64_C(400) * 24 * 3600 * 1000;

static void both_clocks_are_shifted(void) {
    struct timespec real;
    clock_gettime(CLOCK_MONOTONIC, &real);
    int64_t behind_ms = (int64_t)clock_ms() - (int64_t)real.tv_sec * 1000;
    CHECK(behind_ms >= SHIFT_MS && behind_ms < SHIFT_MS + 60 * 1000);
    behind_ms = clock_wall_ms() - (int64_t)time(NULL) * 1000;
    CHECK(behind_ms >= SHIFT_MS - 1000 && behind_ms < SHIFT_MS + 60 * 1000);
    CHECK(clock_ns() / 1000000 - clock_ms() < 60 * 1000);
}

static void a_deadline_does_not_mind_the_shift(void) {
    struct lock lock;
    pthread_cond_t condition;
    lock_init(&lock, LOCK_QUEUE);
    lock_condition_init(&condition);
    lock_take(&lock);
    uint64_t before_ms = clock_ms();
    while (lock_wait(&lock, &condition, before_ms + 20))
        ;
    lock_drop(&lock);
    CHECK(clock_ms() - before_ms >= 20 && clock_ms() - before_ms < 10 * 1000);
    pthread_cond_destroy(&condition);
    lock_done(&lock);
}

static void stamps_are_written(void) {
    char to[CLOCK_STAMP_SIZE];
    CHECK_TEXT(clock_stamp(to, 0), "1970-01-01T00:00:00Z");
    CHECK_TEXT(clock_stamp(to, INT64_C(1795261200999)), "2026-11-21T11:40:00Z");
    CHECK_TEXT(clock_stamp(to, INT64_MAX), "9999-12-31T23:59:59Z");
    CHECK_TEXT(clock_stamp(to, INT64_MIN), "1970-01-01T00:00:00Z");
}

static void stamps_are_parsed(void) {
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } ROWS[] = {
        {"1970-01-01T00:00:00Z",                0                     },
        {"2024-05-01T10:20:30.000Z",            INT64_C(1714558830000)},
        {"2024-05-01T10:20:30.1239Z",           INT64_C(1714558830123)},
        {"2024-05-01T10:20:30.5Z",              INT64_C(1714558830500)},
        {"2024-05-01 10:20:30z",                INT64_C(1714558830000)},
        {"2024-05-01T12:20:30.123456789+02:00", INT64_C(1714558830123)},
        {"2024-05-01T02:50:30-0730",            INT64_C(1714558830000)},
        {"2024-02-29T00:00:00Z",                INT64_C(1709164800000)},
        {"2016-12-31T23:59:60Z",                INT64_C(1483228800000)},
        {"2023-02-29T00:00:00Z",                -1                    },
        {"2024-06-31T00:00:00Z",                -1                    },
        {"2024-13-01T00:00:00Z",                -1                    },
        {"2024-00-01T00:00:00Z",                -1                    },
        {"2024-05-01T24:00:00Z",                -1                    },
        {"2024-05-01T10:60:00Z",                -1                    },
        {"2024-05-01T10:20:61Z",                -1                    },
        {"2024-05-01T10:20:30",                 -1                    },
        {"2024-05-01T10:20:30.Z",               -1                    },
        {"2024-05-01T10:20:30Zx",               -1                    },
        {"2024-05-01T10:20Z",                   -1                    },
        {"2024-05-01T10:20:30+2:00",            -1                    },
        {"2024-05-01T10:20:30+02:0",            -1                    },
        {"2024-05-01T10:20:30+24:00",           -1                    },
        {"2024-05-01",                          -1                    },
        {"",                                    -1                    },
        {"24-05-01T10:20:30Z",                  -1                    },
        {"2024-05-01T10:20:30+02:00 ",          -1                    },
        {"+024-05-01T10:20:30Z",                -1                    },
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        int64_t ms = -1;
        if (!CHECK(clock_parse(ROWS[i].text, &ms) == (ROWS[i].ms < 0 ? -EINVAL : 0) && ms == ROWS[i].ms))
            fprintf(stderr, "    %s gives %lld\n", ROWS[i].text, (long long)ms);
    }
}

static void chance_stays_in_its_bounds(void) {
    unsigned seen = 0;
    for (int i = 0; i < 1000; i++) {
        uint32_t value = random_below(8);
        CHECK(value < 8);
        seen |= 1u << (value & 31);
    }
    CHECK_NUMBER(seen, 0xff);
    CHECK_NUMBER(random_below(1), 0);
    CHECK_NUMBER(random_below(0), 0);
}

static void retries_wait_longer_up_to_a_cap(void) {
    for (int i = 0; i < 200; i++) {
        uint64_t first_ms = backoff_ms(0, 100, 10000);
        uint64_t third_ms = backoff_ms(2, 100, 10000);
        uint64_t late_ms = backoff_ms(1000, 100, 10000);
        CHECK(first_ms >= 50 && first_ms <= 150);
        CHECK(third_ms >= 200 && third_ms <= 600);
        CHECK(late_ms >= 5000 && late_ms <= 10000);
    }
    CHECK_NUMBER((int64_t)backoff_ms(3, 0, 10000), 0);
    CHECK_NUMBER((int64_t)backoff_ms(3, 100, 0), 0);
    CHECK(backoff_ms(62, UINT64_MAX, UINT64_MAX) > 0);
}

static void the_boot_has_an_id(void) {
    const char *id = boot_id();
    CHECK_NUMBER((int64_t)strlen(id), 32);
    for (const char *at = id; *at; at++)
        CHECK(isxdigit((unsigned char)*at));
    CHECK(boot_id() == id);
}

static void an_empty_variable_is_unset(void) {
    setenv("TEST_EMPTY", "", 1);
    setenv("TEST_FULL", "x", 1);
    CHECK(!environment("TEST_EMPTY"));
    CHECK(!environment("TEST_MISSING"));
    CHECK_TEXT(environment("TEST_FULL"), "x");
}

int main(void) {
    char shift[32];
    snprintf(shift, sizeof shift, "%lld", (long long)SHIFT_MS);
    setenv("WEIGHTFS_TEST_CLOCK_OFFSET_MS", shift, 1); /* before the first look at the clock */
    both_clocks_are_shifted();
    a_deadline_does_not_mind_the_shift();
    stamps_are_written();
    stamps_are_parsed();
    chance_stays_in_its_bounds();
    retries_wait_longer_up_to_a_cap();
    the_boot_has_an_id();
    an_empty_variable_is_unset();
    return check_result();
}
