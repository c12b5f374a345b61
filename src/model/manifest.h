/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_MANIFEST_H
#define WEIGHTFS_MODEL_MANIFEST_H

/*
 * What a source told of one revision of a model: the result of a discovery, before it is in the catalogue.
 * A manifest is built by one thread and then only read. Entries that can't be shown as files are kept
 * aside as refusals, with the reason, and never stop the rest.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/name.h"
#include "outside/digest.h"

#define MANIFEST_MAX_FILES    200000 /* more is refused as a whole: -ERR_TOO_LARGE */
#define MANIFEST_MAX_REFUSALS 100    /* further ones are only counted */

struct manifest_file {
    char *path;
    uint64_t size;
    char digest[DIGEST_TEXT_SIZE]; /* "" when the source does not tell (masked) */
    bool masked;                   /* told to those with access only: opening answers EACCES */
};

struct manifest_refusal {
    char *path;        /* made printable */
    const char *fault; /* static sentence */
};

struct manifest {
    /* the full name that the source uses (differs from the asked one for renamed models) */
    char model[NAME_MODEL_SIZE];
    char revision[NAME_REVISION_SIZE]; /* as asked: "main" when nothing was */
    char commit[64];                   /* 40 hex */
    int64_t modified_ms;               /* wall time of the commit; 0 unknown */
    bool gated;                        /* the source wants people to ask */
    bool locked;                       /* gated, and we have no access */
    bool token_refused;                /* there is a token that the source does not accept: told without it */
    struct manifest_file *files;       /* sorted by path after manifest_finish() */
    size_t file_count;
    struct manifest_refusal *refusals;
    size_t refusal_count; /* all, also those not kept */
    size_t refusals_kept;
};

struct manifest *manifest_new(void);
void manifest_free(struct manifest *manifest);
/* Adds a file; path faults become refusals (0 is answered all the same). -ERR_TOO_LARGE past
 * MANIFEST_MAX_FILES. */
int manifest_add(struct manifest *manifest, const char *path, size_t path_len, uint64_t size,
    const char *digest, bool masked);
void manifest_refuse(struct manifest *manifest, const char *path, size_t path_len, const char *fault);
/* Sorts, and refuses what is there twice (the first in the listing's order stays) and files where a folder
 * is (the file is refused). */
void manifest_finish(struct manifest *manifest);

#endif
