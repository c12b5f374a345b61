/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of a model's endpoint: system and params. */

#include "infer/inside.h"
#include "model/catalog_text.h"

void infer_text(struct infer *infer, int64_t model_id, const char *name, struct buf *to) {
    (void)catalog_text(manage_catalog(infer->settings.manage), model_id, name, to);
}
