/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_CATALOG_SETTING_NEXT_H
#define WEIGHTFS_MODEL_CATALOG_SETTING_NEXT_H

/* Models by a setting that they have, whatever its value. Threads and errors as in catalog.h. */

#include "model/catalog.h"

/* The first model with an id > `after_id` that has it: 0, -ENOENT. */
int catalog_next_with_setting(struct catalog *catalog, const char *name, int64_t after_id,
    int64_t *ret_model_id);

#endif
