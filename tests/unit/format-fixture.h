/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TESTS_UNIT_FORMAT_FIXTURE_H
#define WEIGHTFS_TESTS_UNIT_FORMAT_FIXTURE_H

/* Files in memory for the parsers, made piece by piece, and what is to be found in them. */

#include <limits.h>

#include "base/buf.h"
#include "model/format.h"
#include "check.h"

/* Reads from a struct buf; fails with `broken_error` from byte `broken_at` on. */
struct memory {
    struct buf bytes;
    uint64_t broken_at;
    int broken_error;
    uint64_t read; /* bytes handed out */
};

static inline ssize_t memory_read_at(void *context, void *to, size_t size, uint64_t offset) {
    struct memory *memory = context;
    if (memory->broken_error && offset + size > memory->broken_at)
        return memory->broken_error;
    if (offset >= memory->bytes.len)
        return 0;
    size_t left = memory->bytes.len - (size_t)offset;
    size = size < left ? size : left;
    memcpy(to, memory->bytes.data + offset, size);
    memory->read += size;
    return (ssize_t)size;
}

static inline struct format_reader memory_reader(struct memory *memory) {
    return (struct format_reader){memory_read_at, memory, memory->bytes.len};
}

static inline void put(struct buf *bytes, const void *data, size_t len) {
    (void)buf_add(bytes, data, len);
}

static inline void put_number(struct buf *bytes, uint64_t number, size_t size) {
    for (size_t i = 0; i < size; i++, number >>= 8)
        put(bytes, &(uint8_t){(uint8_t)number}, 1);
}

static inline void put_zeros(struct buf *bytes, size_t count) {
    while (count--)
        put(bytes, "", 1);
}

/* What a check says of `bytes`: the worst finding's text (the first of them) behind its level: "error: …". */
static inline const char *said_of(enum file_format format, struct buf *bytes) {
    static char said[400];
    struct memory memory = {.bytes = *bytes};
    struct format_reader reader = memory_reader(&memory);
    struct findings FINDINGS_CLEANUP findings = FINDINGS_INIT;
    CHECK_OK(format_check(format, &reader, &findings));
    enum finding_level worst = findings_worst(&findings);
    *said = '\0';
    for (size_t i = findings.count; i-- > 0;)
        if (findings.items[i].level == worst)
            snprintf(said, sizeof said, "%s: %s", finding_level_name(worst), findings.items[i].text);
    buf_done(bytes);
    return said;
}

/* The worst finding begins with `wanted` ("" : no finding at all). */
static inline void check_said(enum file_format format, struct buf *bytes, const char *wanted,
    const char *what) {
    const char *said = said_of(format, bytes);
    if (!CHECK(*wanted ? !strncmp(said, wanted, strlen(wanted)) : !*said))
        fprintf(stderr, "    of     %s\n    is     %s\n    wanted %s\n", what, said, wanted);
}

/* However much of a file is there, a check ends, and says of all cut files that something is wrong. */
static inline void check_cut(enum file_format format, struct buf *bytes) {
    for (size_t len = 0; len < bytes->len; len++) {
        struct buf part = BUF_INIT;
        put(&part, bytes->data, len);
        const char *said = said_of(format, &part);
        if (!CHECK(!strncmp(said, "error", 5) || !strncmp(said, "danger", 6)))
            fprintf(stderr, "    cut to %zu: %s\n", len, said);
    }
    buf_done(bytes);
}

/* A failed read is handed on, wherever it happens, and then nothing is said of the file. */
static inline void check_broken(enum file_format format, struct buf *bytes, uint64_t until) {
    for (uint64_t at = 0; at < until; at++) {
        struct memory memory = {.bytes = *bytes, .broken_at = at, .broken_error = -EIO};
        struct format_reader reader = memory_reader(&memory);
        struct findings FINDINGS_CLEANUP findings = FINDINGS_INIT;
        CHECK_ERROR(format_check(format, &reader, &findings), -EIO);
        CHECK(!findings.count);
    }
    buf_done(bytes);
}

#endif
