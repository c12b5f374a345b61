/* SPDX-License-Identifier: Apache-2.0 */
#include "model/card.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "model/card_inside.h"
#include "outside/json.h"

#define TEXT(field) \
    { #field, CARD_FIELD_TEXT, offsetof(struct card, field), sizeof((struct card *)0)->field }
#define NUMBER(field) \
    { #field, CARD_FIELD_NUMBER, offsetof(struct card, field), 0 }
#define BYTES(field) \
    { #field, CARD_FIELD_BYTES, offsetof(struct card, field), 0 }

const struct card_field card_fields[] = {
    TEXT(name),
    TEXT(architecture),
    TEXT(category),
    TEXT(capabilities),
    TEXT(owner),
    NUMBER(parameters),
    TEXT(quantisation),
    TEXT(formats),
    NUMBER(context_length),
    TEXT(tokenizer),
    TEXT(licence),
    TEXT(languages),
    TEXT(base_model),
    NUMBER(embedding_length),
    NUMBER(layers),
    NUMBER(heads),
    NUMBER(heads_kv),
    NUMBER(key_length),
    NUMBER(value_length),
    BYTES(weights_bytes),
    BYTES(kv_bytes),
    TEXT(fault),
    {NULL, CARD_FIELD_TEXT, 0, 0},
};

const char *card_field_text(const struct card *card, const struct card_field *field) {
    return (const char *)card + field->offset;
}

uint64_t card_field_number(const struct card *card, const struct card_field *field) {
    return *(const uint64_t *)((const char *)card + field->offset);
}

void card_done(struct card *card) {
    free(card->chat_template);
    *card = (struct card){.type_count = 0};
}

/* ---- setting fields */

void card_set_text(char *field, size_t size, const char *text) {
    if (*field || !text)
        return;
    utf8_cut(field, size, text);
    utf8_tame(field);
}

static bool is_listed(const char *list, const char *text) {
    size_t len = strlen(text);
    for (const char *at = list; (at = strstr(at, text)); at++)
        if ((at == list || at[-1] == ' ') && (!at[len] || at[len] == ','))
            return true;
    return false;
}

void card_add_text(char *field, size_t size, const char *text) {
    char word[CARD_TEXT];
    utf8_cut(word, sizeof word, text);
    utf8_tame(word);
    size_t len = strlen(field), more = strlen(word) + (len ? 2 : 0);
    if (!*word || len + more + 1 > size || is_listed(field, word))
        return;
    (void)snprintf(field + len, size - len, "%s%s", len ? ", " : "", word); /* fits */
}

void card_set_fault(struct card *card, const char *file, const struct findings *findings) {
    char text[sizeof card->fault + FINDING_TEXT_MAX];
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->items[i].level != FINDING_ERROR)
            continue;
        (void)snprintf(text, sizeof text, "%.100s: %s", file, findings->items[i].text); /* may be cut */
        CARD_SET(card, fault, text);
    }
}

void card_add_tensor(struct card *card, const char *type, uint64_t elements, uint64_t bytes) {
    size_t i = 0;
    while (i < card->type_count && strcmp(card->types[i].name, type))
        i++;
    card->parameters = card_sum(card->parameters, elements);
    card->weights_bytes = card_sum(card->weights_bytes, bytes);
    if (i == CARD_TYPES)
        return;
    if (i == card->type_count)
        (void)text_copy(card->types[card->type_count++].name, sizeof card->types->name,
            type); /* ours: short */
    card->types[i].tensors++;
    card->types[i].elements = card_sum(card->types[i].elements, elements);
    card->types[i].bytes = card_sum(card->types[i].bytes, bytes);
}

void card_set_template(struct card *card, const char *text, size_t len) {
    if (card->chat_template || !len)
        return;
    len = len < CARD_TEMPLATE_MAX ? len : CARD_TEMPLATE_MAX;
    card->chat_template = mem_new(len + 1);
    utf8_cut(card->chat_template, len + 1, text);
}

void card_read_template(struct card *card, const char *text, size_t len) {
    if (!memchr(text, '\0', len))
        card_set_template(card, text, len);
}

/* ---- what follows from others */

void card_conclude(struct card *card) {
    uint64_t most = 0;
    for (size_t i = 0; i < card->type_count && !*card->quantisation; i++)
        most = card->types[i].bytes > most ? card->types[i].bytes : most;
    for (size_t i = 0; i < card->type_count; i++)
        if (card->types[i].bytes == most)
            CARD_SET(card, quantisation, card->types[i].name);
    uint64_t head = card->heads ? card->embedding_length / card->heads : 0;
    card_set_number(&card->heads_kv, card_product(card->heads, card->layers));
    card_set_number(&card->key_length, head);
    card_set_number(&card->value_length, head);
    if (card->layers && card->heads_kv)
        card_set_number(&card->kv_bytes,
            card_product(card_product(card->heads_kv, card_sum(card->key_length, card->value_length)), 2));
}

/* ---- as JSON */

/* Larger ones no reader of JSON takes for a whole number. */
static void print_number(struct buf *to, const char *name, uint64_t number) {
    (void)buf_format(to, "\"%s\":%llu", name, (unsigned long long)(number < INT64_MAX ? number : INT64_MAX));
}

static void print_types(const struct card *card, struct buf *to) {
    (void)buf_text_add(to, ",\"types\":{");
    for (size_t i = 0; i < card->type_count; i++) {
        const struct card_type *type = &card->types[i];
        (void)buf_text_add(to, i ? "," : "");
        (void)buf_json_string(to, type->name);
        (void)buf_text_add(to, ":{");
        print_number(to, "tensors", type->tensors);
        (void)buf_text_add(to, ",");
        print_number(to, "elements", type->elements);
        (void)buf_text_add(to, ",");
        print_number(to, "bytes", type->bytes);
        (void)buf_text_add(to, "}");
    }
    (void)buf_text_add(to, "}");
}

void card_print_json(const struct card *card, struct buf *to) {
    (void)buf_format(to, "{\"whole\":%s", card->whole ? "true" : "false");
    for (const struct card_field *field = card_fields; field->name; field++) {
        const char *text = field->type == CARD_FIELD_TEXT ? card_field_text(card, field) : NULL;
        uint64_t number = text ? 0 : card_field_number(card, field);
        if (text ? !*text : !number)
            continue;
        (void)buf_text_add(to, ",");
        if (!text) {
            print_number(to, field->name, number);
            continue;
        }
        (void)buf_format(to, "\"%s\":", field->name);
        (void)buf_json_string(to, text);
    }
    if (card->type_count)
        print_types(card, to);
    if (card->chat_template) {
        (void)buf_text_add(to, ",\"chat_template\":");
        (void)buf_json_string(to, card->chat_template);
    }
    (void)buf_text_add(to, "}");
}

static uint64_t number_of(const struct json *value) {
    int64_t number;
    return json_number(value, &number) && number > 0 ? (uint64_t)number : 0;
}

static void parse_types(struct card *card, const struct json *types) {
    void *iterator = NULL;
    const char *name;
    const struct json *type;
    while (card->type_count < CARD_TYPES && json_next(types, &iterator, &name, &type)) {
        struct card_type *to = &card->types[card->type_count];
        if (text_copy(to->name, sizeof to->name, name))
            continue;
        to->tensors = number_of(json_get(type, "tensors"));
        to->elements = number_of(json_get(type, "elements"));
        to->bytes = number_of(json_get(type, "bytes"));
        card->type_count++;
    }
}

int card_parse_json(const char *text, size_t len, struct card *ret_card) {
    JSON_CLEANUP struct json *document = NULL;
    int error = json_parse(text, len, &document, NULL);
    if (error)
        return error;
    *ret_card = (struct card){.whole = json_bool(json_get(document, "whole"), false)};
    for (const struct card_field *field = card_fields; field->name; field++) {
        const struct json *value = json_get(document, field->name);
        char *to = (char *)ret_card + field->offset;
        if (field->type == CARD_FIELD_TEXT)
            card_set_text(to, field->size, json_text(value, NULL));
        else
            *(uint64_t *)to = number_of(value);
    }
    parse_types(ret_card, json_get(document, "types"));
    size_t template_len = 0;
    const char *chat_template = json_text(json_get(document, "chat_template"), &template_len);
    if (chat_template)
        card_set_template(ret_card, chat_template, template_len);
    return 0;
}
