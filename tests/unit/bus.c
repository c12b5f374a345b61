/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/bus.h"
#include "base/lock.h"

static char heard[64];

static void hear(void *context, const struct news *news) {
    size_t len = strlen(heard);
    snprintf(heard + len, sizeof heard - len, "%s%lld ", (const char *)context, (long long)news->id);
}

static void one_listener_too_many(void) {
    for (int i = 0; i < 7; i++)
        bus_listen(hear, "x");
}

#ifdef WEIGHTFS_FAULTS
static void publishing_under_a_lock(void) {
    struct lock lock;
    lock_init(&lock, LOCK_QUEUE);
    lock_take(&lock);
    bus_publish(&(struct news){.kind = NEWS_JOB});
}
#endif

int main(void) {
    bus_publish(&(struct news){.kind = NEWS_JOB, .id = 1});
    bus_listen(hear, "a");
    bus_listen(hear, "b");
    bus_publish(&(struct news){.kind = NEWS_JOB, .id = 2});
    bus_publish(&(struct news){.kind = NEWS_MODEL, .id = 3});
    CHECK_TEXT(heard, "a2 b2 a3 b3 ");
    CHECK_ABORTS(one_listener_too_many);
#ifdef WEIGHTFS_FAULTS
    CHECK_ABORTS(publishing_under_a_lock);
#endif
    bus_reset();
    bus_publish(&(struct news){.kind = NEWS_JOB, .id = 4});
    CHECK_TEXT(heard, "a2 b2 a3 b3 ");
    return check_result();
}
