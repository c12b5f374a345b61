/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_PLACE_H
#define WEIGHTFS_TREE_PLACE_H

/*
 * A place: a node number with all that its row is about read from the catalogue. Plain data on the
 * caller's stack, a picture of one moment; some 2 KiB.
 */

#include "model/catalog.h"
#include "model/catalog_by.h"
#include "model/catalog_chat.h"
#include "model/catalog_revision.h"
#include "tree/rows.h"
#include "weightfs/source.h"

struct place {
    struct tree *tree;
    const struct row *row;
    node_number node;
    uint64_t object;
    /* Folders that are walked through: who does; else NULL. Valid as long as that call. */
    const struct tree_caller *caller;
    const struct source *source; /* ABOUT_SOURCE, ABOUT_GROUP, ABOUT_MODEL, ABOUT_MODEL_OPTION */
    union {                      /* by row->about */
        struct {                 /* by/KIND/ and by/KIND/VALUE/; a link has its model */
            enum catalog_by kind;
            char value[CATALOG_LABEL_SIZE];
        } by;
        struct catalog_group group;
        struct catalog_model model;
        struct catalog_file file;
        struct catalog_job job;
        struct catalog_revision revision;
        struct catalog_revision_name revision_name;
        struct catalog_chat chat;
        size_t option; /* index for options_row() */
    };
};

/* A name of a page, with the place that it leads to. */
struct listed {
    struct found found;
    struct place place;
};

/* Reads what `node` is about. -ERR_STALE when it is no more, or never was: the kernel then walks there
 * again. */
int place_load(struct tree *tree, node_number node, struct place *ret_place);

/* What is about a conversation is its owner's alone, root included; everything else is anybody's. `caller`
 * NULL: taken up from a predecessor, who was asked before. */
bool place_is_open_to(const struct place *place, const struct tree_caller *caller);

/* The number that stands for an option in a node: of 31 bits, made from its name. */
uint32_t option_number(const char *name);

/* When what the place is about last changed as the catalogue tells it, in wall milliseconds; never 0. */
int64_t place_changed_ms(const struct place *place);

#endif
