/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_ZIP_H
#define WEIGHTFS_MODEL_ZIP_H

/*
 * The structure of a zip archive (PKWARE, APPNOTE.TXT; ZIP64 too). An archive says everything twice, in a
 * directory at its end and before each member; programs differ in what they believe, and so a member can be
 * hidden from one and shown to another. Here both are read and compared. Contents are not.
 */

#include <stdbool.h>
#include <stdint.h>

#include "model/finding.h"
#include "model/format.h"

#define ZIP_MEMBERS_MAX 65536
#define ZIP_NAME_MAX    255 /* bytes kept of a name */

enum { ZIP_STORED = 0, ZIP_DEFLATED = 8 };

struct zip_member {
    char name[ZIP_NAME_MAX + 1];
    uint64_t header_at, data_at, data_end; /* in the archive; data_end as the directory says it */
    uint32_t crc;
    uint16_t method;
    bool is_encrypted;
};

/* Shows each member, as found before its data. What is contradictory becomes findings (danger). 0; a failed
 * read's error; or what `visit` answered, when negative. */
int zip_walk(const struct format_reader *reader, int (*visit)(void *context, const struct zip_member *member),
    void *context, struct findings *findings);

#endif
