/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_DOCS_H
#define WEIGHTFS_DAEMON_DOCS_H

/*
 * Pages that the program prints from its own tables: docs/tree.md, docs/options.md, docs/errors.md.
 * Nothing in them depends on the machine.
 */

#include <stdio.h>

/* `page`: tree, options, errors, metrics, all. An exit code. */
int docs_print(const char *page, FILE *to);
/* A fault point a line, for the sweep. An exit code. */
int docs_print_faults(FILE *to);
void docs_print_trace_keys(FILE *to);

#endif
