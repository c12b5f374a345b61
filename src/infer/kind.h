/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_KIND_H
#define WEIGHTFS_INFER_KIND_H

/*
 * What models are for, by the words that the registry, the setting `type` and the Hub's tags have for it: so
 * that an engine is told what to do with one, and a person why it can't be asked.
 */

#include "base/buf.h"

struct kind_row {
    const char *word; /* "embedding", and the Hub's "feature-extraction" */
    unsigned can;     /* enum engine_ability bits; 0: nothing that an engine here does */
    const char *what; /* "an embedding model" */
};
/* NULL: the word says nothing. */
const struct kind_row *kind_of(const char *category);

/* Of the file's head, when it is GGUF and all on disk: the Hub's word, or "". Reads up to some MB. (Any
 * thread.) */
void kind_of_file(const char *name, const char *path, char *to, size_t size);

#endif
