/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_ACCESS_H
#define WEIGHTFS_DAEMON_ACCESS_H

/*
 * What each source knows of the configuration: made once when the daemon starts, then only read, from
 * any thread.
 */

#include "base/err.h"
#include "base/option.h"
#include "weightfs/source.h"

struct access_table;

/* Asks every source; a wrong address or an unreadable token file is an error here, and the reason says
 * which. */
int access_table_new(const struct options *options, struct access_table **ret_table, struct reason *reason);
void access_table_free(struct access_table *table); /* NULL is allowed */
/* access_of of the store and the manager; context is the table. Never NULL for a source of
 * source_table that is not remote. */
const struct source_access *access_table_of(void *context, const struct source *source);
/* A line for each source that will send a token: to whom, never what. */
void access_table_log(const struct access_table *table);

#endif
