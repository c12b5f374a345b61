/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_CHAT_H
#define WEIGHTFS_TREE_CHAT_H

/*
 * infer/chats/: conversations as folders. A name is of the caller's: the same name leads each user to his own
 * or nowhere, so that the kernel may believe none (row CHAT), and whoever comes to a node of another's is
 * refused, root too. Unlike documents elsewhere `system` is set by each flush: closing tells whether it was,
 * and who asks next is asked with it.
 */

#include "infer/infer.h"
#include "tree/handle.h"
#include "tree/place.h"

/* By the row alone: is the node one of a conversation? The folder that they are in? */
bool chat_is_about(node_number node);
bool chat_is_among(node_number node);

int find_chat(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait);
int list_chats(const struct place *folder, uint64_t after, struct found *ret_found);
int print_chat_system(const struct place *place, struct buf *to);
int print_chat_params(const struct place *place, struct buf *to);
int print_chat_history(const struct place *place, struct buf *to);
int print_chat_status(const struct place *place, struct buf *to);

/* Who asks what at its `prompt`, or reads at its `reply`. -ERR_STALE: the conversation is gone. */
int chat_asking(struct tree *tree, node_number node, uid_t uid, struct infer_asking *ret_asking);
/* What went wrong with the conversation itself, as a line for `error`; nothing when nothing did. */
void chat_print_trouble(struct tree *tree, node_number node, struct buf *to);

/* --- Changes, chat_change.c: as the functions of tree.h that they are a part of --- */

int chat_rmdir(const struct place *folder, const char *name, const struct tree_caller *caller,
    struct wait *wait);
int chat_rename_folder(struct tree *tree, node_number parent, const char *name, node_number new_parent,
    const char *new_name, unsigned flags, const struct tree_caller *caller, struct wait *wait);
int chat_unlink(struct tree *tree, node_number parent, const char *name, const struct tree_caller *caller);
int chat_params_write(struct tree *tree, struct handle *handle, const char *text, size_t len,
    struct wait *wait);
int chat_system_write(struct tree *tree, struct handle *handle, uint64_t offset, const void *data,
    size_t size);
/* At release: what was opened to be emptied, and closed without a word, is empty (`: > system`). */
void chat_release(struct tree *tree, const struct handle *handle);
int chat_system_flush(struct tree *tree, node_number node, uint64_t number, struct wait *wait);

#endif
