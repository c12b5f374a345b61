/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_SETTING_H
#define WEIGHTFS_TREE_SETTING_H

/*
 * What a place in config/ is about: the options of the whole, which live as long as the tree, or those of a
 * model, which are a picture of now.
 */

#include "base/option.h"
#include "tree/place.h"

struct setting {
    const struct options *options;
    struct options *own;          /* to be freed; NULL */
    size_t index;                 /* places of one value: which */
    const struct option_row *row; /* and its row; else NULL */
};

/* 0, or -ENOENT: the model has no such setting (any more). */
int setting_open(const struct place *place, struct setting *ret_setting);
void setting_close(struct setting *setting);
#define SETTING_CLEANUP __attribute__((cleanup(setting_close)))

/* The command that sets the node's setting to the line `text`. -ERR_STALE. */
int setting_command(struct tree *tree, node_number node, const char *text, size_t len,
    struct buf *ret_command);

/* The number that stands for a model's setting in its node's generation: of 24 bits, made from its name. */
uint32_t setting_number(const char *name);

#endif
