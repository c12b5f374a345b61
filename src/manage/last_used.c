/* SPDX-License-Identifier: Apache-2.0 */
/* When a model was last used: the store keeps it with each blob, as the access time of its file. */

#include <stdlib.h>

#include "manage/cleanup.h"

static int64_t file_used_ms(struct manage *manage, const struct catalog_file *file) {
    struct store *store = manage->settings.store;
    int64_t used_ms = *file->sha256 ? shelf_used_ms(store, file->digest, file->sha256) : 0;
    return used_ms || !*file->digest ? used_ms : shelf_used_ms(store, file->digest, "");
}

int64_t model_last_used_ms(struct manage *manage, const struct catalog_model *model) {
    struct catalog_file *page = mem_array(FILES_A_PAGE, sizeof *page);
    int64_t after_id = 0, last_ms = 0;
    int count;
    while ((count = catalog_list_files(manage->settings.catalog, model->revision_id, false, after_id, page,
                FILES_A_PAGE)) > 0) {
        for (int i = 0; i < count; i++) {
            int64_t used_ms = file_used_ms(manage, &page[i]);
            last_ms = used_ms > last_ms ? used_ms : last_ms;
        }
        after_id = page[count - 1].id;
    }
    free(page);
    return last_ms;
}
