/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "model/manifest.h"

#define REFUSAL_SHOWN 200 /* bytes of a refused path that are kept */

struct manifest *manifest_new(void) {
    return mem_new(sizeof(struct manifest));
}

void manifest_free(struct manifest *manifest) {
    if (!manifest)
        return;
    for (size_t i = 0; i < manifest->file_count; i++)
        free(manifest->files[i].path);
    for (size_t i = 0; i < manifest->refusals_kept; i++)
        free(manifest->refusals[i].path);
    free(manifest->files);
    free(manifest->refusals);
    free(manifest);
}

static char *printable(const char *path, size_t len) {
    char shown[REFUSAL_SHOWN];
    char *text = mem_new(len + 1);
    for (size_t i = 0; i < len; i++)
        text[i] = path[i] ? path[i] : '?';
    utf8_cut(shown, sizeof shown, text);
    utf8_tame(shown);
    free(text);
    return mem_text(shown);
}

void manifest_refuse(struct manifest *manifest, const char *path, size_t path_len, const char *fault) {
    manifest->refusal_count++;
    if (manifest->refusals_kept == MANIFEST_MAX_REFUSALS)
        return;
    if (!manifest->refusals)
        manifest->refusals = mem_array(MANIFEST_MAX_REFUSALS, sizeof manifest->refusals[0]);
    manifest->refusals[manifest->refusals_kept++] =
        (struct manifest_refusal){printable(path, path_len), fault};
}

/* The room is not kept: it is the next power of two from 16 on, so it grows whenever the count is one. */
static void make_room(struct manifest *manifest) {
    size_t count = manifest->file_count;
    if (count == 0)
        manifest->files = mem_resize(manifest->files, 16, sizeof manifest->files[0]);
    else if (count >= 16 && (count & (count - 1)) == 0)
        manifest->files = mem_resize(manifest->files, count * 2, sizeof manifest->files[0]);
}

int manifest_add(struct manifest *manifest, const char *path, size_t path_len, uint64_t size,
    const char *digest, bool masked) {
    const char *fault = name_path_fault(path, path_len);
    if (fault) {
        manifest_refuse(manifest, path, path_len, fault);
        return 0;
    }
    if (manifest->file_count == MANIFEST_MAX_FILES)
        return -ERR_TOO_LARGE;
    make_room(manifest);
    struct manifest_file *file = &manifest->files[manifest->file_count++];
    *file = (struct manifest_file){.size = size, .masked = masked};
    file->path = mem_new(path_len + 1);
    memcpy(file->path, path, path_len);
    (void)text_copy(file->digest, sizeof file->digest, digest); /* what does not fit is none: "" */
    return 0;
}

/* By path, and among equals as the listing had them: the pointers are into its array. */
static int in_order(const void *left, const void *right) {
    const struct manifest_file *const *a = left, *const *b = right;
    int order = strcmp((*a)->path, (*b)->path);
    return order ? order : (*a > *b) - (*a < *b);
}

static void sort(struct manifest *manifest) {
    size_t count = manifest->file_count;
    const struct manifest_file **order = mem_array(count, sizeof *order);
    struct manifest_file *sorted = mem_array(count, sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        order[i] = &manifest->files[i];
    qsort(order, count, sizeof *order, in_order);
    for (size_t i = 0; i < count; i++)
        sorted[i] = *order[i];
    free(order);
    free(manifest->files);
    manifest->files = sorted;
}

/* Is there a file below the folder `path`? The files are sorted. */
static bool is_folder(const struct manifest *manifest, const char *path) {
    size_t len = strlen(path), low = 0, high = manifest->file_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *at = manifest->files[middle].path;
        int order = strncmp(at, path, len);
        if (order == 0)
            order = (unsigned char)at[len] - '/';
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == manifest->file_count)
        return false;
    const char *first = manifest->files[low].path;
    return !strncmp(first, path, len) && first[len] == '/';
}

void manifest_finish(struct manifest *manifest) {
    if (manifest->file_count == 0)
        return;
    sort(manifest);
    /* Judged first, dropped after: is_folder() searches the whole array. */
    const char **faults = mem_array(manifest->file_count, sizeof *faults);
    for (size_t i = 0; i < manifest->file_count; i++) {
        if (i > 0 && !strcmp(manifest->files[i].path, manifest->files[i - 1].path))
            faults[i] = "it is listed twice";
        else if (is_folder(manifest, manifest->files[i].path))
            faults[i] = "there is a folder of the same name";
    }
    size_t kept = 0;
    for (size_t i = 0; i < manifest->file_count; i++) {
        struct manifest_file *file = &manifest->files[i];
        if (faults[i]) {
            manifest_refuse(manifest, file->path, strlen(file->path), faults[i]);
            free(file->path);
        } else {
            manifest->files[kept++] = *file;
        }
    }
    manifest->file_count = kept;
    free(faults);
}
