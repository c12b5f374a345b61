/* SPDX-License-Identifier: Apache-2.0 */

/* Cards from what stands beside the weights: JSON documents, and the front matter of README.md. */

#include <string.h>

#include "base/utf8.h"
#include "model/card_inside.h"
#include "outside/json.h"

static const char *text_at(const struct json *object, const char *name) {
    return json_text(json_get(object, name), NULL);
}

static uint64_t number_at(const struct json *object, const char *name) {
    int64_t number;
    return json_number(json_get(object, name), &number) && number > 0 ? (uint64_t)number : 0;
}

/* The same has many names (transformers' configuration classes). */
static const struct {
    const char *name;
    size_t offset;
} NUMBERS[] = {
    {"max_position_embeddings", offsetof(struct card, context_length)},
    {"n_positions", offsetof(struct card, context_length)},
    {"max_seq_len", offsetof(struct card, context_length)},
    {"seq_length", offsetof(struct card, context_length)},
    {"hidden_size", offsetof(struct card, embedding_length)},
    {"n_embd", offsetof(struct card, embedding_length)},
    {"d_model", offsetof(struct card, embedding_length)},
    {"num_hidden_layers", offsetof(struct card, layers)},
    {"n_layer", offsetof(struct card, layers)},
    {"num_layers", offsetof(struct card, layers)},
    {"num_attention_heads", offsetof(struct card, heads)},
    {"n_head", offsetof(struct card, heads)},
    {"head_dim", offsetof(struct card, key_length)},
    {"head_dim", offsetof(struct card, value_length)},
};

static void config_numbers(struct card *card, const struct json *config) {
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++)
        card_set_number((uint64_t *)((char *)card + NUMBERS[i].offset), number_at(config, NUMBERS[i].name));
    uint64_t heads_kv;
    if (!__builtin_mul_overflow(number_at(config, "num_key_value_heads"), card->layers, &heads_kv))
        card_set_number(&card->heads_kv, heads_kv);
}

void card_read_config(struct card *card, const char *text, size_t len) {
    JSON_CLEANUP struct json *config = NULL;
    if (json_parse(text, len, &config, NULL))
        return;
    CARD_SET(card, architecture, json_text(json_at(json_get(config, "architectures"), 0), NULL));
    CARD_SET(card, architecture, text_at(config, "model_type"));
    CARD_SET(card, quantisation, text_at(json_get(config, "quantization_config"), "quant_method"));
    config_numbers(card, config);
    /* A model that sees has its language model's numbers one level below. */
    config_numbers(card, json_get(config, "text_config"));
    config_numbers(card, json_get(config, "llm_config"));
}

void card_read_tokenizer_config(struct card *card, const char *text, size_t len) {
    JSON_CLEANUP struct json *config = NULL;
    if (json_parse(text, len, &config, NULL))
        return;
    CARD_SET(card, tokenizer, text_at(config, "tokenizer_class"));
    const struct json *chat = json_get(config, "chat_template");
    const char *chat_template = json_text(chat, NULL);
    for (size_t i = 0; i < json_count(chat) && !chat_template; i++) {
        const char *name = text_at(json_at(chat, i), "name");
        if (name && !strcmp(name, "default"))
            chat_template = text_at(json_at(chat, i), "template");
    }
    if (chat_template)
        card_set_template(card, chat_template, strlen(chat_template));
}

/* ---- the front matter of README.md: of YAML only `key: value`, `key: [a, b]` and `- item` lines below a key
 */

static const struct {
    const char *key;
    size_t offset;
} FRONT[] = {
    {"license", offsetof(struct card, licence)},
    {"license_name", offsetof(struct card, licence)},
    {"language", offsetof(struct card, languages)},
    {"pipeline_tag", offsetof(struct card, category)},
    {"base_model", offsetof(struct card, base_model)},
};

/* `line` without blanks and quotes around it. */
static char *trimmed(char *line) {
    line += strspn(line, " \t");
    size_t len = strlen(line);
    while (len && strchr(" \t\r", line[len - 1]))
        line[--len] = '\0';
    if (len >= 2 && (*line == '"' || *line == '\'') && line[len - 1] == *line) {
        line[len - 1] = '\0';
        line++;
    }
    return line;
}

static void add_values(char *field, char *value) {
    value = trimmed(value);
    size_t len = strlen(value);
    if (*value != '[' || value[len - 1] != ']') {
        card_add_text(field, CARD_TEXT, value);
        return;
    }
    value[len - 1] = '\0';
    for (char *next = value + 1, *item; (item = strsep(&next, ","));)
        card_add_text(field, CARD_TEXT, trimmed(item));
}

/* "license: other" with a licence of its own name: that name is what people want to read. */
static void front_line(struct card *fresh, char *line, char **current) {
    char *colon = strchr(line, ':');
    if (*line == '#' || !*line)
        return;
    if (*line == ' ' || *line == '-') {
        line = trimmed(line);
        if (*current && line[0] == '-' && line[1] == ' ')
            add_values(*current, line + 2);
        return;
    }
    *current = NULL;
    if (!colon)
        return;
    *colon = '\0';
    for (size_t i = 0; i < sizeof FRONT / sizeof *FRONT; i++)
        if (!strcmp(line, FRONT[i].key))
            *current = (char *)fresh + FRONT[i].offset;
    if (*current && !strcmp(line, "license_name") && !strcmp(*current, "other"))
        **current = '\0';
    if (*current)
        add_values(*current, colon + 1);
}

void card_read_readme(struct card *card, const char *text, size_t len) {
    struct card fresh = {.type_count = 0};
    BUF_CLEANUP struct buf copy = BUF_INIT;
    char *current = NULL;
    (void)buf_add(&copy, text, len); /* without a limit it does not fail */
    if (len < 4 || memchr(text, '\0', len) || strncmp(text, "---", 3) || !strchr("\r\n", text[3]))
        return;
    char *next = strchr(copy.data, '\n'), *line;
    next = next ? next + 1 : NULL;
    while ((line = strsep(&next, "\n")) && strncmp(line, "---", 3))
        front_line(&fresh, line, &current);
    if (!line)
        return; /* it has no end: then it is no front matter */
    CARD_SET(card, licence, fresh.licence);
    CARD_SET(card, languages, fresh.languages);
    CARD_SET(card, category, fresh.category);
    CARD_SET(card, base_model, fresh.base_model);
}
