/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TESTS_FUZZ_FORMAT_FUZZ_H
#define WEIGHTFS_TESTS_FUZZ_FORMAT_FUZZ_H

/*
 * What fuzz targets of file formats share: the bytes as a file, and what must hold of every check. The first
 * byte chooses where reads begin to fail (0: nowhere).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/format.h"

struct fuzz_file {
    const uint8_t *data;
    size_t size;
    uint64_t broken_at;
};

static inline void must(bool held) {
    if (!held)
        abort();
}

static inline ssize_t fuzz_read_at(void *context, void *to, size_t size, uint64_t offset) {
    const struct fuzz_file *file = context;
    must(size > 0 && offset + size >= offset);
    if (file->broken_at && offset + size > file->broken_at)
        return -EIO;
    if (offset >= file->size)
        return 0;
    size = size < file->size - offset ? size : file->size - (size_t)offset;
    memcpy(to, file->data + offset, size);
    return (ssize_t)size;
}

static inline void check_finding(const struct finding *finding) {
    size_t len = strlen(finding->text);
    must(len > 0 && len <= FINDING_TEXT_MAX);
    for (size_t at = 0, step; at < len; at += step) {
        step = utf8_char(finding->text + at, len - at);
        must(step && (uint8_t)finding->text[at] >= ' ');
    }
}

static inline int fuzz_format(int (*check)(const struct format_reader *, struct findings *),
    const uint8_t *data, size_t size) {
    if (!size)
        return 0;
    struct fuzz_file file = {data + 1, size - 1, data[0] * 16u};
    struct format_reader reader = {fuzz_read_at, &file, size - 1};
    struct findings findings = FINDINGS_INIT;
    int error = check(&reader, &findings);
    must(error == 0 || (error == -EIO && file.broken_at));
    must(findings.count <= FINDINGS_MAX);
    for (size_t i = 0; i < findings.count; i++)
        check_finding(&findings.items[i]);
    findings_done(&findings);
    return 0;
}

#endif
