/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pickle.h"

#include <string.h>

#include "model/unpacked_reader.h"

static const unsigned PICKLES_MAX = 1000;

/* What torch.save wrote before 1.6: a number that names the format, its version, the machine, the object, the
 * keys of the storages; then the storages, which are no pickles. */
static const uint8_t OLD_TORCH[] = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8,
    0x50, 0x19, 0x2e};
static const unsigned OLD_TORCH_PICKLES = 5;

static void judge(const struct pickle_sight *sight, bool is_sure, struct findings *findings) {
    if (sight->broke && !sight->stops && sight->imports)
        findings_add(findings, FINDING_DANGER,
            "after imports it can't be followed beyond byte %llu: what comes there was not looked at",
            (unsigned long long)sight->at);
    else if (sight->broke && !sight->stops && is_sure)
        findings_add(findings, FINDING_ERROR, "no whole pickle: it can't be followed beyond byte %llu",
            (unsigned long long)sight->at);
    else if (sight->broke && sight->stops)
        findings_add(findings, FINDING_NOTE, "what follows the pickle at byte %llu is none",
            (unsigned long long)sight->at);
    if (sight->harmless)
        findings_add(findings, FINDING_NOTE, "a pickle with %llu imports, %llu of them known to be harmless",
            (unsigned long long)sight->imports, (unsigned long long)sight->harmless);
}

int pickle_check(const struct format_reader *reader, uint64_t from, unsigned most, bool is_sure,
    struct findings *findings) {
    struct pickle_sight sight;
    int error = pickle_follow(reader, from, most, &sight, findings);
    if (!error)
        judge(&sight, is_sure, findings);
    return error;
}

/* ---- compressed ones (joblib, and everybody's own) */

static bool begins(const uint8_t *head, size_t len, const char *magic, size_t magic_len) {
    return len >= magic_len && !memcmp(head, magic, magic_len);
}

static int check_compressed(const struct format_reader *reader, struct findings *findings) {
    struct unpacked_reader unpacked;
    int error = unpacked_reader_open(&unpacked, UNPACKED_STREAM, reader, 0, reader->size);
    if (!error)
        error = pickle_check(&unpacked.reader, 0, PICKLES_MAX, true, findings);
    if (error && !unpacked.outer_error) {
        findings_add(findings, FINDING_DANGER, "compressed, and can't be unpacked to be looked at: %s",
            err_text(&unpacked.reason, error));
        error = 0;
    }
    unpacked_reader_done(&unpacked);
    return error;
}

static const struct {
    const char *name, *magic;
    size_t len;
    int (
        *check)(const struct format_reader *reader, struct findings *findings); /* NULL: can't be looked at */
} DISGUISES[] = {
    {"gzip", "\x1f\x8b", 2, check_compressed},
    {"bzip2", "BZh", 3, check_compressed},
    {"xz",
        "\xfd"
        "7zXZ",
        5, check_compressed},
    {"zstd", "\x28\xb5\x2f\xfd", 4, check_compressed},
    {"lzma", "\x5d\x00\x00", 3, check_compressed},
    {"zlib", "\x78\x01", 2, NULL},
    {"zlib", "\x78\x5e", 2, NULL},
    {"zlib", "\x78\x9c", 2, NULL},
    {"zlib", "\x78\xda", 2, NULL},
    {"lz4", "\x04\x22\x4d\x18", 4, NULL},
    {"7z", "7z\xbc\xaf\x27\x1c", 6, NULL},
    {"rar", "Rar!", 4, NULL},
};

static int check_tar(const struct format_reader *reader, struct findings *findings, bool *ret_is_tar) {
    char magic[5] = "";
    ssize_t got = reader->size >= 512 ? reader->read_at(reader->context, magic, sizeof magic, 257) : 0;
    *ret_is_tar = got == sizeof magic && !memcmp(magic, "ustar", sizeof magic);
    if (*ret_is_tar)
        findings_add(findings, FINDING_DANGER,
            "a tar archive, which old versions of torch load: its pickles were not looked at");
    return got < 0 ? (int)got : 0;
}

/* Old pickles have no magic: what can be followed to its end is one. What can't, and imports nothing, is
 * data. */
static int check_any(const struct format_reader *reader, struct findings *findings) {
    struct findings FINDINGS_CLEANUP own = FINDINGS_INIT;
    struct pickle_sight sight;
    bool is_tar = false;
    int error = check_tar(reader, findings, &is_tar);
    if (error || is_tar)
        return error;
    error = pickle_follow(reader, 0, PICKLES_MAX, &sight, &own);
    if (error)
        return error;
    if (sight.broke && !sight.stops && !sight.imports) {
        findings_add(findings, FINDING_WARNING,
            "not a pickle, nor anything else that is known: raw data, or a format of its own");
        return 0;
    }
    findings_move(findings, &own, "");
    judge(&sight, true, findings);
    return 0;
}

int format_check_pickle(const struct format_reader *reader, struct findings *findings) {
    uint8_t head[sizeof OLD_TORCH];
    size_t wanted = reader->size < sizeof head ? (size_t)reader->size : sizeof head;
    ssize_t got = wanted ? reader->read_at(reader->context, head, wanted, 0) : 0;
    if (got < 0)
        return (int)got;
    for (size_t i = 0; i < sizeof DISGUISES / sizeof *DISGUISES; i++) {
        if (!begins(head, (size_t)got, DISGUISES[i].magic, DISGUISES[i].len))
            continue;
        if (DISGUISES[i].check)
            return DISGUISES[i].check(reader, findings);
        findings_add(findings, FINDING_DANGER,
            "%s, which can't be looked into here: what it holds may be a pickle", DISGUISES[i].name);
        return 0;
    }
    if ((size_t)got == sizeof OLD_TORCH && !memcmp(head, OLD_TORCH, sizeof head))
        return pickle_check(reader, 0, OLD_TORCH_PICKLES, true, findings);
    if (got && head[0] == 0x80)
        return pickle_check(reader, 0, PICKLES_MAX, true, findings);
    return check_any(reader, findings);
}
