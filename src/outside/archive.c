/* SPDX-License-Identifier: Apache-2.0 */
#include "outside/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

#include "base/buf.h"

#define CHUNK 16384

struct unpacked {
    struct archive *archive;
    unpacked_read_at *read_at;
    void *context;
    uint64_t at, end;
    int error; /* of read_at */
    char chunk[CHUNK];
};

static la_ssize_t give(struct archive *archive, void *context, const void **ret_bytes) {
    struct unpacked *unpacked = context;
    uint64_t left = unpacked->end - unpacked->at;
    if (!left)
        return 0;
    ssize_t got = unpacked->read_at(unpacked->context, unpacked->chunk, left < CHUNK ? (size_t)left : CHUNK,
        unpacked->at);
    if (got < 0) {
        unpacked->error = (int)got;
        archive_set_error(archive, EIO, "a read failed");
        return ARCHIVE_FATAL;
    }
    unpacked->at += (uint64_t)got;
    *ret_bytes = unpacked->chunk;
    return got;
}

static int failed(const struct unpacked *unpacked, struct reason *reason) {
    if (unpacked->error)
        return unpacked->error;
    const char *text = archive_error_string(unpacked->archive);
    return err_because(reason, -ERR_ANSWER, "%s", text ? text : "it can't be unpacked");
}

static int choose_form(struct archive *archive, enum unpacked_form form) {
    if (form == UNPACKED_ZIP_MEMBER)
        return archive_read_support_format_zip_streamable(archive);
    /* Warnings say that a filter would run a program of the system: those are not taken. */
    int result = archive_read_support_format_raw(archive);
    if (archive_read_support_filter_gzip(archive) == ARCHIVE_WARN ||
        archive_read_support_filter_bzip2(archive) == ARCHIVE_WARN ||
        archive_read_support_filter_xz(archive) == ARCHIVE_WARN ||
        archive_read_support_filter_lzma(archive) == ARCHIVE_WARN ||
        archive_read_support_filter_zstd(archive) == ARCHIVE_WARN)
        return ARCHIVE_FATAL;
    return result;
}

int unpacked_open(enum unpacked_form form, unpacked_read_at *read_at, void *context, uint64_t from,
    uint64_t end, struct unpacked **ret_unpacked, struct reason *reason) {
    struct unpacked *unpacked = mem_new(sizeof *unpacked);
    struct archive_entry *entry;
    unpacked->read_at = read_at;
    unpacked->context = context;
    unpacked->at = from < end ? from : end;
    unpacked->end = end;
    unpacked->archive = archive_read_new();
    int error = unpacked->archive ? 0 : -ENOMEM;
    if (!error && (choose_form(unpacked->archive, form) != ARCHIVE_OK ||
                      archive_read_open(unpacked->archive, unpacked, NULL, give, NULL) != ARCHIVE_OK ||
                      archive_read_next_header(unpacked->archive, &entry) != ARCHIVE_OK))
        error = failed(unpacked, reason);
    if (!error && form == UNPACKED_STREAM && archive_filter_count(unpacked->archive) < 2)
        error = err_because(reason, -ERR_ANSWER, "it is damaged"); /* taken as it is, by no filter */
    if (!error && archive_entry_is_encrypted(entry) > 0)
        error = err_because(reason, -ERR_ANSWER, "it is encrypted");
    if (error) {
        unpacked_free(unpacked);
        return error;
    }
    *ret_unpacked = unpacked;
    return 0;
}

ssize_t unpacked_read(struct unpacked *unpacked, void *to, size_t size, struct reason *reason) {
    la_ssize_t got = archive_read_data(unpacked->archive, to, size);
    return got < 0 ? failed(unpacked, reason) : got;
}

void unpacked_free(struct unpacked *unpacked) {
    if (!unpacked)
        return;
    if (unpacked->archive)
        (void)archive_read_free(unpacked->archive); /* nothing was written: closing can't lose anything */
    free(unpacked);
}
