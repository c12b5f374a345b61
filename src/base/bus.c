/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bus.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/lock.h"
#include "base/log.h"

enum { MOST_LISTENERS = 8 };

static struct {
    bus_listener call;
    void *context;
} listeners[MOST_LISTENERS];
static atomic_size_t count; /* raised when the listener is whole: some may publish while others still begin */

void bus_listen(bus_listener listener, void *context) {
    if (count == MOST_LISTENERS) { /* our own mistake: who listens is written in the program */
        log_error("bus: more than %d listeners", MOST_LISTENERS);
        abort();
    }
    listeners[count].call = listener;
    listeners[count].context = context;
    count++;
}

void bus_publish(const struct news *news) {
    lock_assert_none();
    for (size_t i = 0; i < count; i++)
        listeners[i].call(listeners[i].context, news);
}

void bus_reset(void) {
    count = 0;
}
