/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_TREE_H
#define WEIGHTFS_TREE_TREE_H

/*
 * What users see. The tree is declared, not coded: rows.c holds a table a directory, a row a name.
 * lookup, getattr, readdir, open, read, write, README and docs/tree.md come from the row.
 *
 * Node numbers (the kernel's node ids) are numbers that another daemon understands:
 *
 *     bits 63…56  row      the row's fixed number (never used again for another)
 *     bits 55…24  object   catalogue id of the model, file, group, job; a number made from an option's
 *                          name; 0 for rows that are single
 *     bits 23…0   generation  of a model file's blob; of a model's setting: a number made from its
 *                          name; 0 for everything else
 *
 * The root is row 0, object 0, generation 1 = FUSE's number 1. st_ino is the number, of model files with
 * generation 0, so that the incomplete and the complete node of one file are one inode to users, and so
 * are its nodes in files/ and in revisions/ID/files/.
 *
 * The tree knows no FUSE: face/ translates. Threads: any. Nothing here waits; what has to is PARKED on
 * a wait of the face's.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/metric.h"
#include "base/wait.h"
#include "manage/manage.h"

typedef uint64_t node_number;
#define NODE_ROOT ((node_number)1)
node_number node_make(unsigned row, uint64_t object, uint32_t generation);
unsigned node_row(node_number node);
uint64_t node_object(node_number node);
uint32_t node_generation(node_number node);
node_number node_inode(node_number node); /* for st_ino */

enum node_kind {
    NODE_FOLDER,
    NODE_TEXT,       /* printed; snapshot at open; direct_io */
    NODE_CONTROL,    /* text to read, lines of commands to write; direct_io */
    NODE_STREAM,     /* events: grows; direct_io */
    NODE_WAIT,       /* reading blocks until nothing is under way; direct_io */
    NODE_MODEL_FILE, /* bytes of a blob: cached (odd generation) or passed through (even) */
    NODE_LINK,
    NODE_VALUE,    /* a setting: text to read, its new value to write; direct_io */
    NODE_DOCUMENT, /* text to read; what is written is submitted whole at tree_release; direct_io */
    NODE_QUESTION, /* text to read; what anybody writes is asked at tree_release; direct_io */
    NODE_ANSWER,   /* what the opener was answered last: grows, and waits for more; direct_io */
    NODE_FAILURE,  /* why that failed; direct_io */
    NODE_EXCHANGE, /* written as a question, read as the answer to it; direct_io */
    NODE_ASK       /* both on one descriptor, without offsets (tree_open.is_stream); read-only: a text */
};

/* What a node is, by its row alone: nothing is looked up. NODE_FOLDER for a number that no row has. */
enum node_kind node_kind(node_number node);
/* Reading it may give an answer: it takes as long as that takes, can be polled, and may fail in any way. */
bool node_is_answer(node_number node);

struct tree;
struct infer;

struct tree_settings {
    struct manage *manage;
    struct infer *infer; /* NULL: there is no endpoint */
    uid_t uid;           /* who owns the files: whoever mounted */
    gid_t gid;
    const char *version;
    const char *mountpoint;
    /* What only the face knows, for status: called without locks; may be NULL. */
    void (*face_figures)(void *context, uint64_t *ret_parked, bool *ret_passthrough);
    void *context;
    const struct metric_section *metrics; /* of the other floors, for `metrics`; NULL: none */
};
/* Metrics of this floor; their functions want the tree. */
extern const struct metric_row tree_metrics[];
/* Listens to the bus from now on. */
int tree_new(const struct tree_settings *settings, struct tree **ret_tree);
/* The face has gone: news is heard, but followed no more, and nothing of the tree runs when this returns. So
 * the floors below, which go on telling news while they end, may go. */
void tree_shut(struct tree *tree);
/* Nobody publishes any more; the store and the catalogue are still there. */
void tree_free(struct tree *tree);

/* What lookup and getattr answer. Times: how long the kernel may believe it, in milliseconds. */
struct tree_entry {
    node_number node;
    enum node_kind kind;
    struct stat stat; /* st_ino, st_mode, st_nlink, st_size, st_blocks, st_blksize, times, owner */
    unsigned entry_ms, attr_ms;
};

struct tree_caller {
    uid_t uid;
    gid_t gid;
    pid_t pid;
    uint64_t unique; /* of the request */
    bool resent;
};

/* 0, PARKED (ask again when the wait finishes with 0), or a negative error (-ENOENT …). Some names are the
 * caller's own (chats/): `caller` NULL has none of those. `wait` NULL: what is not known is -ENOENT, nobody
 * is asked about it. */
int tree_lookup(struct tree *tree, node_number parent, const char *name, const struct tree_caller *caller,
    struct tree_entry *ret_entry, struct wait *wait);
