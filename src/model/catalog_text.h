/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_CATALOG_TEXT_H
#define WEIGHTFS_MODEL_CATALOG_TEXT_H

/*
 * Texts that belong to a model and go with it: the system prompt and the parameters of its endpoint. What
 * they may be is not known here.
 */

#include "base/buf.h"
#include "model/catalog.h"

/* Adds it to `to`; -ENOENT: there is none. */
int catalog_text(struct catalog *catalog, int64_t model_id, const char *name, struct buf *to);
/* On a thread that may wait for the disk. `text` NULL or "": there is none. */
int catalog_set_text(struct catalog *catalog, int64_t model_id, const char *name, const char *text);

#endif
