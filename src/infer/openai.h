/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_OPENAI_H
#define WEIGHTFS_INFER_OPENAI_H

/*
 * The engine openai: models behind a declared endpoint (model/declared.h), "openai:ENDPOINT/NAME". It
 * starts nothing: to load such a model is to look up where its endpoint is and to read the key, anew each
 * time. It is ready at once; whether the server answers shows at the first question.
 */

#include "weightfs/engine.h"

extern const struct engine openai_engine;

#endif
