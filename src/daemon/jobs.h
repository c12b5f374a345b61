/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_JOBS_H
#define WEIGHTFS_DAEMON_JOBS_H

/* The jobs of a mount, as a table or as a JSON array, on standard output. */

#include <stdbool.h>

/* `open_only`: those that have not ended. An exit code; the error's sentence was said. */
int jobs_print(const char *mount, bool open_only, bool as_json);

#endif
