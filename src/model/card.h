/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_CARD_H
#define WEIGHTFS_MODEL_CARD_H

/*
 * What a model is, put together from the heads of its files: each card_read_X() takes one file and adds what
 * that one knows. A field that is known already stays: so the files are read in the order of how much they
 * are to be believed (weights, then configuration, then what people wrote). Everything read is hostile: texts
 * are cut at their field and made fit for a line, numbers are taken as they are said and only added up with
 * care. Pure; no locks.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/format.h"

#define CARD_TYPES        16
#define CARD_TEXT         128
#define CARD_TEMPLATE_MAX (64u << 10)
#define CARD_DOCUMENT_MAX (4u << 20)  /* of a JSON file or of README.md that is read for a card */
#define CARD_HEAD_MAX     (32u << 20) /* of the head of a file of weights */

struct card_type { /* of tensors */
    char name[16];
    uint64_t tensors, elements, bytes;
};

struct card {
    /* "" and 0: not known */
    char name[CARD_TEXT], architecture[CARD_TEXT], quantisation[CARD_TEXT], tokenizer[CARD_TEXT],
        licence[CARD_TEXT], languages[CARD_TEXT], category[CARD_TEXT], base_model[CARD_TEXT],
        formats[CARD_TEXT];
    char capabilities[CARD_TEXT], owner[CARD_TEXT]; /* of what is served elsewhere, as its server says */
    char fault[CARD_TEXT * 2];                      /* what was wrong with a head, with its file's name */
    uint64_t parameters, weights_bytes;
    uint64_t context_length, embedding_length, layers, heads, heads_kv, key_length, value_length;
    uint64_t kv_bytes; /* of keys and values for one token of context, at 16 bits a number */
    struct card_type types[CARD_TYPES];
    size_t type_count;
    char *chat_template; /* owned; NULL */
    bool whole;          /* everything was read that there is to read */
};

void card_done(struct card *card); /* frees, and leaves an empty one */
#define CARD_CLEANUP __attribute__((cleanup(card_done)))

/* Heads of weights. `file` names it in `fault`. 0, or the error of a failed read (what was added until then
 * counts: begin again with the card as it was before). */
int card_read_gguf(struct card *card, const char *file, const struct format_reader *reader);
int card_read_safetensors(struct card *card, const char *file, const struct format_reader *reader);
/* After the last file of weights: what follows from sums. */
void card_conclude(struct card *card);
/* Whole documents. What makes no sense is passed over. */
void card_read_config(struct card *card, const char *text, size_t len);           /* config.json */
void card_read_tokenizer_config(struct card *card, const char *text, size_t len); /* tokenizer_config.json */
void card_read_readme(struct card *card, const char *text, size_t len);   /* README.md's front matter */
void card_read_template(struct card *card, const char *text, size_t len); /* chat_template.jinja */

/* --- What loading takes: card_memory.c --- */

/* Bytes for keys and values at so many tokens; of all for loading with that by an engine's defaults, without
 * a GPU. 0: not known. */
uint64_t card_kv_bytes(const struct card *card, uint64_t tokens);
uint64_t card_memory_bytes(const struct card *card, uint64_t tokens);
#define CARD_USUAL_CONTEXT 4096 /* what engines take when nobody says, or all there is when that is less */
uint64_t card_usual_context(const struct card *card);

/* How an engine is going to load it. */
struct card_load {
    uint64_t tokens, slots;            /* of context in each slot, and how many of these: 0 is 1 */
    const char *key_type, *value_type; /* of the cache: "q8_0"; NULL, or unknown here: "f16" */
    uint64_t weights_bytes;            /* of their files: counts where the heads tell nothing */
    uint64_t projector_bytes;          /* of a second file of weights, for pictures */
    uint64_t gpu_layers;               /* how many of the layers a GPU holds; UINT64_MAX: all */
    bool repacks; /* without a GPU it keeps kinds of 4 bits once more, arranged for the processor */
};
struct card_need { /* bytes; UINT64_MAX: more than can be counted */
    uint64_t weights, repacked, cache, buffers, projector;
    uint64_t ram, vram; /* what all that is, in which memory */
};
/* Rather too much than too little: windows that keep less of the context are counted as if they kept all. */
void card_need(const struct card *card, const struct card_load *load, struct card_need *ret_need);

/* One JSON object, in one line; the template too. */
void card_print_json(const struct card *card, struct buf *to);
/* The reverse: unknown members are passed over. -ERR_JSON. `ret_card` is to be freed by card_done(). */
int card_parse_json(const char *text, size_t len, struct card *ret_card);

/* Every field with its name, in the order in which people read them: for printing lines. */
enum card_field_type { CARD_FIELD_TEXT, CARD_FIELD_NUMBER, CARD_FIELD_BYTES };
struct card_field {
    const char *name;
    enum card_field_type type;
    size_t offset, size;
};
extern const struct card_field card_fields[]; /* ended by a name of NULL */
const char *card_field_text(const struct card *card, const struct card_field *field);
uint64_t card_field_number(const struct card *card, const struct card_field *field);

#endif
