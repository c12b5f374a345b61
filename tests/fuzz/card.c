/* SPDX-License-Identifier: Apache-2.0 */
/* What a model's card is read from, and the card as JSON: whatever comes, its fields are fit for a line, and
 * the catalogue, which keeps it as JSON, gives back what it was given. The first byte says what the rest is.
 */
#include "format-fuzz.h"
#include "model/card.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_gguf(struct card *card, const char *text, size_t len) {
    struct fuzz_file file = {(const uint8_t *)text, len, 0};
    must(card_read_gguf(card, "fuzz.gguf", &(struct format_reader){fuzz_read_at, &file, len}) == 0);
}

static void read_safetensors(struct card *card, const char *text, size_t len) {
    struct fuzz_file file = {(const uint8_t *)text, len, 0};
    must(card_read_safetensors(card, "fuzz", &(struct format_reader){fuzz_read_at, &file, len}) == 0);
}

static void read_json(struct card *card, const char *text, size_t len) {
    if (card_parse_json(text, len, card) < 0)
        *card = (struct card){.type_count = 0};
}

static void (*const readers[])(struct card *card, const char *text, size_t len) = {
    read_json,
    card_read_config,
    card_read_tokenizer_config,
    card_read_readme,
    card_read_template,
    read_gguf,
    read_safetensors,
};

static void check_fields(const struct card *card) {
    for (const struct card_field *field = card_fields; field->name; field++) {
        const char *text = field->type == CARD_FIELD_TEXT ? card_field_text(card, field) : "";
        size_t len = strlen(text);
        must(!*text || len < field->size);
        for (size_t at = 0, step; at < len; at += step) {
            step = utf8_char(text + at, len - at);
            must(step && (uint8_t)text[at] >= ' ');
        }
    }
    must(card->type_count <= CARD_TYPES);
    must(!card->chat_template || strlen(card->chat_template) <= CARD_TEMPLATE_MAX);
}

static void check_need(const struct card *card) {
    struct card_need need;
    card_need(card, &(struct card_load){.tokens = UINT64_MAX, .slots = 3, .gpu_layers = 1}, &need);
    must(need.ram >= need.projector || need.vram >= need.projector);
    (void)card_memory_bytes(card, card_usual_context(card));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CARD_CLEANUP struct card card = {.type_count = 0}, again = {.type_count = 0};
    BUF_CLEANUP struct buf text = BUF_INIT, first = BUF_INIT, second = BUF_INIT;
    if (!size)
        return 0;
    (void)buf_add(&text, data + 1, size - 1); /* no limit; and a NUL behind, as texts have that we read */
    readers[*data % (sizeof readers / sizeof *readers)](&card, buf_text(&text), text.len);
    card_conclude(&card);
    check_fields(&card);
    check_need(&card);
    card_print_json(&card, &first);
    must(card_parse_json(buf_text(&first), first.len, &again) == 0);
    card_print_json(&again, &second);
    if (first.len > CARD_TEMPLATE_MAX) /* bytes that are no UTF-8 became longer, and the template was cut */
        return 0;
    must(first.len == second.len && !memcmp(buf_text(&first), buf_text(&second), first.len));
    return 0;
}
