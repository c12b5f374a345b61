/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_BY_H
#define WEIGHTFS_TREE_BY_H

/*
 * by/KIND/VALUE/NAME: links to models, by state, category, format and origin, straight from indexes of the
 * catalogue; and by/loaded/NAME. Objects: bits 31…30 the kind; of a value below it a number made from its
 * name (so that it is the same in every version), of a link the model's id. A link's name is ORG--NAME,
 * before it SOURCE: where that is not hf, as name_to_file() writes it, so that it can be undone.
 */

#include "tree/rows.h"

/* The name of a model's link; -ENOENT: it can't have one. And back. */
int by_link_name(const struct catalog_model *model, char to[static 256]);
int by_find_model(struct tree *tree, const char *name, struct catalog_model *ret_model);

int find_kind(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait);
int list_kinds(const struct place *folder, uint64_t after, struct found *ret_found);
int find_value(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait);
int list_values(const struct place *folder, uint64_t after, struct found *ret_found);
int find_link(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait);
int list_links(const struct place *folder, uint64_t after, struct found *ret_found);
/* The target: "../../../hf/acme/tiny". */
int print_link(const struct place *place, struct buf *to);
/* --- by/loaded/NAME: by_loaded.c. Straight from the endpoint: which models have an engine that is ready. */
int find_loaded(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait);
int list_loaded(const struct place *folder, uint64_t after, struct found *ret_found);
int print_loaded(const struct place *place, struct buf *to); /* "../../hf/acme/tiny" */
/* Fills what the object of such a row is about; -ENOENT. */
int by_load(struct place *place);

#endif