/* `caller` may be NULL: what is his own (how long his answer is by now) then counts as nothing. */
int tree_getattr(struct tree *tree, node_number node, const struct tree_caller *caller,
    struct tree_entry *ret_entry);
int tree_readlink(struct tree *tree, node_number node, struct buf *ret_target);

/* Calls `add` with one entry after the other, from `offset` on (0 begins; "." and ".." are the face's),
 * until it wants no more or there are none: 0. `next` is the offset behind the entry: stable, a number and
 * not a position. `with_attributes`: the stat is filled, else node, kind, st_ino and st_mode only. An error
 * may come after entries: those were given. */
typedef bool tree_add(void *context, const char *name, const struct tree_entry *entry, uint64_t next);
int tree_list(struct tree *tree, node_number folder, const struct tree_caller *caller, uint64_t offset,
    bool with_attributes, tree_add *add, void *context);

/* true: what the folder holds changes only when this number rises (with another revision of any model), and
 * the kernel may keep a listing of it. Nothing is looked up. */
bool tree_listing_version(struct tree *tree, node_number folder, uint64_t *ret_version);

/* Before an open that does not come here, since the node is passed through already: 0, or why not. */
int tree_may_open(struct tree *tree, node_number node);

/* Open. `flags` are open(2)'s. *ret_handle is a number: 0 is none. For NODE_MODEL_FILE the blob is in
 * use until tree_release. -EROFS/-EPERM/-EACCES for what may not be written, PARKED never. */
struct tree_open {
    uint64_t handle;
    enum node_kind kind;
    uint32_t generation; /* model files: odd: open cached; even: may pass through */
    bool is_stream; /* it has no offsets: reads and writes of the descriptor must not wait for each other */
};
int tree_open(struct tree *tree, node_number node, int flags, const struct tree_caller *caller,
    struct tree_open *ret_open);
/* Before tree_open() of a text for reading: 0, or PARKED until what it says is known, once and bounded;
 * finish(0) also when that could not be learnt. An error: the node is gone. */
int tree_open_await(struct tree *tree, node_number node, int flags, struct wait *wait);
/* The blob of an open model file: for passing through and reading. A reference of the caller's
 * (blob_put). A handle that this daemon did not give out (a predecessor did) is understood by its node
 * number. */
int tree_blob(struct tree *tree, node_number node, uint64_t handle, struct blob **ret_blob);
/* Model files: 0 (then tree_read gives the bytes), PARKED or an error. NODE_WAIT: PARKED until it can
 * be answered. Others: 0. */
int tree_read_await(struct tree *tree, node_number node, uint64_t handle, uint64_t offset, size_t size,
    const struct tree_caller *caller, struct wait *wait);
/* The count; 0 at the end. Never short for model files unless at their end. TREE_READ_AGAIN (no error of
 * any kind): another reader of the descriptor took what there was: tree_read_await() again. */
#define TREE_READ_AGAIN ((ssize_t)INT_MIN)
ssize_t tree_read(struct tree *tree, node_number node, uint64_t handle, uint64_t offset, void *data,
    size_t size);
/* Writing to a control file or a value (which takes one line; a document takes bytes in order: 0, or -EIO
 * after a gap): whole lines run at once (PARKED until committed: finish(count ≥ 0 is the
 * caller's to give, negative: the write's error)); an unterminated rest stays with the handle until
 * tree_flush. Returns PARKED, 0 (all taken, nothing to run), or an error; nothing is consumed on an
 * error. */
int tree_write(struct tree *tree, node_number node, uint64_t handle, uint64_t offset, const void *data,
    size_t size, const struct tree_caller *caller, struct wait *wait);
/* At FLUSH: runs the unterminated last line, if there is one: 0, PARKED, error. */
int tree_flush(struct tree *tree, node_number node, uint64_t handle, const struct tree_caller *caller,
    struct wait *wait);
void tree_release(struct tree *tree, node_number node, uint64_t handle);

/* setattr: size 0 on what can be written is accepted and does nothing (O_TRUNC by another name); everything
 * else -EROFS or -EPERM. */
int tree_truncate(struct tree *tree, node_number node, uint64_t size);

/* The link `default` in the root; and in chats/: rename gives a conversation another name, and unlink of its
 * `reply` ends what is being answered in it. 0 (of a symlink: a name that waits to be renamed is there),
 * PARKED until the command is committed, or an error: -EINVAL for a target that is no model's folder,
 * -EEXIST, -ENOENT, -ERR_NOT_ALLOWED, and what the command says. Elsewhere, and for other names:
 * tree_refuse(). */
int tree_symlink(struct tree *tree, node_number parent, const char *name, const char *target,
    const struct tree_caller *caller, struct wait *wait);
