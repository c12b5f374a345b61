/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_OUTSIDE_ARCHIVE_H
#define WEIGHTFS_OUTSIDE_ARCHIVE_H

/*
 * What is compressed, read as it is decompressed (the door to libarchive). Everything read here is hostile:
 * only the few formats named below are switched on, nothing is written anywhere, and how much is read is up
 * to the caller. One thread at a time.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct unpacked;

enum unpacked_form {
    UNPACKED_ZIP_MEMBER, /* the bytes begin with the local header of a zip's member: that member */
    UNPACKED_STREAM,     /* gzip, bzip2, xz, lzma or zstd */
};

/* Gives the number of bytes, less than `size` only at the end of the file, or a negative error. */
typedef ssize_t unpacked_read_at(void *context, void *to, size_t size, uint64_t offset);

/* Begins at byte `from` of a file of `end` bytes. -ERR_ANSWER: not of that form, encrypted, or damaged, with
 * the reason; else what read_at failed with. */
int unpacked_open(enum unpacked_form form, unpacked_read_at *read_at, void *context, uint64_t from,
    uint64_t end, struct unpacked **ret_unpacked, struct reason *reason);
/* The next bytes; 0 at the end; errors as above. */
ssize_t unpacked_read(struct unpacked *unpacked, void *to, size_t size, struct reason *reason);
void unpacked_free(struct unpacked *unpacked); /* NULL is allowed */

#endif
