/* SPDX-License-Identifier: Apache-2.0 */
/* Which range of one blob is asked for next, by class: what a reader waits for, what he will want, what a
 * pull lacks. */
#include <string.h>

#include "store/internal.h"

#define SEGMENT_LEAST_BYTES (2u << 20)
#define SEGMENT_LAST_BYTES  (4u << 20) /* towards the end: shorter ones would be mostly latency */
/* More at once would leave the first of the ranges under way, for which the reader and the hash wait, far
 * behind the others. */
#define SEGMENT_MOST_BYTES (32u << 20)
/* A reader does not wait for a range that has so much to go before it comes to its block. */
#define FAR_BYTES (4u << 20)

/* How much one connection is asked for: its share of what nobody was asked for yet before `limit`. So all
 * have something to do, shares become smaller towards the end, and the last ranges end together. */
static uint32_t segment_blocks(const struct blob *blob, uint32_t first, uint32_t limit) {
    uint32_t free_blocks = 0;
    for (uint32_t block = first; block < limit; block++)
        free_blocks += blob->blocks[block] == BLOCK_ABSENT;
    uint64_t bytes = (uint64_t)free_blocks * STORE_BLOCK_BYTES / store_connections(blob->store);
    uint64_t least = limit == blob->block_count ? SEGMENT_LAST_BYTES : SEGMENT_LEAST_BYTES;
    if (bytes < least)
        bytes = least;
    if (bytes > SEGMENT_MOST_BYTES)
        bytes = SEGMENT_MOST_BYTES;
    return (uint32_t)(bytes / STORE_BLOCK_BYTES);
}

static uint32_t run_end(const struct blob *blob, uint32_t first, uint32_t limit) {
    uint32_t end = first;
    while (end < limit && blob->blocks[end] == BLOCK_ABSENT)
        end++;
    return end;
}

static uint32_t block_limit(const struct blob *blob, uint64_t offset) {
    uint64_t block = (offset + STORE_BLOCK_BYTES - 1) / STORE_BLOCK_BYTES;
    return block < blob->block_count ? (uint32_t)block : blob->block_count;
}

static struct fetch *fetch_covering(struct blob *blob, uint32_t block) {
    list_each (at, &blob->fetches) {
        struct fetch *fetch = list_entry(at, struct fetch, link);
        if (fetch->first <= block && block < fetch->end)
            return fetch;
    }
    return NULL;
}

/* The first absent block in [from, to) that nobody fetches, or that is fetched too far behind; UINT32_MAX:
 * none. */
static uint32_t find_needed(struct blob *blob, uint32_t from, uint32_t to) {
    for (uint32_t block = from; block < to; block++) {
        if (blob->blocks[block] == BLOCK_ABSENT)
            return block;
        if (blob->blocks[block] != (BLOCK_ABSENT | BLOCK_FLIGHT))
            continue;
        struct fetch *fetch = fetch_covering(blob, block);
        if (fetch && !blob->no_ranges && (uint64_t)block * STORE_BLOCK_BYTES > fetch->at + FAR_BYTES) {
            fetch_cut_locked(fetch, block);
            return block;
        }
    }
    return UINT32_MAX;
}

static uint64_t window_at(const struct blob *blob, uint64_t offset) {
    uint64_t window = 0;
    for (size_t i = 0; i < BLOB_STREAMS; i++)
        if (window_covers(&blob->streams[i], 1, offset) && blob->streams[i].window > window)
            window = blob->streams[i].window;
    return window;
}

static bool pick_reader(struct blob *blob, uint32_t *ret_first, uint32_t *ret_end) {
    bool whole = blob_is_strict(blob) || blob->block_count <= SEGMENT_LEAST_BYTES / STORE_BLOCK_BYTES / 2;
    list_each (at, &blob->waiters) {
        struct wait *wait = list_entry(at, struct wait, link);
        uint32_t from = whole ? 0 : (uint32_t)(wait->number / STORE_BLOCK_BYTES);
        uint32_t to = whole ? blob->block_count : block_limit(blob, wait->number + wait->length);
        uint32_t first = find_needed(blob, from, to);
        if (first == UINT32_MAX)
            continue;
        uint64_t window = window_at(blob, (uint64_t)to * STORE_BLOCK_BYTES);
        uint32_t limit = to;
        if (whole || window) {
            uint32_t ahead = whole ? to : block_limit(blob, (uint64_t)to * STORE_BLOCK_BYTES + window);
            uint32_t segment = segment_blocks(blob, first, ahead);
            limit = ahead < first + segment ? ahead : first + segment;
            limit = limit > to || whole ? limit : to;
        }
        *ret_first = first;
        *ret_end = run_end(blob, first, limit);
        return true;
    }
    return false;
}

static bool pick_between(struct blob *blob, uint32_t from, uint32_t to, uint32_t *ret_first,
    uint32_t *ret_end) {
    const uint8_t *found = from < to ? memchr(blob->blocks + from, BLOCK_ABSENT, to - from) : NULL;
    if (!found)
        return false;
    uint32_t first = (uint32_t)(found - blob->blocks), segment = segment_blocks(blob, first, to);
    *ret_first = first;
    *ret_end = run_end(blob, first, to - first < segment ? to : first + segment);
    return true;
}

static bool pick_ahead(struct blob *blob, uint32_t *ret_first, uint32_t *ret_end) {
    for (size_t i = 0; i < BLOB_STREAMS && blob->users; i++) {
        const struct stream *stream = &blob->streams[i];
        uint32_t from = (uint32_t)(stream->next / STORE_BLOCK_BYTES);
        uint32_t to = block_limit(blob, stream->next + stream->window);
        if (stream->window && pick_between(blob, from, to, ret_first, ret_end))
            return true;
    }
    return false;
}

static bool pick_pull(struct blob *blob, uint32_t *ret_first, uint32_t *ret_end) {
    return blob->wants && pick_between(blob, 0, blob->block_count, ret_first, ret_end);
}

static bool (*const PICKS[FETCH_CLASSES])(struct blob *, uint32_t *, uint32_t *) = {
    [FETCH_READER] = pick_reader,
    [FETCH_AHEAD] = pick_ahead,
    [FETCH_PULL] = pick_pull,
};

bool pick_range_locked(struct blob *blob, enum fetch_class class, uint32_t *ret_first, uint32_t *ret_end) {
    lock_assert(&blob->lock);
    if (!PICKS[class](blob, ret_first, ret_end))
        return false;
    if (blob->no_ranges) { /* all of it comes anyway */
        *ret_first = 0;
        *ret_end = blob->block_count;
    }
    return true;
}
