/* SPDX-License-Identifier: Apache-2.0 */
#include "model/zip.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/scan.h"

enum { END_SIZE = 22, LOCATOR_SIZE = 20, END64_SIZE = 56, ENTRY_SIZE = 46, LOCAL_SIZE = 30 };
static const uint32_t END_MAGIC = 0x06054b50, LOCATOR_MAGIC = 0x07064b50, END64_MAGIC = 0x06064b50,
                      ENTRY_MAGIC = 0x02014b50, LOCAL_MAGIC = 0x04034b50;
static const uint16_t FLAG_ENCRYPTED = 1, FLAG_LATER = 8; /* sizes and checksum stand behind the data */
static const uint64_t DESCRIPTOR_MAX = 24;                /* that stands behind the data then */

struct entry {
    uint64_t at, size; /* of the local header; of the packed data */
    uint64_t name_hash;
    uint32_t crc;
    uint16_t flags, method;
};

struct walk {
    const struct format_reader *reader;
    struct findings *findings;
    int (*visit)(void *context, const struct zip_member *member);
    void *context;
    struct entry *entries;
    size_t count;
    uint64_t directory_at, directory_end, directory_count;
    int error;
};

#define DANGER(walk, ...) (findings_add((walk)->findings, FINDING_DANGER, __VA_ARGS__), false)
#define REFUSE(walk, ...) (findings_add((walk)->findings, FINDING_ERROR, __VA_ARGS__), false)

static uint64_t number_at(const uint8_t *bytes, size_t size) {
    uint64_t number = 0;
    for (size_t i = size; i-- > 0;)
        number = number << 8 | bytes[i];
    return number;
}

static uint64_t hash_of(const char *name, size_t len) {
    uint64_t hash = 0xcbf29ce484222325ull;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)name[i]) * 0x100000001b3ull;
    return hash;
}

static bool read_at(struct walk *walk, void *to, size_t size, uint64_t offset) {
    if (offset > walk->reader->size || size > walk->reader->size - offset)
        return false;
    if (!size)
        return true;
    ssize_t got = walk->reader->read_at(walk->reader->context, to, size, offset);
    if (got < 0)
        walk->error = (int)got;
    return got == (ssize_t)size;
}

/* ---- the end of the directory */

static bool read_end64(struct walk *walk, uint64_t end_at) {
    uint8_t locator[LOCATOR_SIZE], end[END64_SIZE];
    if (end_at < LOCATOR_SIZE || !read_at(walk, locator, sizeof locator, end_at - LOCATOR_SIZE) ||
        number_at(locator, 4) != LOCATOR_MAGIC)
        return false;
    uint64_t at = number_at(locator + 8, 8);
    if (!read_at(walk, end, sizeof end, at) || number_at(end, 4) != END64_MAGIC)
        return false;
    walk->directory_count = number_at(end + 32, 8);
    walk->directory_at = number_at(end + 48, 8);
    walk->directory_end = at;
    return true;
}

/* The record that a comment follows, to the end of the file. */
static bool find_end(struct walk *walk) {
    size_t size = walk->reader->size < END_SIZE + 65535 ? (size_t)walk->reader->size : END_SIZE + 65535;
    uint64_t from = walk->reader->size - size;
    uint8_t *tail = mem_new(size + 1);
    bool found = false;
    for (size_t at = size < END_SIZE || !read_at(walk, tail, size, from) ? 0 : size - END_SIZE + 1;
         at-- > 0 && !found;) {
        if (number_at(tail + at, 4) != END_MAGIC || number_at(tail + at + 20, 2) != size - at - END_SIZE)
            continue;
        found = true;
        walk->directory_count = number_at(tail + at + 10, 2);
        walk->directory_at = number_at(tail + at + 16, 4);
        walk->directory_end = from + at;
        (void)read_end64(walk, from + at); /* where there is one, it counts */
    }
    free(tail);
    return found;
}

/* ---- the directory */

/* The 64-bit numbers that stand in the extra field where the others are all ones, in this order. */
static bool read_extra(struct scan *scan, uint16_t size, uint64_t *unpacked, uint64_t *packed, uint64_t *at) {
    uint64_t end = scan->at + size, kind, part, *wanted[] = {unpacked, packed, at};
    while (scan->at + 4 <= end) {
        if (!scan_number(scan, 2, &kind) || !scan_number(scan, 2, &part) || part > end - scan->at)
            return false;
        uint64_t part_end = scan->at + part;
        for (int i = 0; kind == 1 && i < 3; i++)
            if (*wanted[i] == UINT32_MAX && (scan->at + 8 > part_end || !scan_u64(scan, wanted[i])))
                return false;
        if (!scan_skip(scan, part_end - scan->at))
            return false;
    }
    return scan_skip(scan, end - scan->at);
}

static bool read_entry(struct walk *walk, struct scan *scan, struct entry *entry) {
    uint8_t head[ENTRY_SIZE];
    char name[ZIP_NAME_MAX + 1];
    if (!scan_bytes(scan, head, sizeof head) || number_at(head, 4) != ENTRY_MAGIC)
        return false;
    size_t name_len = number_at(head + 28, 2);
    if (name_len > ZIP_NAME_MAX)
        return DANGER(walk, "a member with a name of %zu bytes: it was not looked at", name_len);
    uint64_t unpacked = number_at(head + 24, 4);
    *entry = (struct entry){.flags = (uint16_t)number_at(head + 8, 2),
        .method = (uint16_t)number_at(head + 10, 2),
        .crc = (uint32_t)number_at(head + 16, 4),
        .size = number_at(head + 20, 4),
        .at = number_at(head + 42, 4)};
    if (!scan_bytes(scan, name, name_len) ||
        !read_extra(scan, (uint16_t)number_at(head + 30, 2), &unpacked, &entry->size, &entry->at))
        return false;
    entry->name_hash = hash_of(name, name_len);
    return scan_skip(scan, number_at(head + 32, 2));
}

