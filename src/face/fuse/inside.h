/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_FACE_FUSE_INSIDE_H
#define WEIGHTFS_FACE_FUSE_INSIDE_H

/*
 * What the files of this folder share: the face itself, and a request while it is being answered.
 */

#include <stdatomic.h>

#include <fuse_lowlevel.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "face/fuse/face.h"
#include "face/fuse/metrics.h"

/* The first libfuse that knows passing through. */
#define FACE_HAS_PASSTHROUGH (FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17))

#define FACE_READ_MOST    (1u << 20) /* the kernel asks for no more: max_pages is what max_write needs */
#define FACE_THREADS_MOST 64

struct backing;
struct notifier;
struct park;
struct state;
struct known;
struct listings;
struct polls;
struct waker;

struct face {
    const struct options *options;
    struct tree *tree;
    struct fuse_session *session;
    void (*ending)(void *context);
    void *ending_context;
    char *mountpoint; /* resolved; NULL when the session is a supervisor's */
    bool takeover;
    uint64_t mark;            /* the handle of what this daemon passes through; see open.c */
    uint64_t request_most_ms; /* how long a request may take, where the kernel has a limit; 0: any time */
    struct state *state;      /* what a successor must know; NULL: there will be none */
    struct park *park;
    struct backing *backing;
    struct notifier *notifier;
    struct known *known;       /* which folders the kernel may know */
    struct listings *listings; /* which folders' names it may keep */
    struct polls *polls;
    struct waker *waker; /* NULL: nobody is woken */

    struct lock init_lock;    /* PARK: only one thread may work on INIT */
    _Atomic bool initialised; /* INIT has been answered */
    _Atomic bool exiting;     /* the threads that take requests shall end */

    struct lock lock; /* QUEUE: all below */
    pthread_cond_t changed;
    bool stopping, ended; /* face_stop() was called; a thread that takes requests has ended */
    int error;            /* why it has; 0: unmounted */
    unsigned live;        /* threads that take requests */
    pthread_t threads[FACE_THREADS_MOST];
    unsigned thread_count;
};

/* A request: what its answer needs. */
struct call {
    fuse_req_t req;
    struct face *face;
    uint64_t unique; /* the kernel's number, with the resend bit */
    uint64_t node;
    enum operation operation; /* for the metrics and the trace */
    uint64_t start_ns;
};

/* loop.c: the kernel's number of the request that this thread is working on. libfuse keeps it to itself. */
uint64_t loop_unique(void);
/* Reads of up to FACE_READ_MOST bytes go into this thread's own buffer; valid until the thread's next use. */
void *loop_buffer(void);
void loop_buffer_done(void);
/* Starts the threads that take requests; -errno. */
int loop_start(struct face *face);
/* Makes them end, and waits for it. */
void loop_stop(struct face *face);
/* Takes a session over that had a daemon before: makes the INIT up, asks for what is pending. Before
 * loop_start(). */
void loop_take_over(struct face *face);

/* init.c */
void init_session(void *context, struct fuse_conn_info *connection);

/* operations.c: the kernel's requests, one row each. */
extern const struct fuse_lowlevel_ops face_operations;

/* walk.c, open.c, transfer.c: what the rows lead to. */
void walk_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void walk_getattr(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file);
void walk_setattr(fuse_req_t req, fuse_ino_t node, struct stat *to, int what, struct fuse_file_info *file);
void walk_readlink(fuse_req_t req, fuse_ino_t node);
void walk_statfs(fuse_req_t req, fuse_ino_t node);
void walk_getxattr(fuse_req_t req, fuse_ino_t node, const char *name, size_t size);
void walk_listxattr(fuse_req_t req, fuse_ino_t node, size_t size);
void link_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void link_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void link_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void link_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
    const char *new_name, unsigned flags);
void list_opendir(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file);
void list_readdir(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *file);
void list_readdirplus(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset,
    struct fuse_file_info *file);
void open_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file);
void open_release(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file);
void transfer_read(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *file);
void transfer_write(fuse_req_t req, fuse_ino_t node, const char *data, size_t size, off_t offset,
    struct fuse_file_info *file);
void transfer_flush(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file);

/* remove.c */
void remove_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);

/* answer.c: who asks, and the answers. Each ends the request; the call is not to be used after. */
struct call call_of(fuse_req_t req, enum operation operation, uint64_t node);
struct tree_caller caller_of(const struct call *call);
void answer_error(const struct call *call, int error); /* 0 or negative */
/* Reads know EINTR, EAGAIN and EIO only: whatever else happened, the bytes are not to be had. */
void answer_read_error(const struct call *call, int error);
void answer_entry(const struct call *call, const struct tree_entry *entry);
void answer_attributes(const struct call *call, const struct tree_entry *entry);
void answer_data(const struct call *call, const void *data, size_t size);
void answer_written(const struct call *call, size_t size);
void answer_link(const struct call *call, const char *target);
void answer_ready(const struct call *call, unsigned events); /* of poll() */
void answer_size(const struct call *call, size_t size);      /* of an extended attribute */
void answer_space(const struct call *call, const struct statvfs *space);
/* false: the caller has gone, and no RELEASE will come. A stream's descriptor has no position: libfuse has no
 * word for that. */
bool answer_open(const struct call *call, const struct fuse_file_info *file);
bool answer_open_stream(const struct call *call, uint64_t handle);
/* Gives the request up without a word: a successor gets it from the kernel. */
void answer_nothing(const struct call *call);
struct fuse_entry_param entry_param(const struct tree_entry *entry);

/* A raw notification without a body: RESEND, INC_EPOCH. 0 or -errno (-EINVAL: the kernel does not know
 * it). */
enum { NOTIFY_RESEND = 7, NOTIFY_INCREASE_EPOCH = 8 };
int notify_raw(struct face *face, int code);

#endif
