/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/buf.h"
#include "base/path.h"

static const uint64_t NS_PER_MS = 1000 * 1000;
static const uint64_t MS_PER_S = 1000;
static const uint64_t NS_PER_S = 1000 * 1000 * 1000;
static const int64_t LAST_MS = 253402300799999; /* the end of the year 9999 */

const char *environment(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static uint64_t real_ns(clockid_t id) {
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static int64_t shift_ms;

static void read_shift(void) {
    const char *text = environment("WEIGHTFS_TEST_CLOCK_OFFSET_MS");
    int64_t shift = text ? strtoll(text, NULL, 10) : 0;
    /* Within thirty years, and never to before the machine's start: 0 is no time. */
    int64_t most = INT64_C(30) * 365 * 24 * 3600 * 1000;
    int64_t least = 1 - (int64_t)(real_ns(CLOCK_MONOTONIC) / NS_PER_MS);
    shift_ms = shift > most ? most : shift < least ? least : shift;
}

static int64_t shift(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_shift);
    return shift_ms;
}

uint64_t clock_ns(void) {
    return real_ns(CLOCK_MONOTONIC) + (uint64_t)shift() * NS_PER_MS;
}

uint64_t clock_ms(void) {
    return clock_ns() / NS_PER_MS;
}

int64_t clock_wall_ms(void) {
    return (int64_t)(real_ns(CLOCK_REALTIME) / NS_PER_MS) + shift();
}

const char *clock_stamp(char to[static CLOCK_STAMP_SIZE], int64_t wall_ms) {
    time_t seconds = (time_t)((wall_ms < 0 ? 0 : wall_ms > LAST_MS ? LAST_MS : wall_ms) / (int64_t)MS_PER_S);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(to, CLOCK_STAMP_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return to;
}

/* `pattern` is text in which each run of '0' stands for as many digits; what they say goes to `to`, run by
 * run. */
static const char *read_digits(const char *text, const char *pattern, int *to) {
    int value = 0;
    for (; *pattern; pattern++, text++) {
        if (*pattern != '0' ? *text != *pattern : !isdigit((unsigned char)*text))
            return NULL;
        if (*pattern == '0')
            value = value * 10 + (*text - '0');
        if (*pattern == '0' && pattern[1] != '0') {
            *to++ = value;
            value = 0;
        }
    }
    return text;
}

/* ".123456" to 123; none is 0. */
static const char *read_fraction(const char *text, int *ret_ms) {
    int ms = 0;
    if (*text == '.') {
        int scale = 100;
        if (!isdigit((unsigned char)*++text))
            return NULL;
        for (; isdigit((unsigned char)*text); text++, scale /= 10)
            ms += (*text - '0') * scale;
    }
    *ret_ms = ms;
    return text;
}

/* "Z", "+02:00" or "-0730", to the text's end. */
static int read_zone(const char *text, int *ret_minutes) {
    int parts[2];
    if (!strcmp(text, "Z") || !strcmp(text, "z")) {
        *ret_minutes = 0;
        return 0;
    }
    if (*text != '+' && *text != '-')
        return -EINVAL;
    const char *end = read_digits(text + 1, "00:00", parts);
    end = end ? end : read_digits(text + 1, "0000", parts);
    if (end && end == text + 5) { /* one run of four digits is one number */
        parts[1] = parts[0] % 100;
        parts[0] /= 100;
    }
    if (!end || *end || parts[0] > 23 || parts[1] > 59)
        return -EINVAL;
    *ret_minutes = (*text == '-' ? -1 : 1) * (parts[0] * 60 + parts[1]);
    return 0;
}

int clock_parse(const char *text, int64_t *ret_wall_ms) {
    enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, PARTS };
    int parts[PARTS];
    int ms, zone;
    const char *at = read_digits(text, "0000-00-00", parts);
    if (!at || (*at != 'T' && *at != 't' && *at != ' '))
        return -EINVAL;
    at = read_digits(at + 1, "00:00:00", parts + HOUR);
    at = at ? read_fraction(at, &ms) : NULL;
    if (!at || read_zone(at, &zone))
        return -EINVAL;
    if (parts[HOUR] > 23 || parts[MINUTE] > 59 || parts[SECOND] > 60) /* 60: a leap second */
        return -EINVAL;
    struct tm day = {.tm_year = parts[YEAR] - 1900, .tm_mon = parts[MONTH] - 1, .tm_mday = parts[DAY]};
    time_t midnight = timegm(&day);
    /* timegm turns the 31st of June into the 1st of July: then it was no date. */
    if (day.tm_mday != parts[DAY] || day.tm_mon != parts[MONTH] - 1 || day.tm_year != parts[YEAR] - 1900)
        return -EINVAL;
    int64_t seconds = (int64_t)midnight + parts[HOUR] * 3600 + (parts[MINUTE] - zone) * 60 + parts[SECOND];
    *ret_wall_ms = seconds * (int64_t)MS_PER_S + ms;
    return 0;
}

/* splitmix64: good enough to spread retries, and no system call each time. */
static uint64_t random_next(void) {
    static _Thread_local uint64_t state;
    if (!state && (getrandom(&state, sizeof state, GRND_NONBLOCK) != sizeof state || !state))
        state = real_ns(CLOCK_MONOTONIC) ^ (uint64_t)(uintptr_t)&state;
    uint64_t mixed = state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

uint32_t random_below(uint32_t bound) {
    return (uint32_t)((random_next() >> 32) * bound >> 32);
}

uint64_t backoff_ms(unsigned attempt, uint64_t base_ms, uint64_t cap_ms) {
    uint64_t middle = attempt < 63 && base_ms <= cap_ms >> attempt ? base_ms << attempt : cap_ms;
    middle = middle < UINT32_MAX ? middle : UINT32_MAX;
    uint64_t most = middle + middle / 2 < cap_ms ? middle + middle / 2 : cap_ms;
    uint64_t least = middle / 2;
    if (most <= least)
        return most;
    uint64_t range = most - least + 1;
    return least + random_below(range < UINT32_MAX ? (uint32_t)range : UINT32_MAX);
}

static char boot[BOOT_ID_SIZE];

static void read_boot_id(void) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    size_t len = 0;
    if (!path_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &text))
        for (const char *at = text.data; *at && len < 32; at++)
            if (isxdigit((unsigned char)*at))
                boot[len++] = *at;
    /* Not known: an id of this process alone. What it wrote is then not believed by the next one, which is
     * safe. */
    if (len < 32)
        snprintf(boot, sizeof boot, "%016llx%016llx", (unsigned long long)random_next(),
            (unsigned long long)random_next());
}

const char *boot_id(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_boot_id);
    return boot;
}

void clock_pause(unsigned ms) {
    (void)poll(NULL, 0, (int)ms); /* woken early: the caller tries once more, that is all */
}
