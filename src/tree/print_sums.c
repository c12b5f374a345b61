/* SPDX-License-Identifier: Apache-2.0 */

/* SHA256SUMS of a model: lines to check for what is selected, comments for the rest. */

#include <stdlib.h>
#include <string.h>

#include "tree/file.h"
#include "tree/inside.h"
#include "tree/place.h"
#include "tree/print.h"

#define BATCH 64

/* As sha256sum writes and reads odd names: a backslash in front of the line says that these are replaced. */
static const struct escape {
    char plain;
    const char *escaped;
} escapes[] = {{'\\', "\\\\"}, {'\n', "\\n"}, {'\r', "\\r"}};

static const char *escape_of(char plain) {
    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++)
        if (escapes[i].plain == plain)
            return escapes[i].escaped;
    return NULL;
}

void text_sums_line(struct buf *to, const char *sha256, const char *path, bool is_selected) {
    struct buf name BUF_CLEANUP = BUF_INIT;
    bool odd = false;
    for (const char *at = path; *at; at++) {
        const char *escaped = escape_of(*at);
        odd |= escaped != NULL;
        (void)buf_add(&name, escaped ? escaped : at, escaped ? strlen(escaped) : 1);
    }
    const char *mark = odd ? "\\" : "";
    if (!sha256[0])
        (void)buf_format(to, "# not known before it is here: %s%s\n", mark, buf_text(&name));
    else if (!is_selected)
        (void)buf_format(to, "# not pulled: %s%s  %s\n", mark, sha256, buf_text(&name));
    else
        (void)buf_format(to, "%s%s  %s\n", mark, sha256, buf_text(&name));
}

/* What the catalogue has not learnt the store may know: of files that are complete from the beginning, or
 * were completed by another daemon. */
static void find_sha256(struct tree *tree, struct catalog_file *file) {
    struct blob *blob;
    struct blob_info info;
    if (file->sha256[0] || file_blob(tree, file, true, &blob) < 0)
        return; /* then it stays unknown, and the line says so */
    blob_look(blob, &info);
    blob_put(blob);
    (void)text_copy(file->sha256, sizeof(file->sha256), info.sha256); /* the same size; "" when incomplete */
}

static int print_files(struct tree *tree, int64_t revision_id, struct buf *to) {
    struct catalog_file *files = mem_array(BATCH, sizeof(*files));
    int64_t after = 0;
    int count;
    while ((count = catalog_list_files(tree->catalog, revision_id, false, after, files, BATCH)) > 0) {
        for (int i = 0; i < count; i++) {
            find_sha256(tree, &files[i]);
            text_sums_line(to, files[i].sha256, files[i].path, files[i].selected);
        }
        after = files[count - 1].id;
    }
    free(files);
    return count;
}

int print_sums(const struct place *place, struct buf *to) {
    if (!place->model.revision_id)
        return buf_format(to, "# no file is known: %s\n", err_text(&place->model.reason, place->model.error));
    return print_files(place->tree, place->model.revision_id, to);
}

int print_revision_sums(const struct place *place, struct buf *to) {
    return print_files(place->tree, place->revision.id, to);
}
