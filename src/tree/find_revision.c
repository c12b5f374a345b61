/* SPDX-License-Identifier: Apache-2.0 */

/* hf/ORG/NAME/revisions/: commits are folders, names of the source's and whole commits are links to them,
 * so that each folder has one place. */

#include <stdio.h>
#include <string.h>

#include "tree/find.h"
#include "tree/inside.h"
#include "tree/place.h"
#include "tree/print.h"

static void id_of(const char *commit, char to[static REVISION_ID_SIZE]) {
    (void)snprintf(to, REVISION_ID_SIZE, "%.*s", REVISION_ID_DIGITS, commit);
}

int find_revision(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait) {
    (void)wait;
    struct catalog_revision revision;
    if (strlen(name) != REVISION_ID_DIGITS)
        return -ENOENT;
    int result = catalog_find_revision(folder->tree->catalog, folder->model.id, name, &revision);
    if (result < 0 || strncmp(revision.commit, name, REVISION_ID_DIGITS) != 0)
        return result < 0 ? result : -ENOENT; /* a name of so many letters: it is a link */
    return found_set(ret_found, ROW_REVISION, (uint64_t)revision.id, name);
}

int list_revisions(const struct place *folder, uint64_t after, struct found *ret_found) {
    struct catalog_revision revision;
    char id[REVISION_ID_SIZE];
    int count = catalog_list_revisions(folder->tree->catalog, folder->model.id, (int64_t)after, &revision, 1);
    if (count <= 0)
        return count < 0 ? count : -ENOENT;
    id_of(revision.commit, id);
    return found_set(ret_found, ROW_REVISION, (uint64_t)revision.id, id);
}

int find_revision_name(const struct place *folder, const char *name, struct found *ret_found,
    struct wait *wait) {
    (void)wait;
    struct catalog_revision_name row;
    int result = catalog_find_revision_name(folder->tree->catalog, folder->model.id, name, &row);
    return result < 0 ? result : found_set(ret_found, ROW_REVISION_NAME, (uint64_t)row.id, name);
}

/* What holds a slash can't be a name in a folder: `use` takes it all the same. */
int list_revision_names(const struct place *folder, uint64_t after, struct found *ret_found) {
    struct catalog_revision_name row = {.id = (int64_t)after};
    int count;
    while (
        (count = catalog_list_revision_names(folder->tree->catalog, folder->model.id, row.id, &row, 1)) == 1)
        if (!strchr(row.name, '/'))
            return found_set(ret_found, ROW_REVISION_NAME, (uint64_t)row.id, row.name);
    return count < 0 ? count : -ENOENT;
}

int find_commit(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait) {
    (void)wait;
    struct catalog_revision revision;
    int result = catalog_find_revision(folder->tree->catalog, folder->model.id, name, &revision);
    return result < 0 ? result : found_set(ret_found, ROW_REVISION_COMMIT, (uint64_t)revision.id, name);
}

int list_nothing(const struct place *folder, uint64_t after, struct found *ret_found) {
    (void)folder, (void)after, (void)ret_found;
    return -ENOENT;
}

int print_revision_name(const struct place *place, struct buf *to) {
    char id[REVISION_ID_SIZE];
    id_of(place->revision_name.commit, id);
    return buf_text_add(to, id);
}

int print_commit(const struct place *place, struct buf *to) {
    char id[REVISION_ID_SIZE];
    id_of(place->revision.commit, id);
    return buf_text_add(to, id);
}
