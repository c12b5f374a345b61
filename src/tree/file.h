/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_FILE_H
#define WEIGHTFS_TREE_FILE_H

/*
 * Model files: from a row of the catalogue to its blob. The blobs of files that were used of late are
 * kept at hand, so that an open costs no query.
 */

#include "model/catalog.h"
#include "store/store.h"
#include "tree/tree.h"

void files_init(struct tree *tree);
void files_done(struct tree *tree);

/* The blob of a file of the catalogue; a reference (blob_put). -EACCES when its digest is masked: the
 * source tells it to those with access only. -ERR_STALE when its revision is not the selected one any
 * more, unless `any_revision`. */
int file_blob(struct tree *tree, const struct catalog_file *file, bool any_revision, struct blob **ret_blob);
/* A node that shows any revision's file: under revisions/. */
bool file_of_any_revision(node_number node);

/* What an open needs, by the file's number. `is_locked`: the source lets us have nothing of the model. */
struct file_view {
    struct blob *blob; /* a reference */
    uint64_t size;
    bool is_locked;
    bool is_former; /* of a revision that is not the selected one */
    bool is_risky;  /* it may have to be refused: file_may_open() */
};
/* With unsafe_formats=refuse: 0, or -ERR_UNSAFE. Quick while no model refuses anything. */
int file_may_open(struct tree *tree, uint64_t file_id);
/* -ERR_STALE when there is no such file, or as file_blob(). */
int file_look(struct tree *tree, uint64_t file_id, bool any_revision, struct file_view *ret_view);

#endif
