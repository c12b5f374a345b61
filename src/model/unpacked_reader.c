/* SPDX-License-Identifier: Apache-2.0 */
#include "model/unpacked_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static bool is_own_error(ssize_t error) {
    return error == -ERR_ANSWER || error == -EFBIG;
}

/* Less than `size` at the end only. */
static ssize_t read_on(struct unpacked_reader *unpacked, char *to, size_t size) {
    size_t filled = 0;
    while (filled < size) {
        if (unpacked->at >= unpacked->limit)
            return -EFBIG;
        ssize_t got = unpacked_read(unpacked->unpacked, to + filled, size - filled, &unpacked->reason);
        if (got < 0) {
            unpacked->outer_error = is_own_error(got) ? 0 : (int)got;
            return got;
        }
        if (!got)
            break;
        unpacked->at += (uint64_t)got;
        filled += (size_t)got;
    }
    return (ssize_t)filled;
}

static ssize_t read_at(void *context, void *to, size_t size, uint64_t offset) {
    struct unpacked_reader *unpacked = context;
    char skipped[4096];
    size_t kept = 0;
    if (!unpacked->begin) {
        unpacked->begin = mem_new(UNPACKED_BEGIN);
        ssize_t got = read_on(unpacked, unpacked->begin, UNPACKED_BEGIN);
        if (got < 0)
            return got;
        unpacked->begin_len = (size_t)got;
    }
    if (offset < unpacked->begin_len) {
        kept = unpacked->begin_len - (size_t)offset < size ? unpacked->begin_len - (size_t)offset : size;
        memcpy(to, unpacked->begin + offset, kept);
        offset += kept;
    }
    if (kept == size || unpacked->begin_len < UNPACKED_BEGIN)
        return (ssize_t)kept;
    if (offset < unpacked->at)
        return -ESPIPE;
    while (unpacked->at < offset) {
        uint64_t left = offset - unpacked->at;
        ssize_t got = read_on(unpacked, skipped, left < sizeof skipped ? (size_t)left : sizeof skipped);
        if (got <= 0)
            return got;
    }
    ssize_t got = read_on(unpacked, (char *)to + kept, size - kept);
    return got < 0 ? got : got + (ssize_t)kept;
}

int unpacked_reader_open(struct unpacked_reader *unpacked, enum unpacked_form form,
    const struct format_reader *below, uint64_t from, uint64_t end) {
    *unpacked = (struct unpacked_reader){.reader = {read_at, unpacked, UNPACKED_MAX}, .limit = UNPACKED_MAX};
    int error = unpacked_open(form, below->read_at, below->context, from, end, &unpacked->unpacked,
        &unpacked->reason);
    if (error && !is_own_error(error))
        unpacked->outer_error = error;
    return error;
}

void unpacked_reader_done(struct unpacked_reader *unpacked) {
    unpacked_free(unpacked->unpacked);
    free(unpacked->begin);
    unpacked->unpacked = NULL;
    unpacked->begin = NULL;
}
