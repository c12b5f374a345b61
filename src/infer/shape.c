/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/inside.h"

const struct shape_row shape_rows[INFER_SHAPE_COUNT] = {
    [INFER_PROMPT] = {"/chat/completions", ASK_CHAT, false, ENGINE_CHAT, "chat"},
    [INFER_REQUEST] = {"/chat/completions", ASK_RAW, true, ENGINE_CHAT, "chat"},
    [INFER_EMBED] = {"/embeddings", ASK_VECTOR, false, ENGINE_EMBED, "embed texts"},
    [INFER_COMPLETION] = {"/completions", ASK_RAW, true, ENGINE_COMPLETE, "complete raw text"},
    [INFER_EMBEDDING] = {"/embeddings", ASK_RAW, true, ENGINE_EMBED, "embed texts"},
};
