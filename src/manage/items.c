/* SPDX-License-Identifier: Apache-2.0 */
/* From words to files: what a pull is about. */

#include "manage/internal.h"

#include <stdlib.h>
#include <string.h>

#include "model/variant.h"

int model_blob(struct manage *manage, const struct catalog_model *model, const struct catalog_file *file,
    struct blob **ret_blob) {
    const struct source *source = source_find(model->source);
    if (!source)
        return -ERR_UNKNOWN_MODEL; /* a row of a source that this build does not have */
    if (!*file->digest)
        return -ERR_GATED;
    const struct blob_origin origin = {
        .source = source,
        .file = {.model = model->name,
            .commit = file->commit,
            .path = file->path,
            .digest = file->digest,
            .size = file->size},
    };
    return blob_get(manage->settings.store, &origin, ret_blob);
}

static bool names_variant(const struct words *words, const char *variant) {
    for (size_t i = 0; i < words->count; i++)
        if (variant_equal(words->array[i], variant))
            return true;
    return false;
}

static bool names_path(const struct words *words, const char *path) {
    for (size_t i = 0; i < words->count; i++) {
        size_t len = strlen(words->array[i]);
        if (strncmp(path, words->array[i], len) == 0 && (path[len] == 0 || path[len] == '/'))
            return true;
    }
    return false;
}

/* Files of no variant come with a variant, not with a path: `pull config.json` is about that file alone. */
struct filter {
    const struct words *words;
    bool with_common;
};

static bool passes(const struct filter *filter, const struct catalog_file *file) {
    if (!filter->words->count)
        return file->selected;
    if (*file->variant ? names_variant(filter->words, file->variant) : filter->with_common)
        return true;
    return names_path(filter->words, file->path);
}

void variants_add(char list[static VARIANTS_SIZE], const char *variant) {
    static const char more[] = ",...";
    size_t len = strlen(list), extra = strlen(variant);
    for (const char *at = list; *at && *variant; at += strcspn(at, ","), at += *at == ',') {
        char known[NAME_VARIANT_SIZE];
        size_t known_len = strcspn(at, ",");
        if (known_len >= sizeof known)
            continue;
        memcpy(known, at, known_len);
        known[known_len] = 0;
        if (variant_equal(known, variant))
            return;
    }
    if (!extra || (len >= sizeof more && strcmp(list + len - strlen(more), more) == 0))
        return;
    if (len + 1 + extra + sizeof more > VARIANTS_SIZE) {
        memcpy(list + len, more, sizeof more);
        return;
    }
    if (len)
        list[len++] = ',';
    memcpy(list + len, variant, extra + 1);
}

static void add_item(struct items *items, size_t *room, const struct catalog_file *file) {
    if (items->count == *room) {
        *room = *room ? *room * 2 : 16;
        items->array = mem_resize(items->array, *room, sizeof *items->array);
    }
    struct item *item = &items->array[items->count++];
    *item = (struct item){.file_id = file->id, .size = file->size};
    memcpy(item->digest, file->digest, sizeof item->digest);
    items->bytes_total += file->size;
    if (!*items->variant && *file->variant)
        memcpy(items->variant, file->variant, sizeof items->variant);
    variants_add(items->variants, file->variant);
}

typedef bool visit_file(void *context, const struct catalog_file *file); /* false: enough */

static int each_file(struct manage *manage, int64_t revision_id, bool selected_only, visit_file *visit,
    void *context) {
    struct catalog_file *page = mem_array(FILES_A_PAGE, sizeof *page);
    int64_t after_id = 0;
    int count;
    bool more = true;
    while (more && (count = catalog_list_files(manage->settings.catalog, revision_id, selected_only, after_id,
                        page, FILES_A_PAGE)) > 0) {
        for (int i = 0; more && i < count; i++)
            more = visit(context, &page[i]);
        after_id = page[count - 1].id;
    }
    free(page);
    return more && count < 0 ? count : 0;
}

static bool find_variant_word(void *context, const struct catalog_file *file) {
    struct filter *filter = context;
    filter->with_common = *file->variant && names_variant(filter->words, file->variant);
    return !filter->with_common;
}

struct collection {
    struct filter filter;
    struct items items;
    size_t room;
};

static bool collect(void *context, const struct catalog_file *file) {
    struct collection *collection = context;
    if (passes(&collection->filter, file))
        add_item(&collection->items, &collection->room, file);
    return true;
}

int items_read(struct manage *manage, const struct catalog_model *model, const struct words *words,
    struct items *ret_items) {
    struct collection collection = {.filter = {.words = words}};
    int result = 0;
    if (!model->revision_id)
        return -ERR_GATED; /* only a model that tells nothing has none */
    if (words->count)
        result = each_file(manage, model->revision_id, false, find_variant_word, &collection.filter);
    if (result == 0)
        result = each_file(manage, model->revision_id, !words->count, collect, &collection);
    if (result < 0) {
        items_done(&collection.items);
        return result;
    }
    *ret_items = collection.items;
    return 0;
}

void item_learn_sha256(struct manage *manage, const char *digest, const struct blob_info *info) {
    if (digest_kind_of(digest) == DIGEST_SHA256 || !*info->sha256)
        return;
    if (catalog_set_sha256(manage->settings.catalog, digest, info->sha256) < 0)
        log_warning("blob %s: its SHA-256 can't be written to the catalogue", digest);
}

static int look_at(struct manage *manage, const struct catalog_model *model, const struct catalog_file *file,
    struct item *item) {
    struct blob *blob;
    struct blob_info info;
    int result = model_blob(manage, model, file, &blob);
    if (result == -ERR_GATED)
        return 0; /* masked: nothing is here, and the job will say why */
    if (result < 0)
        return result;
    blob_look(blob, &info);
    blob_put(blob);
    item->here = info.bytes_here;
    item->done = info.state == BLOB_COMPLETE;
    if (item->done && !*file->sha256) /* sealed when we did not listen, or empty and so never sealed */
        item_learn_sha256(manage, item->digest, &info);
    return 0;
}

int items_look(struct manage *manage, const struct catalog_model *model, struct items *items,
    uint64_t *ret_missing) {
    struct catalog_file *file = mem_new(sizeof *file);
    uint64_t missing = 0;
    int result = 0;
    for (size_t i = 0; result == 0 && i < items->count; i++) {
        struct item *item = &items->array[i];
        result = catalog_file(manage->settings.catalog, item->file_id, file);
        if (result == 0)
            result = look_at(manage, model, file, item);
        if (!item->done)
            missing += item->size - item->here;
    }
    free(file);
    if (result < 0)
        return result;
    *ret_missing = missing;
    return 0;
}

void items_done(struct items *items) {
    free(items->array);
    *items = (struct items){0};
}
