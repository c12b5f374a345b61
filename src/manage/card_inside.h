/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_CARD_INSIDE_H
#define WEIGHTFS_MANAGE_CARD_INSIDE_H

/*
 * One reading of a model's heads. Its stations, of which exactly one has it at any time:
 *
 *   pool   step()    parsers go over what is here; where bytes are missing they are asked for, and the parse
 *                    is given up
 *   store            the bytes come, or can't; then step() again, from the begin of that file
 *   desk   told()    what was learnt is kept, and who waits is told
 */

#include "manage/card.h"
#include "manage/internal.h"

#define CARD_PARTS  80
#define CARD_SHARDS 64
#define CARD_RANGES 64

enum card_part_kind {
    CARD_GGUF,
    CARD_SAFETENSORS,
    CARD_CONFIG,
    CARD_TOKENIZER_CONFIG,
    CARD_TEMPLATE_FILE,
    CARD_README,
    CARD_PART_KINDS
};

struct card_part {
    enum card_part_kind kind;
    struct catalog_file file;
};
struct card_parts { /* in the order in which they are read: the most trustworthy first */
    struct card_part array[CARD_PARTS];
    size_t count;
    bool cut; /* there are more shards than are read */
    char formats[CARD_TEXT];
};
/* The subject of a card is its first file of weights. -ERR_DATABASE. */
int card_parts_find(struct catalog *catalog, int64_t revision_id, struct card_parts *ret_parts);
const char *card_parts_subject(const struct card_parts *parts);

struct card_read {
    struct list link;  /* manage->card_reads, under lock */
    struct list waits; /* under lock: who opened the card */
    _Atomic(unsigned) refs;
    struct manage *manage;
    struct catalog_model model;
    struct card_parts parts;
    struct card card;
    bool incomplete; /* something could not be read */
    size_t at;       /* the part that is read */

    struct blob *blobs[CARD_PARTS]; /* in use until the end: a withdraw may still look at one */
    uint32_t generation;            /* of the part that is read */
    struct range {
        uint64_t from, to;
    } here[CARD_RANGES]; /* of it, asked for and come */
    size_t here_count;
    uint64_t chunk, asked_bytes; /* the next range's length; of all parts so far */

    struct wait inner;
    struct range asked; /* what inner waits for */
    _Atomic(unsigned)
        pending; /* how many have a hand on inner: the store, step(), who hurries it; the last goes on */
    int inner_result;
    _Atomic(bool) ends; /* out of time, or the manager stops */
    struct timer timer;
    struct work work;
};

/* Pool: as far as it goes. */
void card_step(struct work *work);
/* Desk: keeps the card, tells who waits, lets go. */
void card_told(struct work *work);
/* Takes back what the store waits for, if it does. */
void card_hurry(struct card_read *read);
void card_unref(struct card_read *read);

#endif
