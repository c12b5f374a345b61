/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of whole lines: position p is at ring[p % size]. Lines that are overwritten leave as a
 * whole, so that `begin` is always the start of one. */

#include "manage/internal.h"

#include <stdlib.h>
#include <string.h>

void events_init(struct events *events) {
    lock_init(&events->lock, LOCK_QUEUE);
    events->ring = mem_new(EVENTS_RING_BYTES);
}

void events_done(struct events *events) {
    free(events->ring);
    lock_done(&events->lock);
}

static size_t copy_out(const struct events *events, uint64_t position, void *data, size_t size) {
    size_t at = position % EVENTS_RING_BYTES;
    size_t first = size < EVENTS_RING_BYTES - at ? size : EVENTS_RING_BYTES - at;
    memcpy(data, events->ring + at, first);
    memcpy((char *)data + first, events->ring, size - first);
    return size;
}

static void copy_in(struct events *events, const char *data, size_t size) {
    size_t at = events->end % EVENTS_RING_BYTES;
    size_t first = size < EVENTS_RING_BYTES - at ? size : EVENTS_RING_BYTES - at;
    memcpy(events->ring + at, data, first);
    memcpy(events->ring, data + first, size - first);
    events->end += size;
}

static void drop_line(struct events *events) {
    while (events->begin < events->end && events->ring[events->begin++ % EVENTS_RING_BYTES] != '\n')
        continue;
}

void events_add(struct manage *manage, const char *event, const char *model, const char *more) {
    struct events *events = &manage->events;
    struct buf line BUF_CLEANUP = BUF_INIT;
    char stamp[CLOCK_STAMP_SIZE];
    /* No limit is set: none of these can fail. */
    (void)buf_format(&line, "{\"time\":\"%s\",\"event\":\"%s\"", clock_stamp(stamp, clock_wall_ms()), event);
    if (model) {
        (void)buf_text_add(&line, ",\"model\":");
        (void)buf_json_string(&line, model);
    }
    (void)buf_text_add(&line, more ? more : "");
    (void)buf_text_add(&line, "}\n");
    if (line.len > EVENTS_RING_BYTES / 4)
        return; /* our own texts are all far shorter */
    metric_add(&manage_metrics[MANAGE_EVENTS], 0, 1);
    lock_take(&events->lock);
    while (events->end + line.len - events->begin > EVENTS_RING_BYTES)
        drop_line(events);
    copy_in(events, buf_text(&line), line.len);
    lock_drop(&events->lock);
    bus_publish(&(struct news){.kind = NEWS_EVENT});
}

uint64_t events_begin(struct manage *manage) {
    LOCK_SCOPE(&manage->events.lock);
    return manage->events.begin;
}

uint64_t events_end(struct manage *manage) {
    LOCK_SCOPE(&manage->events.lock);
    return manage->events.end;
}

size_t events_read(struct manage *manage, uint64_t position, void *data, size_t size) {
    struct events *events = &manage->events;
    LOCK_SCOPE(&events->lock);
    if (position < events->begin)
        position = events->begin;
    if (position >= events->end)
        return 0;
    uint64_t left = events->end - position;
    return copy_out(events, position, data, size < left ? size : (size_t)left);
}
