/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_UNPACKED_READER_H
#define WEIGHTFS_MODEL_UNPACKED_READER_H

/*
 * A format_reader over what is compressed: for parsers that only go forwards (all of ours). What is skipped
 * is decompressed all the same, so there is a limit, beyond which reads answer -EFBIG.
 */

#include "model/format.h"
#include "outside/archive.h"

#define UNPACKED_MAX   (1ull << 30)
#define UNPACKED_BEGIN (128u << 10)

struct unpacked_reader {
    struct format_reader reader; /* its size is not known: UNPACKED_MAX */
    struct unpacked *unpacked;
    uint64_t at; /* how much was unpacked */
    char *begin;
    size_t begin_len;
    uint64_t limit;       /* UNPACKED_MAX, or what the owner of several allows */
    int outer_error;      /* of the reader below: the check has to hand it on */
    struct reason reason; /* why the compressed bytes could not be read */
};

int unpacked_reader_open(struct unpacked_reader *unpacked, enum unpacked_form form,
    const struct format_reader *below, uint64_t from, uint64_t end);
void unpacked_reader_done(struct unpacked_reader *unpacked);

#endif
