/* SPDX-License-Identifier: Apache-2.0 */
#include "store/meta.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/path.h"

static const char *const state_names[] = {[META_PARTIAL] = "partial",
    [META_DROPPING] = "dropping",
    [META_SEALING] = "sealing",
    [META_COMPLETE] = "complete"};

static int parse_number(const char *value, uint64_t most, uint64_t *ret_number) {
    if (!isdigit((unsigned char)*value))
        return -ERR_STORE;
    char *end;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (errno || *end || number > most)
        return -ERR_STORE;
    *ret_number = number;
    return 0;
}

static int parse_state(const char *value, enum meta_state *ret_state) {
    for (int i = META_PARTIAL; i <= META_COMPLETE; i++)
        if (!strcmp(value, state_names[i])) {
            *ret_state = (enum meta_state)i;
            return 0;
        }
    return -ERR_STORE;
}

/* One row a line of the file. */
enum field_kind { FIELD_SIZE, FIELD_U32, FIELD_STATE, FIELD_TEXT };
static const struct field {
    const char *name;
    enum field_kind kind;
    size_t offset, size;
} fields[] = {
    {"size", FIELD_SIZE, offsetof(struct meta, size), 0},
    {"generation", FIELD_U32, offsetof(struct meta, generation), 0},
    {"dead", FIELD_U32, offsetof(struct meta, dead), 0},
    {"mismatches", FIELD_U32, offsetof(struct meta, mismatches), 0},
    {"state", FIELD_STATE, offsetof(struct meta, state), 0},
    {"boot", FIELD_TEXT, offsetof(struct meta, boot), BOOT_ID_SIZE},
    {"sha256", FIELD_TEXT, offsetof(struct meta, sha256), SHA256_HEX_SIZE},
    {"source", FIELD_TEXT, offsetof(struct meta, source), NAME_SOURCE_SIZE},
    {"model", FIELD_TEXT, offsetof(struct meta, model), NAME_MODEL_SIZE},
    {"commit", FIELD_TEXT, offsetof(struct meta, commit), sizeof(((struct meta *)0)->commit)},
    {"path", FIELD_TEXT, offsetof(struct meta, path), NAME_PATH_SIZE},
};
#define FIELD_COUNT (sizeof fields / sizeof *fields)

static int parse_field(const struct field *field, const char *value, struct meta *meta) {
    void *at = (char *)meta + field->offset;
    uint64_t number;
    int error;
    switch (field->kind) {
    case FIELD_SIZE: return parse_number(value, INT64_MAX, at);
    case FIELD_U32:
        error = parse_number(value, UINT32_MAX, &number);
        if (!error)
            *(uint32_t *)at = (uint32_t)number;
        return error;
    case FIELD_STATE: return parse_state(value, at);
    case FIELD_TEXT: return text_copy(at, field->size, value) ? -ERR_STORE : 0;
    }
    return -ERR_STORE;
}

static int parse_line(char *line, struct meta *meta) {
    char *space = strchr(line, ' ');
    if (!space)
        return -ERR_STORE;
    *space = 0;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (!strcmp(line, fields[i].name))
            return parse_field(&fields[i], space + 1, meta);
    return 0;
}

int meta_parse(const char *text, size_t len, struct meta *ret_meta) {
    if (len > META_LIMIT || memchr(text, 0, len))
        return -ERR_STORE;
    TEXT_CLEANUP char *copy = mem_new(len + 1);
    memcpy(copy, text, len);
    struct meta meta = {0};
    char *save = NULL, *line = strtok_r(copy, "\n", &save);
    uint64_t version = 0;
    if (!line || strncmp(line, "weightfs ", 9) || parse_number(line + 9, UINT32_MAX, &version))
        return -ERR_STORE;
    if (version != 1)
        return -ERR_STORE_VERSION;
    while ((line = strtok_r(NULL, "\n", &save))) {
        int error = parse_line(line, &meta);
        if (error)
            return error;
    }
    bool named = digest_is_hex(meta.sha256, 64);
    if (!meta.generation || meta.generation >= 1u << 24 || (*meta.sha256 && !named) ||
        (meta.state >= META_SEALING && !named) || (meta.generation % 2 == 0) != (meta.state == META_COMPLETE))
        return -ERR_STORE;
    *ret_meta = meta;
    return 0;
}

void meta_print(const struct meta *meta, struct buf *to) {
    (void)buf_text_add(to, "weightfs 1\n"); /* no limit is set: cannot fail */
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &fields[i];
        const void *at = (const char *)meta + field->offset;
        switch (field->kind) {
        case FIELD_SIZE: (void)buf_format(to, "%s %" PRIu64 "\n", field->name, *(const uint64_t *)at); break;
        case FIELD_U32: (void)buf_format(to, "%s %" PRIu32 "\n", field->name, *(const uint32_t *)at); break;
        case FIELD_STATE:
            (void)buf_format(to, "%s %s\n", field->name, state_names[*(const enum meta_state *)at]);
            break;
        case FIELD_TEXT:
            if (*(const char *)at)
                (void)buf_format(to, "%s %s\n", field->name, (const char *)at);
            break;
        }
    }
}

static void stamp_of(const struct stat *stat, struct meta_stamp *ret_stamp) {
    *ret_stamp = (struct meta_stamp){stat->st_ino, stat->st_size,
        stat->st_mtim.tv_sec * 1000000000LL + stat->st_mtim.tv_nsec};
}

static void meta_name(const char *key, char to[static DIGEST_TEXT_SIZE + 8]) {
    (void)snprintf(to, DIGEST_TEXT_SIZE + 8, "%s/meta", key); /* keys are shorter than DIGEST_TEXT_SIZE */
}

int meta_stat(int parts_fd, const char *key, struct meta_stamp *ret_stamp) {
    char name[DIGEST_TEXT_SIZE + 8];
    meta_name(key, name);
    struct stat stat;
    if (fstatat(parts_fd, name, &stat, AT_SYMLINK_NOFOLLOW))
        return -errno;
    stamp_of(&stat, ret_stamp);
    return 0;
}

int meta_read(int parts_fd, const char *key, struct meta *ret_meta, struct meta_stamp *ret_stamp) {
    char name[DIGEST_TEXT_SIZE + 8];
    meta_name(key, name);
    BUF_CLEANUP struct buf text = BUF_INIT;
    struct meta_stamp stamp;
    int error = meta_stat(parts_fd, key, &stamp);
    if (!error)
        error = path_read(parts_fd, name, META_LIMIT, &text);
    if (!error)
        error = meta_parse(buf_text(&text), text.len, ret_meta);
    if (!error)
        *ret_stamp = stamp;
    return error;
}

int meta_write(int part_fd, const struct meta *meta, bool durable, struct meta_stamp *ret_stamp) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    meta_print(meta, &text);
    int error = FAULT(store_write_meta);
    if (error == FAULT_SHORT)
        error = -ENOSPC; /* path_replace() leaves nothing of it */
    if (!error)
        error = FAULT(store_rename_meta);
    if (error == FAULT_SHORT)
        error = -EIO;
    if (!error)
        error = path_replace(part_fd, "meta", text.data, text.len, durable);
    if (error)
        return error;
    struct stat stat;
    if (fstatat(part_fd, "meta", &stat, AT_SYMLINK_NOFOLLOW))
        return -errno;
    stamp_of(&stat, ret_stamp);
    return 0;
}
