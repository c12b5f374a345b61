/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/inside.h"

const struct shape_row shape_rows[INFER_SHAPE_COUNT] = {
    [INFER_PROMPT] = {"/chat/completions", ASK_CHAT, false, ENGINE_CHAT, "chat"},
    [INFER_REQUEST] = {"/chat/completions", ASK_RAW, true, ENGINE_CHAT, "chat"},
    [INFER_EMBED] = {"/embeddings", ASK_VECTOR, false, ENGINE_EMBED, "embed texts"},
    [INFER_COMPLETION] = {"/completions", ASK_RAW, true, ENGINE_COMPLETE, "complete raw text"},
    [INFER_EMBEDDING] = {"/embeddings", ASK_RAW, true, ENGINE_EMBED, "embed texts"},
};

static const struct shape_row prompt_as_text = {"/completions", ASK_TEXT, false, ENGINE_COMPLETE, "chat"};

const struct shape_row *shape_at(const struct engine_endpoint *endpoint, enum infer_shape shape) {
    bool has_text_only = (endpoint->can & ENGINE_COMPLETE) && !(endpoint->can & ENGINE_CHAT);
    return shape == INFER_PROMPT && has_text_only ? &prompt_as_text : &shape_rows[shape];
}
