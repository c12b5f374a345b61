/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_OLLAMA_H
#define WEIGHTFS_INFER_OLLAMA_H

/*
 * The engine ollama: models of a running Ollama, "ollama:NAME:TAG". Loading and unloading is done by Ollama's
 * own interface (POST /api/generate without a prompt, GET /api/ps), asking by its OpenAI one, which is below
 * /v1. Ollama keeps the model for as long as we do: keep_alive is ours (and some more, so that it is we who
 * decide; should we be killed, it goes by itself), and when we end Ollama is told so, and asked until it has.
 */

#include "weightfs/engine.h"

extern const struct engine ollama_engine;

#endif
