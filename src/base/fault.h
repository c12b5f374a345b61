/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_FAULT_H
#define WEIGHTFS_BASE_FAULT_H

/*
 * Named fault points: places where the world can fail us. In builds without -DWEIGHTFS_FAULTS they are
 * nothing. With it, WEIGHTFS_FAULT=NAME:ACTION[:SKIP[:TIMES]][,NAME:…] arms them at start: ACTION is an errno
 * name (EIO, ENOSPC, …), `short` (for writes: half of it), `abort` (the process ends at once with _exit(99),
 * as a power cut would leave it), or `wait:PATH` (the thread waits, at most 60 s, until PATH exists: holds a
 * race open). SKIP hits pass first; then TIMES (default 1, `always`) fail. A point is a row here; `weightfs
 * --print-faults` lists them for the sweep (tests/fault).
 */

#include "base/err.h"

#define FAULT_TABLE(ROW)         \
    ROW(store_open_part)         \
    ROW(store_write_data)        \
    ROW(store_write_map)         \
    ROW(store_read_data)         \
    ROW(store_sync_data)         \
    ROW(store_sync_map)          \
    ROW(store_write_meta)        \
    ROW(store_rename_meta)       \
    ROW(store_seal_sync)         \
    ROW(store_seal_rename)       \
    ROW(store_seal_sync_folder)  \
    ROW(store_after_seal_rename) \
    ROW(store_evict_unlink)      \
    ROW(store_verify_open)       \
    ROW(store_verify_read)       \
    ROW(store_rot_rename)        \
    ROW(store_rot_meta)          \
    ROW(store_rot_unlink)        \
    ROW(store_lock)              \
    ROW(catalog_write)           \
    ROW(catalog_commit)          \
    ROW(fuse_backing_open)

enum fault_point {
#define FAULT_ENUM(name) FAULT_##name,
    FAULT_TABLE(FAULT_ENUM)
#undef FAULT_ENUM
        FAULT_END
};

#ifdef WEIGHTFS_FAULTS
/* 0: go on. Negative: fail with this error. FAULT_SHORT: do half of it. */
int fault_hit(enum fault_point point);
int fault_arm(const char *specification); /* before threads start; -EINVAL */
#define FAULT(name) fault_hit(FAULT_##name)
#else
#define FAULT(name) 0
static inline int fault_arm(const char *specification) {
    return specification && *specification ? -ENOTSUP : 0;
}
#endif
#define FAULT_SHORT 1

const char *fault_name(enum fault_point point);

#endif
