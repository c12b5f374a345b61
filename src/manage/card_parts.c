/* SPDX-License-Identifier: Apache-2.0 */

/* Which files a card is read from. */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "manage/card_inside.h"
#include "model/card_inside.h"
#include "model/variant.h"

static const struct {
    const char *name;
    enum card_part_kind kind;
} DOCUMENTS[] = {
    {"config.json", CARD_CONFIG},
    {"tokenizer_config.json", CARD_TOKENIZER_CONFIG},
    {"chat_template.jinja", CARD_TEMPLATE_FILE},
    {"README.md", CARD_README},
};

static bool add(struct card_parts *parts, enum card_part_kind kind, const struct catalog_file *file,
    size_t most) {
    if (parts->count >= most) {
        parts->cut = true;
        return false;
    }
    parts->array[parts->count].kind = kind;
    parts->array[parts->count++].file = *file;
    return true;
}

/* Weights of the model itself: sidecars (a projector, an adapter, an importance matrix) and second copies are
 * not. */
static bool is_weights(const struct catalog_file *file, enum file_format format) {
    const char *slash = strrchr(file->path, '/');
    if (variant_is_sidecar(file->path) || !strncasecmp(slash ? slash + 1 : file->path, "consolidated", 12))
        return false;
    return format == FORMAT_GGUF || format == FORMAT_SAFETENSORS;
}

/* The weights of one format, in one folder: of a repository with both the GGUF are one of many, the others
 * the model. */
struct choice {
    enum file_format format;
    bool is_top; /* directly in files/ */
};

static struct choice choose(const struct catalog_file *files, size_t count, struct choice so_far) {
    for (size_t i = 0; i < count; i++) {
        struct choice found = {format_of_path(files[i].path), !strchr(files[i].path, '/')};
        if (!is_weights(&files[i], found.format))
            continue;
        bool better = so_far.format == FORMAT_UNKNOWN || (found.is_top && !so_far.is_top) ||
                      (found.is_top == so_far.is_top && found.format == FORMAT_SAFETENSORS);
        so_far = better ? found : so_far;
    }
    return so_far;
}

static void take(struct card_parts *parts, const struct catalog_file *file, struct choice choice) {
    enum file_format format = format_of_path(file->path);
    if (format_row(format)->is_weights)
        card_add_text(parts->formats, sizeof parts->formats, format_row(format)->name);
    if (format == choice.format && is_weights(file, format) && (!strchr(file->path, '/') || !choice.is_top))
        (void)add(parts, format == FORMAT_GGUF ? CARD_GGUF : CARD_SAFETENSORS, file, CARD_SHARDS);
}

static int each_file(struct catalog *catalog, int64_t revision_id, struct card_parts *parts,
    struct choice *choice) {
    struct catalog_file *files = mem_array(FILES_A_PAGE, sizeof *files);
    int64_t after = 0;
    int count;
    while ((count = catalog_list_files(catalog, revision_id, true, after, files, FILES_A_PAGE)) > 0) {
        if (!parts)
            *choice = choose(files, (size_t)count, *choice);
        for (int i = 0; i < count && parts; i++)
            take(parts, &files[i], *choice);
        after = files[count - 1].id;
    }
    free(files);
    return count;
}

int card_parts_find(struct catalog *catalog, int64_t revision_id, struct card_parts *ret_parts) {
    struct choice choice = {FORMAT_UNKNOWN, false};
    *ret_parts = (struct card_parts){.count = 0};
    int result = each_file(catalog, revision_id, NULL, &choice);
    if (result >= 0)
        result = each_file(catalog, revision_id, ret_parts, &choice);
    for (size_t i = 0; i < sizeof DOCUMENTS / sizeof *DOCUMENTS && result >= 0; i++) {
        struct catalog_file file;
        result = catalog_find_path(catalog, revision_id, DOCUMENTS[i].name, &file);
        if (!result && !file.is_folder)
            (void)add(ret_parts, DOCUMENTS[i].kind, &file, CARD_PARTS);
        result = result == -ENOENT ? 0 : result;
    }
    return result < 0 ? result : 0;
}

const char *card_parts_subject(const struct card_parts *parts) {
    bool has_weights = parts->count && parts->array[0].kind <= CARD_SAFETENSORS;
    return has_weights ? parts->array[0].file.path : "";
}