static int by_place(const void *a, const void *b) {
    const struct entry *left = a, *right = b;
    return left->at < right->at ? -1 : left->at > right->at;
}

static int by_name(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static void find_same_names(struct walk *walk) {
    uint64_t *names = mem_array(walk->count, sizeof *names);
    for (size_t i = 0; i < walk->count; i++)
        names[i] = walk->entries[i].name_hash;
    if (walk->count > 1)
        qsort(names, walk->count, sizeof *names, by_name);
    for (size_t i = 1; i < walk->count; i++)
        if (names[i] == names[i - 1]) {
            (void)DANGER(walk, "two members have the same name: programs differ in which they take");
            break;
        }
    free(names);
}

static bool read_directory(struct walk *walk) {
    struct scan scan;
    if (!find_end(walk))
        return walk->error ? false : REFUSE(walk, "a zip archive without its directory (cut off?)");
    if (walk->directory_count > ZIP_MEMBERS_MAX)
        return DANGER(walk, "more than %d members: they were not looked at", ZIP_MEMBERS_MAX);
    if (walk->directory_at > walk->directory_end ||
        walk->directory_count > (walk->directory_end - walk->directory_at) / ENTRY_SIZE)
        return REFUSE(walk, "the directory of the zip archive is not where its end says");
    scan_init(&scan, walk->reader, walk->directory_at, walk->directory_end);
    walk->entries = mem_array(walk->directory_count, sizeof *walk->entries);
    for (; walk->count < walk->directory_count; walk->count++)
        if (!read_entry(walk, &scan, &walk->entries[walk->count])) {
            walk->error = scan.error;
            return walk->error ? false
                               : REFUSE(walk, "the directory of the zip archive is damaged at its member %zu",
                                     walk->count);
        }
    if (scan_left(&scan))
        (void)DANGER(walk, "the zip archive's directory holds more than the number of members that it gives");
    find_same_names(walk);
    if (walk->count > 1)
        qsort(walk->entries, walk->count, sizeof *walk->entries, by_place);
    return true;
}

/* ---- members */

/* What stands before the data against what the directory says. */
static void compare(struct walk *walk, const struct zip_member *member, const struct entry *entry,
    const uint8_t head[static LOCAL_SIZE], bool same_name) {
    const struct {
        const char *what;
        uint64_t here, there;
    } PAIRS[] = {
        {"flags", number_at(head + 6, 2), entry->flags},
        {"methods", number_at(head + 8, 2), entry->method},
        {"checksums", number_at(head + 14, 4), entry->crc},
        {"sizes", number_at(head + 18, 4), entry->size > UINT32_MAX ? UINT32_MAX : entry->size},
    };
    if (!same_name)
        (void)DANGER(walk, "%s has another name in the archive's directory", member->name);
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        bool later = i >= 2 && entry->flags & FLAG_LATER && !PAIRS[i].here;
        bool is_64 = i == 3 && PAIRS[i].here == UINT32_MAX;
        if (PAIRS[i].here != PAIRS[i].there && !later && !is_64)
            (void)DANGER(walk, "%s has other %s in the archive's directory", member->name, PAIRS[i].what);
    }
}

static bool read_member(struct walk *walk, const struct entry *entry, uint64_t *end) {
    uint8_t head[LOCAL_SIZE];
    struct zip_member member = {.header_at = entry->at, .crc = entry->crc};
    if (!read_at(walk, head, sizeof head, entry->at) || number_at(head, 4) != LOCAL_MAGIC)
        return walk->error ? false : DANGER(walk, "a member is not where the directory says");
    size_t name_len = number_at(head + 26, 2);
    member.method = (uint16_t)number_at(head + 8, 2);
    member.is_encrypted = number_at(head + 6, 2) & FLAG_ENCRYPTED;
    if (name_len > ZIP_NAME_MAX || !read_at(walk, member.name, name_len, entry->at + LOCAL_SIZE))
        return walk->error ? false : DANGER(walk, "a member whose name can't be read");
    bool same_name = hash_of(member.name, name_len) == entry->name_hash;
    member.data_at = entry->at + LOCAL_SIZE + name_len + number_at(head + 28, 2);
    if (__builtin_add_overflow(member.data_at, entry->size, &member.data_end) ||
        member.data_end > walk->directory_at)
        return DANGER(walk, "%s is not within the archive", member.name);
    if (entry->at < *end)
        (void)DANGER(walk, "%s overlaps with the member before it", member.name);
    else if (entry->at - *end > (*end ? DESCRIPTOR_MAX : 0))
        (void)DANGER(walk, "%llu bytes before %s belong to no member", (unsigned long long)(entry->at - *end),
            member.name);
    *end = member.data_end;
    compare(walk, &member, entry, head, same_name);
    int error = walk->visit(walk->context, &member);
    walk->error = error < 0 ? error : walk->error;
    return !walk->error;
}

int zip_walk(const struct format_reader *reader, int (*visit)(void *context, const struct zip_member *member),
    void *context, struct findings *findings) {
    struct walk walk = {.reader = reader, .findings = findings, .visit = visit, .context = context};
    uint64_t end = 0;
    if (read_directory(&walk))
        for (size_t i = 0; i < walk.count; i++)
            if (!read_member(&walk, &walk.entries[i], &end) && walk.error)
                break;
    free(walk.entries);
    return walk.error;
}
