/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_CATALOG_CARD_H
#define WEIGHTFS_MODEL_CATALOG_CARD_H

/* Cards (card.h) as the catalogue keeps them: one for each revision and what is selected of it. */

#include "base/buf.h"
#include "model/catalog.h"

/* The card's JSON is added to `ret_json`. `subject` names what the card is of: the file of weights that it
 * began with, or "". -ENOENT, -ERR_DATABASE. */
int catalog_card(struct catalog *catalog, int64_t revision_id, const char *subject, struct buf *ret_json);
/* Desk. Replaces it. */
int catalog_set_card(struct catalog *catalog, int64_t revision_id, const char *subject, const char *json);

#endif
