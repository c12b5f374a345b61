/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_LLAMA_H
#define WEIGHTFS_INFER_LLAMA_H

/*
 * The engine llama: a child llama-server (llama.cpp) for each loaded model, on a Unix socket in a folder
 * of its own. It finds there named links to the model's files, so that shards know each other and nothing
 * depends on the mount; an empty home and working folder, since it reads configuration and loads libraries
 * from both; and none of our environment. It answers once /health says 200; how it failed is in the first
 * line of its log that is an error.
 */

#include "weightfs/engine.h"

extern const struct engine llama_engine;

/* The part of a line of its log that a person wants: without the time and the level. *ret_is_error: the line
 * has the level of an error, or says `error` without one. (Pure.) */
const char *llama_line(const char *line, bool *ret_is_error);

#endif
