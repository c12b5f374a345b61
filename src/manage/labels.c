/* SPDX-License-Identifier: Apache-2.0 */
/* What models are in a word or two, kept in the catalogue so that by/ is quick: category and format. Desk. */

#include <stdlib.h>
#include <string.h>

#include "manage/internal.h"
#include "manage/known.h"
#include "model/catalog_by.h"
#include "model/catalog_mark.h"
#include "model/format.h"
#include "outside/digest.h"
#include "weightfs/version.h"

#define LABELS_MARK "labels"

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

/* What the model's labels are now. Settings and the registry are asked, whose lock ranks above the
 * catalogue's: not inside of a transaction. *ret_changed: they are others than the catalogue has. */
static int find_labels(struct manage *manage, const struct catalog_model *model, bool files_changed,
    struct catalog_labels *ret_labels, bool *ret_changed) {
    struct catalog_labels labels, before;
    int result = catalog_labels(manage->settings.catalog, model->id, &before);
    if (result < 0)
        return result;
    labels = before;
    _Static_assert(CATEGORY_SIZE <= CATALOG_LABEL_SIZE, "a category fits");
    model_category(manage, model, labels.category);
    if (files_changed || !*labels.format)
        result = find_format(manage, model, labels.format);
    if (result < 0)
        return result;
    *ret_labels = labels;
    *ret_changed = strcmp(labels.category, before.category) != 0 || strcmp(labels.format, before.format) != 0;
    return 0;
}

void labels_renew(struct manage *manage, int64_t model_id) {
    struct catalog_model *model = mem_new(sizeof *model);
    struct catalog_labels labels;
    bool changed = false;
    int result = catalog_model(manage->settings.catalog, model_id, model);
    if (result == 0)
        result = find_labels(manage, model, true, &labels, &changed);
    if (result == 0 && changed)
        result = catalog_set_labels(manage->settings.catalog, model_id, &labels);
    if (result < 0 && result != -ENOENT)
        log_warning("by/ can't be kept up to date: %s", err_sentence(result));
    free(model);
}

/* ---- all of them, a page at a time: first what is to be written, then the writing of it ---- */

struct labelled {
    int64_t model_id;
    struct catalog_labels labels;
};

static int write_page(struct manage *manage, const struct labelled *array, size_t count) {
    if (!count)
        return 0;
    int result = catalog_begin(manage->settings.catalog);
    if (result < 0)
        return result;
    for (size_t i = 0; i < count && result == 0; i++)
        result = catalog_set_labels(manage->settings.catalog, array[i].model_id, &array[i].labels);
    if (result == 0)
        return catalog_commit(manage->settings.catalog);
    catalog_rollback(manage->settings.catalog);
    return result;
}

/* Settings of models tell of their changes by themselves; the registry may be another one at each start. */
static void make_mark(struct manage *manage, char to[static SHA256_HEX_SIZE]) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    struct registry *registry REGISTRY_CLEANUP = manage_registry(manage);
    (void)buf_format(&text, "%s\n", WEIGHTFS_VERSION); /* no limit: none of these can fail */
    for (size_t i = 0; i < registry_count(registry); i++) {
        const struct registry_entry *entry = registry_entry(registry, i);
        (void)buf_format(&text, "%s %s\n", entry->key, entry->category);
    }
    digest_of(text.data, text.len, to);
}

static int set_mark(struct manage *manage) {
    char mark[SHA256_HEX_SIZE];
    make_mark(manage, mark);
    return catalog_set_mark(manage->settings.catalog, LABELS_MARK, mark);
}

void labels_renew_all(struct manage *manage) {
    enum { PAGE = 64 };
    struct catalog_model *page = mem_array(PAGE, sizeof *page);
    struct labelled *changes = mem_array(PAGE, sizeof *changes);
    int64_t after_id = 0;
    int count, result = 0;
    while (result == 0 &&
           (count = catalog_list_models(manage->settings.catalog, 0, after_id, page, PAGE)) != 0) {
        size_t change_count = 0;
        result = count < 0 ? count : 0;
        for (int i = 0; i < count && result == 0; i++) {
            bool changed = false;
            changes[change_count].model_id = after_id = page[i].id;
            result = find_labels(manage, &page[i], false, &changes[change_count].labels, &changed);
            change_count += changed;
        }
        if (result == 0)
            result = write_page(manage, changes, change_count);
    }
    if (result == 0)
        result = set_mark(manage);
    if (result < 0)
        log_warning("by/ can't be kept up to date: %s", err_sentence(result));
    free(changes);
    free(page);
}

void labels_at_start(struct manage *manage) {
    char before[CATALOG_MARK_SIZE], now[SHA256_HEX_SIZE];
    make_mark(manage, now);
    if (catalog_mark(manage->settings.catalog, LABELS_MARK, before) < 0 || strcmp(before, now) != 0)
        labels_renew_all(manage);
}
