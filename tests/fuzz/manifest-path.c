/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of a listing, one a line: whatever they are, what comes out are files in folders. */
#include "hf-fuzz.h"

static void check_conflicts(const struct manifest *manifest) {
    for (size_t i = 0; i < manifest->file_count; i++) {
        size_t len = strlen(manifest->files[i].path);
        for (size_t k = i + 1; k < manifest->file_count && k < i + 50; k++)
            must(strncmp(manifest->files[k].path, manifest->files[i].path, len) ||
                 manifest->files[k].path[len] != '/');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct manifest *manifest = manifest_new();
    const char *at = (const char *)data, *end = at + size;
    size_t lines = 0;
    (void)text_copy(manifest->model, sizeof manifest->model, "org/m");
    (void)text_copy(manifest->commit, sizeof manifest->commit, COMMIT);
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t len = line_end ? (size_t)(line_end - at) : (size_t)(end - at);
        must(manifest_add(manifest, at, len, len, "", true) == 0);
        at += len + 1;
        lines++;
    }
    must(manifest->file_count + manifest->refusal_count == lines);
    manifest_finish(manifest);
    must(manifest->file_count + manifest->refusal_count == lines);
    check_manifest(manifest);
    check_conflicts(manifest);
    manifest_free(manifest);
    return 0;
}
