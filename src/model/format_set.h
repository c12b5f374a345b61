/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_FORMAT_SET_H
#define WEIGHTFS_MODEL_FORMAT_SET_H

/*
 * What several files of one model must agree on. As in format.h: hostile input, bounded memory, findings; 0,
 * or a failed read's error.
 */

#include "model/format.h"

struct format_set_file {
    const char *name; /* without folders */
    const struct format_reader *reader; /* NULL: it is known, but can't be looked into */
};

/* model.safetensors.index.json against the files beside it (in the order of their names): each file that it
 * names is a plain name and is there, holds the tensors that it is said to hold, and holds no others. Files
 * that it does not name are no matter. */
int format_check_index(const struct format_reader *index, const struct format_set_file *shards, size_t count,
    struct findings *findings);
/* The shards of one GGUF, in the order of their names: numbers, count and the sum of tensors are as they say.
 */
int format_check_gguf_set(const struct format_set_file *shards, size_t count, struct findings *findings);
/* The files of a Vosk model's folder, by their paths in it. */
void format_check_vosk(const char *const *paths, size_t count, struct findings *findings);

#endif
