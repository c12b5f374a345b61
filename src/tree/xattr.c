/* SPDX-License-Identifier: Apache-2.0 */

/* Extended attributes of model files, for tools that want to know a digest without reading. */

#include <inttypes.h>
#include <string.h>

#include "tree/file.h"
#include "tree/inside.h"
#include "tree/place.h"

#define PREFIX "user.weightfs."

struct about_file {
    const struct catalog_file *file;
    const struct catalog_model *model;
    const struct blob_info *info;
};

static int value_sha256(const struct about_file *about, struct buf *to) {
    const char *sha256 = about->file->sha256[0] ? about->file->sha256 : about->info->sha256;
    return sha256[0] ? buf_text_add(to, sha256) : -ENODATA;
}

static int value_state(const struct about_file *about, struct buf *to) {
    static const char *const words[] = {
        [BLOB_ABSENT] = "absent",
        [BLOB_PARTIAL] = "partial",
        [BLOB_FULL] = "verifying",
        [BLOB_VERIFIED] = "complete",
        [BLOB_COMPLETE] = "complete",
        [BLOB_CORRUPT] = "corrupt",
    };
    return buf_text_add(to, about->file->masked ? "masked" : words[about->info->state]);
}

static int value_cached_bytes(const struct about_file *about, struct buf *to) {
    return buf_format(to, "%" PRIu64, about->info->bytes_here);
}

static int value_source(const struct about_file *about, struct buf *to) {
    char key[NAME_KEY_SIZE];
    name_format(about->model->source, about->model->name, key);
    return buf_text_add(to, key);
}

static int value_revision(const struct about_file *about, struct buf *to) {
    return buf_text_add(to, about->file->commit);
}

static const struct attribute {
    const char *name;
    int (*value)(const struct about_file *about, struct buf *to);
} attributes[] = {
    {PREFIX "sha256", value_sha256},
    {PREFIX "state", value_state},
    {PREFIX "cached_bytes", value_cached_bytes},
    {PREFIX "source", value_source},
    {PREFIX "revision", value_revision},
};
#define ATTRIBUTE_COUNT (sizeof(attributes) / sizeof(attributes[0]))

static int value_of(struct tree *tree, node_number node, const struct attribute *attribute, struct buf *to) {
    struct place place;
    struct catalog_model model;
    int result = place_load(tree, node, &place);
    if (result < 0)
        return result;
    result = catalog_model(tree->catalog, place.file.model_id, &model);
    if (result < 0)
        return result == -ENOENT ? -ERR_STALE : result;
    struct blob_info info = {.state = BLOB_ABSENT};
    struct blob *blob;
    result = file_blob(tree, &place.file, file_of_any_revision(node), &blob);
    if (!result) {
        blob_look(blob, &info);
        blob_put(blob);
    } else if (result != -EACCES) {
        return result;
    }
    return attribute->value(&(struct about_file){&place.file, &model, &info}, to);
}

int tree_getxattr(struct tree *tree, node_number node, const char *name, struct buf *ret_value) {
    if (node_kind(node) != NODE_MODEL_FILE)
        return -ENODATA;
    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++)
        if (!strcmp(attributes[i].name, name))
            return value_of(tree, node, &attributes[i], ret_value);
    return -ENODATA;
}

int tree_listxattr(struct tree *tree, node_number node, struct buf *ret_names) {
    if (node_kind(node) != NODE_MODEL_FILE)
        return 0;
    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
        struct buf value BUF_CLEANUP = BUF_INIT;
        int result = value_of(tree, node, &attributes[i], &value);
        if (!result)
            result = buf_add(ret_names, attributes[i].name, strlen(attributes[i].name) + 1);
        if (result < 0 && result != -ENODATA)
            return result;
    }
    return 0;
}
