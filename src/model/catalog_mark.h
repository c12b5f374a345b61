/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_CATALOG_MARK_H
#define WEIGHTFS_MODEL_CATALOG_MARK_H

/*
 * Marks: what something in the catalogue was made from, so that a start sees whether it must be made anew.
 * Names are ours, values short texts.
 */

#include "model/catalog.h"

#define CATALOG_MARK_SIZE 80

/* 0, -ENOENT, -ERR_DATABASE. */
int catalog_mark(struct catalog *catalog, const char *name, char to[static CATALOG_MARK_SIZE]);
/* On a thread that may wait for the disk. */
int catalog_set_mark(struct catalog *catalog, const char *name, const char *value);

#endif
