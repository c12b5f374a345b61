/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_CLOCK_H
#define WEIGHTFS_BASE_CLOCK_H

/*
 * The door for time, randomness and the environment. Deadlines are CLOCK_MONOTONIC milliseconds (clock_ms);
 * what is shown or kept is wall time. A test may shift both with WEIGHTFS_TEST_CLOCK_OFFSET_MS (read once).
 */

#include <stddef.h>
#include <stdint.h>

uint64_t clock_ms(void);     /* monotonic */
uint64_t clock_ns(void);     /* monotonic, for measurements */
int64_t clock_wall_ms(void); /* since 1970 */
/* "2026-11-21T11:40:00Z" */
#define CLOCK_STAMP_SIZE 24
const char *clock_stamp(char to[static CLOCK_STAMP_SIZE], int64_t wall_ms);
/* ISO 8601 as hubs write it ("2024-05-01T10:20:30.000Z") to ms since 1970; -EINVAL. */
int clock_parse(const char *text, int64_t *ret_wall_ms);

/* Between two tries for a lock that another process holds for a moment; bounded by the caller. For nothing
 * else. */
void clock_pause(unsigned ms);

/* 0 ≤ result < bound; not for secrets. */
uint32_t random_below(uint32_t bound);
/* `base_ms` × 2^attempt, at most `cap_ms`, with ±50 % jitter. */
uint64_t backoff_ms(unsigned attempt, uint64_t base_ms, uint64_t cap_ms);

/* This boot's id (32 hex digits and a NUL); the same for all processes until the machine restarts. */
#define BOOT_ID_SIZE 37
const char *boot_id(void);

/* getenv, but "" counts as unset. */
const char *environment(const char *name);

#endif
