/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_STORE_WINDOW_H
#define WEIGHTFS_STORE_WINDOW_H

/*
 * Read-ahead: which bytes a reader will want next. A blob has a few streams (cursors), so that several
 * readers, or one that reads several tensors in turn, each count as sequential. A stream that has consumed
 * n bytes in order may be so many times n ahead, so that what is fetched in vain is bounded by what was
 * used; a far seek begins a new stream without any read-ahead. Pure functions on plain data.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WINDOW_HEAD_BYTES (1u << 20) /* at a file's beginning: headers are read there, of every format */
#define WINDOW_FACTOR     4          /* how much may be on its way for each byte consumed */
/* Who began at the file's beginning and has read past its head mostly reads all of it: at least this much. */
#define WINDOW_FROM_START_BYTES (16u << 20)
#define WINDOW_MOST_BYTES       ((uint64_t)1 << 30)
/* How far out of order a sequential reader's requests may come (kernel read-ahead, several threads). */
#define WINDOW_SLACK_BYTES (2u << 20)

struct stream {
    uint64_t next;     /* the end of what was asked for */
    uint64_t consumed; /* in order so far */
    uint64_t window;   /* bytes behind `next` that should be on their way */
    uint64_t used_ms;  /* 0: free */
    bool from_start;   /* it began at byte 0 */
};

/* Notes a read; the stream it belongs to. */
struct stream *window_note(struct stream *streams, size_t count, uint64_t offset, uint64_t length,
    uint64_t now_ms);
/* Is `offset` wanted by some stream? */
bool window_covers(const struct stream *streams, size_t count, uint64_t offset);

#endif
