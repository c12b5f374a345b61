/* SPDX-License-Identifier: Apache-2.0 */
/* What models are in a word or two, kept in the catalogue so that by/ is quick: category and format. Desk. */

#include <stdlib.h>
#include <string.h>

#include "manage/internal.h"
#include "manage/known.h"
#include "model/catalog_by.h"
#include "model/format.h"

/* Of the files that hold weights, the format that most bytes have, as far as names tell. */
static int find_format(struct manage *manage, const struct catalog_model *model,
    char to[static CATALOG_LABEL_SIZE]) {
    uint64_t bytes[FORMAT_END] = {0};
    struct catalog_file *page = mem_array(FILES_A_PAGE, sizeof *page);
    int64_t after_id = 0;
    int count = 0;
    while (model->revision_id && (count = catalog_list_files(manage->settings.catalog, model->revision_id,
                                      false, after_id, page, FILES_A_PAGE)) > 0) {
        for (int i = 0; i < count; i++)
            bytes[format_of_path(page[i].path)] += page[i].size;
        after_id = page[count - 1].id;
    }
    free(page);
    size_t best = FORMAT_UNKNOWN;
    for (size_t i = 0; i < FORMAT_END; i++)
        if (format_row((enum file_format)i)->is_weights && i != FORMAT_UNKNOWN &&
            (best == FORMAT_UNKNOWN ? bytes[i] > 0 : bytes[i] > bytes[best]))
            best = i;
    (void)text_copy(to, CATALOG_LABEL_SIZE, best == FORMAT_UNKNOWN ? "other" : format_row(best)->name);
    return count;
}

static int renew(struct manage *manage, const struct catalog_model *model, bool files_changed) {
    struct catalog_labels labels, before;
    int result = catalog_labels(manage->settings.catalog, model->id, &before);
    if (result < 0)
        return result;
    labels = before;
    _Static_assert(CATEGORY_SIZE <= CATALOG_LABEL_SIZE, "a category fits");
    model_category(manage, model, labels.category);
    if (files_changed || !*labels.format)
        result = find_format(manage, model, labels.format);
    if (result == 0 &&
        (strcmp(labels.category, before.category) != 0 || strcmp(labels.format, before.format) != 0))
        result = catalog_set_labels(manage->settings.catalog, model->id, &labels);
    return result;
}

void labels_renew(struct manage *manage, int64_t model_id) {
    struct catalog_model *model = mem_new(sizeof *model);
    int result = catalog_model(manage->settings.catalog, model_id, model);
    if (result == 0)
        result = renew(manage, model, true);
    if (result < 0 && result != -ENOENT)
        log_warning("by/ can't be kept up to date: %s", err_sentence(result));
    free(model);
}

void labels_renew_all(struct manage *manage) {
    enum { PAGE = 64 };
    struct catalog_model *page = mem_array(PAGE, sizeof *page);
    int64_t after_id = 0;
    int count, result = 0;
    while (result == 0 &&
           (count = catalog_list_models(manage->settings.catalog, 0, after_id, page, PAGE)) != 0) {
        result = count < 0 ? count : catalog_begin(manage->settings.catalog);
        for (int i = 0; i < count && result == 0; i++)
            result = renew(manage, &page[i], false);
        if (count > 0 && result == 0)
            result = catalog_commit(manage->settings.catalog);
        else if (count > 0)
            catalog_rollback(manage->settings.catalog);
        after_id = count > 0 ? page[count - 1].id : after_id;
    }
    if (result < 0)
        log_warning("by/ can't be kept up to date: %s", err_sentence(result));
    free(page);
}
