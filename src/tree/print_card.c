/* SPDX-License-Identifier: Apache-2.0 */

/* card, card.json: what a model is, as far as it is known. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "manage/card.h"
#include "tree/inside.h"
#include "tree/place.h"
#include "tree/print.h"
#include "tree/sheet.h"

/* A newline behind each member, so that people can read the document, too. */
int print_card_json(const struct place *place, struct buf *to) {
    CARD_CLEANUP struct card card = {.type_count = 0};
    int result = card_of(place->tree->settings.manage, &place->model, &card);
    if (result)
        return result;
    BUF_CLEANUP struct buf json = BUF_INIT;
    uint64_t tokens = card_usual_context(&card);
    card_print_json(&card, &json);
    (void)buf_add(to, json.data, json.len - 1); /* without the brace that ends it */
    if (card.kv_bytes)
        (void)buf_format(to, ",\"kv_cache_tokens\":%" PRIu64 ",\"kv_cache_bytes\":%" PRIu64, tokens,
            card_kv_bytes(&card, tokens));
    if (card_memory_bytes(&card, tokens))
        (void)buf_format(to, ",\"memory_to_load\":%" PRIu64, card_memory_bytes(&card, tokens));
    return buf_text_add(to, "}\n");
}

static void print_types(const struct card *card, struct sheet *sheet) {
    char words[HUMAN_SIZE];
    for (size_t i = 0; i < card->type_count; i++) {
        const struct card_type *type = &card->types[i];
        sheet_member(sheet, "tensor_type");
        (void)buf_format(sheet->to, "%s, %" PRIu64 " tensor%s, %s\n", type->name, type->tensors,
            type->tensors == 1 ? "" : "s", human_bytes(words, type->bytes));
    }
}

static void print_field(const struct card *card, const struct card_field *field, struct sheet *sheet) {
    if (field->type == CARD_FIELD_TEXT)
        sheet_text(sheet, field->name, card_field_text(card, field));
    else if (!card_field_number(card, field))
        return;
    else if (field->type == CARD_FIELD_BYTES)
        sheet_bytes(sheet, field->name, card_field_number(card, field));
    else
        sheet_number(sheet, field->name, card_field_number(card, field));
}

void card_print_memory(const struct card *card, struct sheet *sheet) {
    uint64_t tokens = card_usual_context(card);
    char key[48];
    if (card->kv_bytes) {
        (void)snprintf(key, sizeof key, "kv_cache_at_%" PRIu64, tokens); /* fits */
        sheet_bytes(sheet, key, card_kv_bytes(card, tokens));
    }
    if (card_memory_bytes(card, tokens))
        sheet_bytes(sheet, "memory_to_load", card_memory_bytes(card, tokens));
}

int print_card(const struct place *place, struct buf *to) {
    CARD_CLEANUP struct card card = {.type_count = 0};
    int result = card_of(place->tree->settings.manage, &place->model, &card);
    if (result)
        return result;
    char key[NAME_KEY_SIZE];
    struct sheet sheet;
    name_format(place->model.source, place->model.name, key);
    sheet_begin(&sheet, to, false);
    sheet_text(&sheet, "model", key);
    for (const struct card_field *field = card_fields; field->name; field++)
        print_field(&card, field, &sheet);
    print_types(&card, &sheet);
    card_print_memory(&card, &sheet);
    if (card.chat_template) {
        sheet_member(&sheet, "chat_template");
        (void)buf_format(to, "%zu bytes, in card.json\n", strlen(card.chat_template));
    }
    if (!card.whole)
        sheet_text(&sheet, "unread", "some heads of files are not here yet; opening card again reads them");
    sheet_end(&sheet);
    return 0;
}

int ready_card(const struct place *place, struct wait *wait) {
    return card_await(place->tree->settings.manage, place->model.id, wait);
}