int tree_unlink(struct tree *tree, node_number parent, const char *name, const struct tree_caller *caller,
    struct wait *wait);
/* `flags` are renameat2(2)'s. */
int tree_rename(struct tree *tree, node_number parent, const char *name, node_number new_parent,
    const char *new_name, unsigned flags, const struct tree_caller *caller, struct wait *wait);

/* mkdir in chats/ makes a conversation of the caller's; elsewhere: tree_refuse(). 0, PARKED until it is
 * committed, or an error: -EEXIST, -EINVAL and -ENAMETOOLONG (the name), -EDQUOT. */
int tree_mkdir(struct tree *tree, node_number parent, const char *name, const struct tree_caller *caller,
    struct wait *wait);

/* What every other call that would change something in or at `node` answers (create, mkdir, mknod,
 * symlink, link, unlink, rmdir, rename with its folder; chmod, chown, utimes, setxattr … with itself):
 * -EROFS for the model's own files, -EPERM for what is ours. */
int tree_refuse(struct tree *tree, node_number node);

/* rmdir of a model's folder forgets it: PARKED (the end is finish()'s), -EBUSY and the sentence in the
 * root's ctl, -ENOENT. Of a conversation: it is gone with all that was said, and what is being answered in it
 * ends. Of anything else: tree_refuse(). */
int tree_rmdir(struct tree *tree, node_number parent, const char *name, const struct tree_caller *caller,
    struct wait *wait);

/* xattrs of model files: user.weightfs.{sha256,state,cached_bytes,source,revision}. The value into
 * `value`; -ENODATA. Names by NUL into `names`. */
int tree_getxattr(struct tree *tree, node_number node, const char *name, struct buf *ret_value);
int tree_listxattr(struct tree *tree, node_number node, struct buf *ret_names);

/* What df shows. */
struct tree_space {
    uint64_t total_bytes, available_bytes, files;
};
void tree_statfs(struct tree *tree, struct tree_space *ret_space);

/* News that the kernel must hear: the face's notifier registers one listener; it is called on any
 * thread, without locks, and only takes note. `expire`: the name in `parent` leads to another node
 * now. `attributes`: what getattr said of `node` is old. */
struct tree_change {
    bool expire;
    node_number parent;
    char name[256];
    node_number node;
};
/* NULL ends it: then no call is under way any more, and none comes. */
typedef void (*tree_listener)(void *context, const struct tree_change *change);
void tree_listen(struct tree *tree, tree_listener listener, void *context);

/*
 * Watchers. inotify on a name of ours sees what processes do with it, not what the daemon changes; so the
 * face has a process of ours do something harmless with the names that changed. Which those are is a
 * column of the rows (`wakes`): kinds of news, some about an object.
 */
enum tree_wake {
    TREE_WAKE_MODEL = 1,    /* a model's state or status; object: the model, which may be gone */
    TREE_WAKE_JOB = 2,      /* object: the job */
    TREE_WAKE_SETTING = 4,  /* object: option_number() of its name */
    TREE_WAKE_EVENT = 8,    /* events grew; object: 0 */
    TREE_WAKE_PROGRESS = 16 /* bytes came, for whatever job is open; object: 0 */
};
/* Called on the publisher's thread under a lock of the tree's: only takes note. NULL ends it: then no call
 * is under way any more. */
typedef void (*tree_wake_listener)(void *context, enum tree_wake what, uint64_t object);
void tree_listen_wakes(struct tree *tree, tree_wake_listener listener, void *context);
/* Calls `add` with the names, below the mountpoint, that such news are about, and the folder each lies in
 * (its nearest whose node the kernel must know if anybody watches). `whole`: those that are single, for any
 * of the kinds in the bits `what`; else those of the one `object`. Reads the catalogue; holds no lock. */
typedef void (*tree_wake_add)(void *context, node_number folder, const char *path);
void tree_wakes_whole(struct tree *tree, unsigned what, tree_wake_add add, void *context);
void tree_wakes_of(struct tree *tree, enum tree_wake what, uint64_t object, tree_wake_add add, void *context);
/* The folder that jobs appear in, and the highest number that one has had so far. */
node_number tree_jobs_folder(void);
uint64_t tree_newest_job(struct tree *tree);

/* poll() of NODE_STREAM: is there more than the handle has read? Others: always. */
bool tree_is_readable(struct tree *tree, node_number node, uint64_t handle);
/* poll() of an answer for reading: 0: a read would not wait (behind the handle's last read); PARKED until
 * so. Asks what was written to NODE_ASK, as a read does. */
int tree_poll_await(struct tree *tree, node_number node, uint64_t handle, const struct tree_caller *caller,
    struct wait *wait);

/* docs/tree.md: every row with its mode and help. */
void tree_print_docs(struct buf *to);

#endif
