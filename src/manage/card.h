/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_CARD_H
#define WEIGHTFS_MANAGE_CARD_H

/*
 * Cards of models: what stands in the heads of their files. Somebody who opens a card waits once, for
 * discover_timeout_s at most, while the heads of the selected weights and the small documents beside them are
 * read; what of them is not here is fetched block by block, some MB at most. What was learnt is kept in the
 * catalogue for the revision and its selection, so the next opens, also after a restart and offline, ask
 * nothing. What could not be read (offline, lazy=off, a server that fails) is left out, and tried again by an
 * open that comes later.
 */

#include "manage/manage.h"
#include "model/card.h"

/* For an open. 0: nothing more is to be learnt now; PARKED: finish(0) comes when that is so. Negative: the
 * model is gone. */
int card_await(struct manage *manage, int64_t model_id, struct wait *wait);
/* What is known: the kept card, or an empty one with what the catalogue tells (formats). Never asks the
 * network. The caller's to card_done(). */
int card_of(struct manage *manage, const struct catalog_model *model, struct card *ret_card);
/* Ends what is being read; before the http loop stops. */
void cards_shut(struct manage *manage);

#endif
