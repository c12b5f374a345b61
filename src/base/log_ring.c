/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log_ring.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/log.h"
#include "base/utf8.h"

static struct lock lock = {PTHREAD_MUTEX_INITIALIZER, LOCK_LOG};
static char lines[RING_LINES][RING_LINE_SIZE];
static atomic_uint added; /* lines so far; wraps around at a multiple of RING_LINES */

_Static_assert((RING_LINES & (RING_LINES - 1)) == 0, "the counter may wrap around");

void ring_add(const char *line, size_t len) {
    char cut[RING_LINE_SIZE];
    utf8_cut(cut, sizeof cut, line);
    len = len < sizeof cut ? len : strlen(cut);
    LOCK_SCOPE(&lock);
    unsigned at = atomic_load_explicit(&added, memory_order_relaxed);
    memcpy(lines[at % RING_LINES], cut, len + 1);
    atomic_store_explicit(&added, at + 1, memory_order_release);
}

/* Not instrumented: it runs in a crash, beside threads that go on, and may take no lock. */
__attribute__((no_sanitize("thread"))) void log_dump_ring(int fd) {
    unsigned end = atomic_load_explicit(&added, memory_order_acquire);
    for (unsigned i = 0; i < RING_LINES; i++) {
        const char *line = lines[(end + i) % RING_LINES];
        size_t len = 0;
        while (len < RING_LINE_SIZE && line[len])
            len++;
        if (!len)
            continue;
        (void)!write(fd, line, len); /* nobody is left who could be told */
        if (line[len - 1] != '\n')
            (void)!write(fd, "\n", 1);
    }
}
