/* SPDX-License-Identifier: Apache-2.0 */
/* What a model can do, as far as its category, its files or its name tell. */

#include <ctype.h>
#include <string.h>

#include "infer/auto_choice.h"

struct kind {
    const char *name;
    unsigned can;
};

/* Ours, then those that the Hub gives; what is in neither says nothing. */
static const struct kind categories[] = {
    {"llm", AUTO_CAN_CHAT},
    {"vision", AUTO_CAN_CHAT | AUTO_CAN_SEE},
    {"multimodal", AUTO_CAN_CHAT | AUTO_CAN_SEE},
    {"embedding", AUTO_CAN_EMBED},
    {"speech", AUTO_CAN_OTHER},
    {"caption", AUTO_CAN_OTHER},
    {"detection", AUTO_CAN_OTHER},
    {"diffusion", AUTO_CAN_OTHER},
    {"diffusion-lm", AUTO_CAN_OTHER},
    {"reranker", AUTO_CAN_OTHER},
    {"tagger", AUTO_CAN_OTHER},
    {"text-generation", AUTO_CAN_CHAT},
    {"text2text-generation", AUTO_CAN_CHAT},
    {"conversational", AUTO_CAN_CHAT},
    {"image-text-to-text", AUTO_CAN_CHAT | AUTO_CAN_SEE},
    {"visual-question-answering", AUTO_CAN_CHAT | AUTO_CAN_SEE},
    {"any-to-any", AUTO_CAN_CHAT | AUTO_CAN_SEE},
    {"feature-extraction", AUTO_CAN_EMBED},
    {"sentence-similarity", AUTO_CAN_EMBED},
    {"automatic-speech-recognition", AUTO_CAN_OTHER},
    {"text-to-speech", AUTO_CAN_OTHER},
    {"text-to-image", AUTO_CAN_OTHER},
    {"text-ranking", AUTO_CAN_OTHER},
    {"text-classification", AUTO_CAN_OTHER},
    {"token-classification", AUTO_CAN_OTHER},
    {"image-classification", AUTO_CAN_OTHER},
    {"object-detection", AUTO_CAN_OTHER},
    {NULL, 0},
};

static const struct kind architectures[] = {
    {"bert", AUTO_CAN_EMBED},
    {"nomic-bert", AUTO_CAN_EMBED},
    {"jina-bert-v2", AUTO_CAN_EMBED},
    {"modern-bert", AUTO_CAN_EMBED},
    {"gemma-embedding", AUTO_CAN_EMBED},
    {"whisper", AUTO_CAN_OTHER},
    {"clip", AUTO_CAN_OTHER},
    {NULL, 0},
};

/* Parts of names, in lower case. */
static const struct kind name_parts[] = {
    {"embed", AUTO_CAN_EMBED},
    {"minilm", AUTO_CAN_EMBED},
    {"bge-", AUTO_CAN_EMBED},
    {"gte-", AUTO_CAN_EMBED},
    {"rerank", AUTO_CAN_OTHER},
    {"whisper", AUTO_CAN_OTHER},
    {"llava", AUTO_CAN_CHAT | AUTO_CAN_SEE},
    {"-vl-", AUTO_CAN_CHAT | AUTO_CAN_SEE},
    {"vision", AUTO_CAN_CHAT | AUTO_CAN_SEE},
    {NULL, 0},
};

static const char *const coders[] = {"-code", "coder", "codellama", "codestral", "codegemma", "codeqwen",
    "devstral"};

static unsigned find_kind(const struct kind *kinds, const char *name) {
    for (; kinds->name; kinds++)
        if (!strcmp(kinds->name, name))
            return kinds->can;
    return 0;
}

static bool has_part(const char *key, const char *part) {
    size_t len = strlen(part);
    for (; *key; key++) {
        size_t at = 0;
        while (at < len && tolower((unsigned char)key[at]) == part[at])
            at++;
        if (at == len)
            return true;
    }
    return false;
}

bool auto_is_coder(const struct auto_candidate *model) {
    for (size_t i = 0; i < sizeof coders / sizeof coders[0]; i++)
        if (has_part(model->key, coders[i]))
            return true;
    return false;
}

unsigned auto_can(const struct auto_candidate *model, bool *ret_sure) {
    unsigned can = model->can ? model->can : find_kind(categories, model->category);
    if (!can)
        can = find_kind(architectures, model->architecture);
    if (!can)
        can = find_kind(categories, model->card_category);
    for (const struct kind *part = name_parts; part->name && !can; part++)
        if (has_part(model->key, part->name))
            can = part->can;
    *ret_sure = can || *model->architecture;
    can = can ? can : AUTO_CAN_CHAT;
    return (can & AUTO_CAN_CHAT) && model->has_projector ? can | AUTO_CAN_SEE : can;
}
