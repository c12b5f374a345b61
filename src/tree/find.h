/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_FIND_H
#define WEIGHTFS_TREE_FIND_H

/* Handlers of rows that are patterns, as struct row describes them, and of rows that are waited on. */

#include "tree/rows.h"

int find_source(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait);
int list_sources(const struct place *folder, uint64_t after, struct found *ret_found);
int find_job(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait);
int list_jobs(const struct place *folder, uint64_t after, struct found *ret_found);
int find_option(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait);
int list_options(const struct place *folder, uint64_t after, struct found *ret_found);
int find_group(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait);
int list_groups(const struct place *folder, uint64_t after, struct found *ret_found);
int find_model(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait);
int find_source_model(const struct place *folder, const char *name, struct found *ret_found,
    struct wait *wait);
int list_source_models(const struct place *folder, uint64_t after, struct found *ret_found);
int list_models(const struct place *folder, uint64_t after, struct found *ret_found);
int find_file(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait);
int page_files(const struct place *folder, uint64_t after, struct listed *array, size_t room);
/* find_revision.c */
int find_revision(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait);
int list_revisions(const struct place *folder, uint64_t after, struct found *ret_found);
int find_revision_name(const struct place *folder, const char *name, struct found *ret_found,
    struct wait *wait);
int list_revision_names(const struct place *folder, uint64_t after, struct found *ret_found);
int find_commit(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait);
int list_nothing(const struct place *folder, uint64_t after, struct found *ret_found);

/* One row by name, or the next of a listing, as what was found. */
int found_set(struct found *found, enum row_number row, uint64_t object, const char *name);

bool is_model_busy(const struct place *place);
int await_model(const struct place *place, struct wait *wait);
bool is_job_busy(const struct place *place);
int await_job(const struct place *place, struct wait *wait);

#endif
