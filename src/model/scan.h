/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_SCAN_H
#define WEIGHTFS_MODEL_SCAN_H

/*
 * Going over a file forwards, byte by byte, through one small buffer. What can't be had (the end, or a failed
 * read) makes a step answer false; `error` tells a failed read (negative) from a file that is too short (0).
 * Numbers are little-endian. For one thread; nothing to be freed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/format.h"

#define SCAN_BUFFER 8192

struct scan {
    const struct format_reader *reader;
    uint64_t at;  /* of the next byte */
    uint64_t end; /* the first byte that is not ours: the size of the file, or less */
    int error;
    uint64_t buffer_at;
    size_t buffered;
    uint8_t buffer[SCAN_BUFFER];
};

void scan_init(struct scan *scan, const struct format_reader *reader, uint64_t from, uint64_t end);
/* Reads the part of the file that has the next byte; false when there is none. */
bool scan_fill(struct scan *scan);

static inline uint64_t scan_left(const struct scan *scan) {
    return scan->end - scan->at;
}

/* The next byte without taking it, or -1. */
static inline int scan_peek(struct scan *scan) {
    if (scan->at >= scan->end || (scan->at - scan->buffer_at >= scan->buffered && !scan_fill(scan)))
        return -1;
    return scan->buffer[scan->at - scan->buffer_at];
}

/* The next byte, or -1. */
static inline int scan_byte(struct scan *scan) {
    int byte = scan_peek(scan);
    scan->at += byte >= 0;
    return byte;
}

bool scan_bytes(struct scan *scan, void *to, size_t size);
bool scan_skip(struct scan *scan, uint64_t size); /* reads nothing */
/* `size` 1, 2, 4 or 8 bytes. */
bool scan_number(struct scan *scan, size_t size, uint64_t *ret_number);
bool scan_u32(struct scan *scan, uint32_t *ret_number);
bool scan_u64(struct scan *scan, uint64_t *ret_number);

#endif
