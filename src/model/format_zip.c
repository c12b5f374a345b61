/* SPDX-License-Identifier: Apache-2.0 */
#include "model/zip.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "model/pickle.h"
#include "model/unpacked_reader.h"

struct look {
    const struct format_reader *reader;
    struct findings *findings;
    uint64_t budget; /* of unpacked bytes, over all members */
};

/* ---- a stored member as a file of its own */

struct part {
    const struct format_reader *below;
    uint64_t from;
};

static ssize_t part_read_at(void *context, void *to, size_t size, uint64_t offset) {
    const struct part *part = context;
    return part->below->read_at(part->below->context, to, size, part->from + offset);
}

/* ---- looking into one */

/* By its name a pickle, or what may be one: torch keeps its tensors' bytes beside it as "data/0" and the
 * like. */
static bool is_pickle_by_name(const char *name) {
    static const char *const SUFFIXES[] = {".pkl", ".pickle", ".joblib", ".dill"};
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof SUFFIXES / sizeof *SUFFIXES; i++) {
        size_t suffix_len = strlen(SUFFIXES[i]);
        if (len >= suffix_len && !strcasecmp(name + len - suffix_len, SUFFIXES[i]))
            return true;
    }
    return false;
}

static int check_content(const struct format_reader *reader, const char *name, struct findings *findings) {
    uint8_t head[FORMAT_HEAD];
    size_t wanted = reader->size < sizeof head ? (size_t)reader->size : sizeof head;
    ssize_t got = wanted ? reader->read_at(reader->context, head, wanted, 0) : 0;
    bool is_sure = is_pickle_by_name(name);
    if (got < 0)
        return (int)got;
    enum file_format format = format_of_bytes(head, (size_t)got, reader->size);
    if (format == FORMAT_NUMPY)
        return format_check_numpy(reader, findings);
    if (format == FORMAT_ZIP)
        findings_add(findings, FINDING_WARNING, "a zip archive within the archive: it was not looked into");
    if (format == FORMAT_PICKLE || is_sure)
        return pickle_check(reader, 0, 1000, is_sure, findings);
    return 0;
}

static int look_into_stored(const struct look *look, const struct zip_member *member,
    struct findings *findings) {
    struct part part = {look->reader, member->data_at};
    struct format_reader reader = {part_read_at, &part, member->data_end - member->data_at};
    return check_content(&reader, member->name, findings);
}

static int look_into_packed(struct look *look, const struct zip_member *member, struct findings *findings) {
    struct unpacked_reader unpacked;
    int error = unpacked_reader_open(&unpacked, UNPACKED_ZIP_MEMBER, look->reader, member->header_at,
        look->reader->size);
    unpacked.limit = look->budget;
    if (!error)
        error = check_content(&unpacked.reader, member->name, findings);
    if (error && !unpacked.outer_error)
        findings_add(findings, FINDING_DANGER, "can't be unpacked to be looked at: %s",
            err_text(&unpacked.reason, error));
    look->budget -= unpacked.at < look->budget ? unpacked.at : look->budget;
    unpacked_reader_done(&unpacked);
    return unpacked.outer_error;
}

static int look_into(void *context, const struct zip_member *member) {
    struct look *look = context;
    FINDINGS_CLEANUP struct findings own = FINDINGS_INIT;
    char prefix[ZIP_NAME_MAX + 3];
    int error = 0;
    if (member->data_end == member->data_at)
        return 0;
    if (member->is_encrypted)
        findings_add(&own, FINDING_DANGER, "is encrypted, and was not looked into");
    else if (member->method == ZIP_STORED)
        error = look_into_stored(look, member, &own);
    else
        error = look_into_packed(look, member, &own);
    snprintf(prefix, sizeof prefix, "%s: ", member->name);
    if (!error)
        findings_move(look->findings, &own, prefix);
    return error;
}

int format_check_zip(const struct format_reader *reader, struct findings *findings) {
    struct look look = {.reader = reader, .findings = findings, .budget = UNPACKED_MAX};
    return zip_walk(reader, look_into, &look, findings);
}
