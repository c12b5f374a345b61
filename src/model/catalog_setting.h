/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_CATALOG_SETTING_H
#define WEIGHTFS_MODEL_CATALOG_SETTING_H

/*
 * What was written into config/: of the whole (catalog_setting, catalog_set_setting in catalog.h) and of each
 * model, which goes with its model. Values are kept as text: what they may be is not known here.
 */

#include "model/catalog.h"

#define CATALOG_VALUE_SIZE 4096 /* of a value, NUL included */

/* -ENOENT: it is not set. */
int catalog_model_setting(struct catalog *catalog, int64_t model_id, const char *name, char *to, size_t size);
/* 1: some model has this value; 0: none. */
int catalog_has_model_setting(struct catalog *catalog, const char *name, const char *value);
/* On the desk. `value` NULL: unset. */
int catalog_set_model_setting(struct catalog *catalog, int64_t model_id, const char *name, const char *value);

/* Inside a transaction: is it a variant of the model as it is known now? -ERR_UNKNOWN_VARIANT with the
 * nearest name in the reason. */
int catalog_check_variant(struct catalog *catalog, int64_t model_id, const char *word, struct reason *reason);

/* Is told of each setting, in order of their names; the texts live during the call. Calls nothing of the
 * catalogue's. */
typedef void (*catalog_setting_listener)(void *context, const char *name, const char *value);
/* `model_id` 0: those of the whole. */
int catalog_each_setting(struct catalog *catalog, int64_t model_id, catalog_setting_listener listener,
    void *context);
/* Those of the whole, from the file at `path`, which nobody need have opened: for what has to be known before
 * the catalogue is. 0 also when there is no file or no such table in it yet; -ERR_DATABASE. */
int catalog_peek_settings(const char *path, catalog_setting_listener listener, void *context,
    struct reason *reason);

#endif
