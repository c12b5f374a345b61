/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_VARIANT_H
#define WEIGHTFS_MODEL_VARIANT_H

/*
 * Variants of GGUF repositories: one model in many quantisations, each a file, a set of shards
 * (NAME-00001-of-00003.gguf), or a folder of them. Pure functions on paths. What is wanted of a model is
 * its *selection*: the files of the wanted variants plus everything that belongs to no variant.
 */

#include <stdbool.h>
#include <stddef.h>

#include "model/name.h"

/* The variant that `path` belongs to, upper case as the field writes it ("Q4_K_M", "UD-Q4_K_XL",
 * "IQ2_XXS", "F16", "BF16", "MXFP4"), taken from the file's name, else from its folder. false: none (not a
 * .gguf, an mmproj-*.gguf, an imatrix, or no quantisation in the name). */
bool variant_of(const char *path, char ret_variant[static NAME_VARIANT_SIZE]);

/* Weights beside the model's own, by the name: what turns images into tokens ("mmproj-F16.gguf",
 * "x-mmproj-f16.gguf"); that, an importance matrix, an adapter, a head that only drafts. */
bool variant_is_projector(const char *path);
bool variant_is_sidecar(const char *path);

/* Which of the variants (count ≥ 1) a plain `pull` takes: Q4_K_M, else the next of a fixed list by common use
 * (Q4_K_M Q4_K_S Q4_0 Q4_K_XL Q5_K_M Q5_K_S Q6_K Q8_0 MXFP4 IQ4_XS IQ4_NL … F16 BF16 F32, UD- forms after
 * plain ones), else the first in order. Index. */
size_t variant_default(const char *const *variants, size_t count);

/* Case-insensitive equality; "q4_k_m" is accepted for Q4_K_M. */
bool variant_equal(const char *a, const char *b);

#endif
