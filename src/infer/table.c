/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "infer/command.h"
#include "infer/infer.h"
#include "infer/llama.h"
#include "infer/ollama.h"
#include "infer/openai.h"

const struct engine *const engine_table[] = {
    &command_engine,
    &openai_engine,
    &ollama_engine,
    &llama_engine,
    NULL,
};
