/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_MANUAL_H
#define WEIGHTFS_DAEMON_MANUAL_H

/* weightfs(1) in mdoc, from the table of verbs: docs/weightfs.1 is what this prints. */

#include <stdio.h>

int manual_print(FILE *to);

#endif
