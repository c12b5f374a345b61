/* SPDX-License-Identifier: Apache-2.0 */
#include "model/scan.h"

#include <string.h>

void scan_init(struct scan *scan, const struct format_reader *reader, uint64_t from, uint64_t end) {
    scan->reader = reader;
    scan->end = end < reader->size ? end : reader->size;
    scan->at = from < scan->end ? from : scan->end;
    scan->error = 0;
    scan->buffer_at = 0;
    scan->buffered = 0;
}

bool scan_fill(struct scan *scan) {
    if (scan->error || scan->at >= scan->end)
        return false;
    uint64_t left = scan_left(scan);
    ssize_t got = scan->reader->read_at(scan->reader->context, scan->buffer,
        left < SCAN_BUFFER ? (size_t)left : SCAN_BUFFER, scan->at);
    if (got < 0)
        scan->error = (int)got;
    if (got <= 0) /* 0: shorter than it was said to be */
        return false;
    scan->buffer_at = scan->at;
    scan->buffered = (size_t)got;
    return true;
}

bool scan_bytes(struct scan *scan, void *to, size_t size) {
    uint8_t *next = to;
    if (size > scan_left(scan))
        return false;
    while (size) {
        if (scan_peek(scan) < 0)
            return false;
        size_t offset = (size_t)(scan->at - scan->buffer_at);
        size_t part = scan->buffered - offset < size ? scan->buffered - offset : size;
        memcpy(next, scan->buffer + offset, part);
        next += part;
        size -= part;
        scan->at += part;
    }
    return true;
}

bool scan_skip(struct scan *scan, uint64_t size) {
    if (size > scan_left(scan))
        return false;
    scan->at += size;
    return true;
}

bool scan_number(struct scan *scan, size_t size, uint64_t *ret_number) {
    uint8_t bytes[8];
    uint64_t number = 0;
    if (!scan_bytes(scan, bytes, size))
        return false;
    for (size_t i = size; i-- > 0;)
        number = number << 8 | bytes[i];
    *ret_number = number;
    return true;
}

bool scan_u32(struct scan *scan, uint32_t *ret_number) {
    uint64_t number;
    if (!scan_number(scan, 4, &number))
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

bool scan_u64(struct scan *scan, uint64_t *ret_number) {
    return scan_number(scan, 8, ret_number);
}
