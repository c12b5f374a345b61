/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/inside.h"

#include "face/fuse/backing.h"

/* At the kernel's 12 a dozen parked reads would block all others, and releases. Parked ones we cap
 * ourselves. */
enum { BACKGROUND_MOST = 65535 };

/* What we say about each capability; the others stay as libfuse has them. */
static const struct wish {
    uint64_t flag;
    bool on;
} WISHES[] = {
    {FUSE_CAP_ASYNC_READ, true},      /* who is killed leaves while we go on fetching */
    {FUSE_CAP_PARALLEL_DIROPS, true}, /* else one slow lookup blocks ls */
    {FUSE_CAP_READDIRPLUS, true},
    {FUSE_CAP_READDIRPLUS_AUTO, true},
    {FUSE_CAP_ATOMIC_O_TRUNC, true},
    {FUSE_CAP_CACHE_SYMLINKS, false}, /* where our links lead changes, and no time of theirs tells */
    {FUSE_CAP_EXPIRE_ONLY, true},
    {FUSE_CAP_AUTO_INVAL_DATA, false}, /* bytes of a node never change: a new time drops no pages */
    {FUSE_CAP_EXPLICIT_INVAL_DATA, true},
    {FUSE_CAP_WRITEBACK_CACHE, false}, /* forbids passing through */
    {FUSE_CAP_EXPORT_SUPPORT, false},  /* "." and ".." are not looked up */
    {FUSE_CAP_SPLICE_READ, false},     /* loop.c looks at each request's head */
    {FUSE_CAP_SPLICE_WRITE, false},
    {FUSE_CAP_SPLICE_MOVE, false},
#ifdef FUSE_CAP_NO_EXPORT_SUPPORT
    {FUSE_CAP_NO_EXPORT_SUPPORT, true},
#endif
};

#if FACE_HAS_PASSTHROUGH

static bool is_possible(const struct fuse_conn_info *connection, uint64_t flag) {
    return connection->capable_ext & flag;
}

static void set(struct fuse_conn_info *connection, uint64_t flag, bool on) {
    if (on)
        (void)fuse_set_feature_flag(connection, flag); /* asked only for what is possible */
    else
        fuse_unset_feature_flag(connection, flag);
}

static bool ask_to_pass_through(struct fuse_conn_info *connection) {
    if (!is_possible(connection, FUSE_CAP_PASSTHROUGH)) {
        log_notice("this kernel can't pass files through: complete files are cached");
        return false;
    }
    set(connection, FUSE_CAP_PASSTHROUGH, true);
    connection->max_backing_stack_depth = 1; /* the store may lie on an overlay, as in containers */
    return true;
}

#else

static bool is_possible(const struct fuse_conn_info *connection, uint64_t flag) {
    return connection->capable & flag;
}

static void set(struct fuse_conn_info *connection, uint64_t flag, bool on) {
    if (on)
        connection->want |= (unsigned)flag;
    else
        connection->want &= ~(unsigned)flag;
}

static bool ask_to_pass_through(struct fuse_conn_info *connection) {
    (void)connection;
    log_notice("this libfuse (%s) can't pass files through: complete files are cached", fuse_pkgversion());
    return false;
}

#endif

void init_session(void *context, struct fuse_conn_info *connection) {
    struct face *face = context;
    for (size_t i = 0; i < sizeof WISHES / sizeof *WISHES; i++)
        if (!WISHES[i].on || is_possible(connection, WISHES[i].flag))
            set(connection, WISHES[i].flag, WISHES[i].on);
    connection->max_background = BACKGROUND_MOST;
    connection->congestion_threshold = BACKGROUND_MOST / 4 * 3;
    if (connection->max_write > FACE_READ_MOST)
        connection->max_write = FACE_READ_MOST;
    bool wanted = options_bool(face->options, "passthrough");
    backing_offer(face->backing, wanted && ask_to_pass_through(connection));
    trace(fuse, "init: protocol %u.%u", connection->proto_major, connection->proto_minor);
}
