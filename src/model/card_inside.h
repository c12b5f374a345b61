/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_CARD_INSIDE_H
#define WEIGHTFS_MODEL_CARD_INSIDE_H

/* What the card's own files share. */

#include "model/card.h"

/* Sets what is not known yet; made fit for a line, and cut. */
void card_set_text(char *field, size_t size, const char *text);
#define CARD_SET(card, field, text) card_set_text((card)->field, sizeof(card)->field, (text))
static inline void card_set_number(uint64_t *field, uint64_t number) {
    *field = *field ? *field : number;
}
/* Numbers of hostile heads: UINT64_MAX is as much as that, or more. */
static inline uint64_t card_sum(uint64_t a, uint64_t b) {
    uint64_t result;
    return __builtin_add_overflow(a, b, &result) ? UINT64_MAX : result;
}
static inline uint64_t card_product(uint64_t a, uint64_t b) {
    uint64_t result;
    return __builtin_mul_overflow(a, b, &result) ? UINT64_MAX : result;
}
/* Adds to a list with ", " between, unless it is there. */
void card_add_text(char *field, size_t size, const char *text);
/* The first fault stays. */
void card_set_fault(struct card *card, const char *file, const struct findings *findings);
void card_add_tensor(struct card *card, const char *type, uint64_t elements, uint64_t bytes);
/* Keeps up to CARD_TEMPLATE_MAX bytes. */
void card_set_template(struct card *card, const char *text, size_t len);

#endif
