/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_LLAMA_H
#define WEIGHTFS_INFER_LLAMA_H

/*
 * The engine llama: a child llama-server (llama.cpp) for each loaded model, on a Unix socket in a folder
 * of its own. It finds there named links to the model's files, so that shards know each other and nothing
 * depends on the mount; an empty home and working folder, since it reads configuration and loads libraries
 * from both; and none of our environment. It answers once /health says 200; how it failed is in
 * its log (llama_words.h), how it is called in llama_flags.h.
 */

#include "weightfs/engine.h"

extern const struct engine llama_engine;

#endif
