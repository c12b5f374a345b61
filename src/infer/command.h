/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_COMMAND_H
#define WEIGHTFS_INFER_COMMAND_H

/*
 * The engine of declared command lines (model/declared.h): a server that the operator names is started for
 * each model whose key fits, or that has it as its setting `engine`, and asked as any other. What it is given
 * stands in placeholders: {model}, the path of the file to load; {folder}, of the folder with a named link to
 * each of the model's selected files; {socket} or {port}, where it has to listen; {name}, the model's key.
 */

#include "weightfs/engine.h"

extern const struct engine command_engine;

#endif
