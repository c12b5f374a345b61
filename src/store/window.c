/* SPDX-License-Identifier: Apache-2.0 */
#include "store/window.h"

static bool continues(const struct stream *stream, uint64_t offset) {
    uint64_t slack = stream->window > WINDOW_SLACK_BYTES ? stream->window : WINDOW_SLACK_BYTES;
    uint64_t least = stream->next > WINDOW_SLACK_BYTES ? stream->next - WINDOW_SLACK_BYTES : 0;
    return stream->used_ms && offset >= least && offset <= stream->next + (stream->consumed ? slack : 0);
}

static struct stream *find(struct stream *streams, size_t count, uint64_t offset) {
    struct stream *best = NULL;
    for (size_t i = 0; i < count; i++) {
        struct stream *stream = &streams[i];
        if (continues(stream, offset) && (!best || stream->next > best->next))
            best = stream;
    }
    return best;
}

static struct stream *oldest(struct stream *streams, size_t count) {
    struct stream *old = &streams[0];
    for (size_t i = 1; i < count; i++)
        if (streams[i].used_ms < old->used_ms)
            old = &streams[i];
    return old;
}

struct stream *window_note(struct stream *streams, size_t count, uint64_t offset, uint64_t length,
    uint64_t now_ms) {
    uint64_t end = offset + length;
    struct stream *stream = find(streams, count, offset);
    if (!stream) {
        stream = oldest(streams, count);
        *stream = (struct stream){.next = end, .from_start = !offset};
        if (!offset)
            stream->window = end < WINDOW_HEAD_BYTES ? WINDOW_HEAD_BYTES - end : 0;
    } else if (end > stream->next) {
        stream->consumed += end - stream->next;
        stream->next = end;
        uint64_t window = stream->consumed * WINDOW_FACTOR;
        if (stream->from_start && end < WINDOW_HEAD_BYTES && window < WINDOW_HEAD_BYTES - end)
            window = WINDOW_HEAD_BYTES - end; /* what was promised of the head stays: it is on its way */
        if (stream->from_start && end >= WINDOW_HEAD_BYTES && window < WINDOW_FROM_START_BYTES)
            window = WINDOW_FROM_START_BYTES;
        stream->window = window < WINDOW_MOST_BYTES ? window : WINDOW_MOST_BYTES;
    }
    stream->used_ms = now_ms ? now_ms : 1;
    return stream;
}

bool window_covers(const struct stream *streams, size_t count, uint64_t offset) {
    for (size_t i = 0; i < count; i++) {
        const struct stream *stream = &streams[i];
        uint64_t least = stream->next > WINDOW_SLACK_BYTES ? stream->next - WINDOW_SLACK_BYTES : 0;
        if (stream->used_ms && offset >= least && offset < stream->next + stream->window)
            return true;
    }
    return false;
}
