/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_LOG_RING_H
#define WEIGHTFS_BASE_LOG_RING_H

/*
 * The last lines of the log, in memory; log.c's own. log_dump_ring() of log.h reads it without the lock: in a
 * crash a line that is being written may come out mixed, which is better than none.
 */

#include <stddef.h>

/* Keeps a line (without newline; cut to RING_LINE_SIZE between characters). Thread-safe. */
#define RING_LINES     128
#define RING_LINE_SIZE 320
void ring_add(const char *line, size_t len);

#endif
