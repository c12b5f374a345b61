/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_DOCUMENT_H
#define WEIGHTFS_TREE_DOCUMENT_H

/*
 * Documents: what is written is collected with the handle, and submitted whole when its last descriptor is
 * closed, never at a flush: shells send flushes before the first write and between writes. What went wrong
 * with one is told by `ctl`, since closing tells nobody.
 */

#include "tree/handle.h"

/* 0: taken. -EIO: a gap, or bytes again; -EFBIG; then nothing is submitted of this handle.
 * -ERR_NOT_ALLOWED. */
int document_write(struct tree *tree, struct handle *handle, uint64_t offset, const void *data, size_t size,
    const struct tree_caller *caller);
/* At release: submits what was collected, if it is whole; of a row with a command of its own, `none` when the
 * file was emptied (`: > system`) or given blanks. Returns at once; the outcome comes later. */
void document_submit(struct tree *tree, struct handle *handle);

#endif
