/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "infer/infer.h"
#include "infer/llama.h"

const struct engine *const engine_table[] = {
    &llama_engine,
    NULL,
};
