/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_NAME_H
#define WEIGHTFS_MODEL_NAME_H

/*
 * Keys name models in commands and configuration: SOURCE:NAME[:VARIANT][@REVISION], e.g.
 * hf:Qwen/Qwen3-0.6B-GGUF:Q4_K_M@main. Models that are served elsewhere have neither variants nor
 * revisions, and all behind the source is their name: openai:ENDPOINT/google/gemma-3, ollama:gemma2:9b.
 * Names come from users and servers: hostile until checked here. All functions are pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define NAME_SOURCE_SIZE   16
#define NAME_MODEL_SIZE    200 /* "ORG/NAME" with its NUL; the Hub allows 96 characters a part */
#define NAME_VARIANT_SIZE  64
#define NAME_REVISION_SIZE 128
#define NAME_PATH_SIZE     1024 /* a file's path inside a model, with its NUL */
#define NAME_KEY_SIZE      (NAME_SOURCE_SIZE + NAME_MODEL_SIZE + NAME_VARIANT_SIZE + NAME_REVISION_SIZE + 4)

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

/* May this be a name that a server gives one of its models? 1…199 bytes: letters, digits and - _ . : / @ +
 * = , ~ %, the first a letter, a digit or @ ~ _ ; no empty part, nor one that is "." or ".."; and its
 * folder's name fits into one. Others can't be typed, or would be more than one word. */
bool name_is_served(const char *name);
/* What Ollama calls a model, in full: "gemma2" is gemma2:latest, "library/gemma2:9b" is gemma2:9b; with a
 * namespace ns/name:tag. -ERR_BAD_NAME when it can't be one. `to` may be `name`. */
int name_of_ollama(const char *name, char to[NAME_MODEL_SIZE]);

/*
 * A name as one word of a path, and back: a slash is written "--". So that this can be undone, a "-" beside
 * another one or beside a slash is written "%2D", and a "%" "%25". Names of the Hub have none of these.
 * name_from_file() takes what name_to_file() gives and nothing else. -ENAMETOOLONG; -ERR_BAD_NAME.
 */
#define NAME_FILE_SIZE 256 /* NAME_MAX of the kernel, with the NUL */
int name_to_file(const char *name, char to[NAME_FILE_SIZE]);
int name_from_file(const char *file, char to[NAME_MODEL_SIZE]);
/* Where a model is, below its source's folder: its name up to the first slash, and the rest, as words of a
 * path: "acme/tiny", "work/google--gemma-3", "gemma2:9b". */
#define NAME_FOLDER_SIZE (2 * NAME_FILE_SIZE)
int name_to_folder(const char *name, char to[NAME_FOLDER_SIZE]);
/* The reverse: of the first `len` bytes of `folder`. */
int name_from_folder(const char *folder, size_t len, char to[NAME_MODEL_SIZE]);

/* A path from a listing, byte by byte: "" or "." or ".." parts, a leading or trailing slash, control
 * characters, a part over 255 bytes, over NAME_PATH_SIZE, invalid UTF-8, more than 16 parts: NULL when
 * fine, else a static sentence saying what is wrong. Backslashes are allowed. */
const char *name_path_fault(const char *path, size_t len);

#endif
