/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_TABLE_H
#define WEIGHTFS_DAEMON_TABLE_H

/*
 * Lines of words in columns, printed when all are known. Columns that begin with '>' in the heads are
 * set to the right.
 */

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS 8

struct table {
    const char *const *heads; /* NULL-ended, at most TABLE_COLUMNS */
    size_t columns;
    char **cells;
    size_t count; /* cells, not rows */
};

void table_init(struct table *table, const char *const *heads);
/* The next cell, row by row; copied, NULL and "" are "-". */
void table_add(struct table *table, const char *text);
void table_print(const struct table *table, FILE *to);
void table_done(struct table *table);

#endif
