/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_NAME_H
#define WEIGHTFS_MODEL_NAME_H

/*
 * Keys name models in commands and configuration: SOURCE:NAME[:VARIANT][@REVISION], e.g.
 * hf:Qwen/Qwen3-0.6B-GGUF:Q4_K_M@main. Names come from users and servers: hostile until checked here. All
 * functions are pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define NAME_SOURCE_SIZE 16
#define NAME_MODEL_SIZE 200   /* "ORG/NAME" with its NUL; the Hub allows 96 characters a part */
#define NAME_VARIANT_SIZE 64
#define NAME_REVISION_SIZE 128
#define NAME_PATH_SIZE 1024   /* a file's path inside a model, with its NUL */
#define NAME_KEY_SIZE (NAME_SOURCE_SIZE + NAME_MODEL_SIZE + NAME_VARIANT_SIZE + NAME_REVISION_SIZE + 4)

struct name_key {
    char source[NAME_SOURCE_SIZE];
    char model[NAME_MODEL_SIZE];       /* ORG/NAME, or one word for very old Hub models */
    char variant[NAME_VARIANT_SIZE];   /* "" when not given */
    char revision[NAME_REVISION_SIZE]; /* "" when not given */
};

/* Parses a key. The source may be left out where the rest has the form ORG/NAME ("hf" is meant); "hf://…"
 * and a full URL on the Hub (https://huggingface.co/ORG/NAME[/tree/REV]) are accepted too. -ERR_BAD_NAME
 * with what is wrong. */
int name_parse(const char *text, struct name_key *ret_key, struct reason *reason);
/* "hf:ORG/NAME" (without variant and revision) into `to` of NAME_KEY_SIZE. */
void name_format(const char *source, const char *model, char *to);

/* May this be one part of a Hub name? [A-Za-z0-9] first, then also - _ . ; no "--" nor ".."; at most 96;
 * not ending in ".git" or ".ipynb" (huggingface_hub's validate_repo_id). Names that start with a dot never
 * leave the machine. */
bool name_is_part(const char *part);
/* May this be a revision? 1…127 of [A-Za-z0-9._/-], no "..", no leading or trailing slash or dash. */
bool name_is_revision(const char *revision);
bool name_is_commit(const char *revision); /* 40 lower-case hex digits */

/* A path from a listing, byte by byte: "" or "." or ".." parts, a leading or trailing slash, control
 * characters, a part over 255 bytes, over NAME_PATH_SIZE, invalid UTF-8, more than 16 parts: NULL when
 * fine, else a static sentence saying what is wrong. Backslashes are allowed. */
const char *name_path_fault(const char *path, size_t len);

#endif
