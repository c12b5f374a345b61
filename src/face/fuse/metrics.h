/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_FACE_FUSE_METRICS_H
#define WEIGHTFS_FACE_FUSE_METRICS_H

/*
 * What the face counts. The rows are face_metrics[] (face.h); these are its indices.
 */

#include "base/metric.h"

/* The kernel's requests: names for the trace and values of the label `operation`. */
#define OPERATION_TABLE(ROW)        \
    ROW(LOOKUP, "lookup")           \
    ROW(GETATTR, "getattr")         \
    ROW(SETATTR, "setattr")         \
    ROW(READLINK, "readlink")       \
    ROW(STATFS, "statfs")           \
    ROW(GETXATTR, "getxattr")       \
    ROW(LISTXATTR, "listxattr")     \
    ROW(OPENDIR, "opendir")         \
    ROW(READDIR, "readdir")         \
    ROW(READDIRPLUS, "readdirplus") \
    ROW(OPEN, "open")               \
    ROW(RELEASE, "release")         \
    ROW(READ, "read")               \
    ROW(WRITE, "write")             \
    ROW(FLUSH, "flush")             \
    ROW(POLL, "poll")               \
    ROW(LINK, "link") /* made, renamed or removed */ \
    ROW(RMDIR, "rmdir")             \
    ROW(REFUSED, "refused") /* all that would change what the tree declares: mkdir, rename … */

enum operation {
#define OPERATION_ENUM(name, text) OPERATION_##name,
    OPERATION_TABLE(OPERATION_ENUM)
#undef OPERATION_ENUM
        OPERATION_COUNT
};
const char *operation_name(enum operation operation);

enum face_metric {
    FACE_SECONDS, /* from when a request was taken to its answer, by operation; nanoseconds */
    FACE_ERRORS,  /* by operation */
    FACE_READ_BYTES,
    FACE_PASSED_OPENS,
    FACE_PARKED,
    FACE_PARKED_TOTAL,
    FACE_STALLS,
    FACE_INTERRUPTS,
    FACE_TURNED_AWAY,
    FACE_PASSTHROUGH,
    FACE_METRICS
};

#endif
