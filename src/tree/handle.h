/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_HANDLE_H
#define WEIGHTFS_TREE_HANDLE_H

/*
 * Open files. A handle is a number that the kernel gives back with each request. Numbers begin at the
 * time since the machine started, so that those of a daemon and of its successor differ; a number of a
 * predecessor's is taken up with what its node says (handle_adopt in open.c).
 */

#include "base/buf.h"
#include "base/list.h"
#include "infer/infer.h"
#include "store/store.h"
#include "tree/snapshot.h"

struct handle {
    struct list link;
    uint64_t number;
    node_number node;
    unsigned refs;              /* under handles.lock, as all that follows unless it says otherwise */
    struct snapshot *snapshot;  /* texts: what is read; NULL: to be made at the next read */
    struct buf pending;         /* control files and values: the line that has no end yet; documents and
                                * questions: all; failures: the sentence */
    struct tree_caller writer;  /* documents: who wrote last */
    bool patient;               /* a model file opened by one of our engines. Set once */
    int flags;                  /* open(2)'s; 0 of a predecessor's. Set once */
    bool append;                /* opened with O_APPEND: offsets say nothing. Set once */
    bool written;               /* values of lines: what was there before is gone; ask: not asked yet */
    bool spoilt;                /* documents, ask: nothing is submitted */
    uint64_t base;              /* events: the position that is offset 0; counts round */
    uint64_t read_to;           /* events, answers, ask: the position behind what was last read */
    bool adopted;               /* events: taken up from a predecessor, and not read yet; ask: taken up */
    uint64_t question;          /* questions: its number; 0: nothing was written yet */
    struct answer *answer;      /* answers: a reference; NULL: nothing was asked. Set once, but with each turn
                                * of an ask */
    struct infer_asking asking; /* ask: the turn's, once it is asked */
    bool talks;                 /* ask: opened to write and read. Set once */
    bool told;                  /* ask: `error` knows how the turn ended */
    bool watched;               /* ask: a reader was interrupted */
    struct blob *blob;          /* model files: in use. Set once, before the handle is in the table */
    uint64_t size;              /* the same */
};

void handles_init(struct tree *tree);
/* Ends all that is open: what the kernel did not release. */
void handles_done(struct tree *tree);

/* A handle that is in no table yet; handle_enter() puts it there (`number` 0: with a new number) and
 * takes over the caller's reference; another one of that number wins and is returned instead. Returns
 * a reference of the caller's. */
struct handle *handle_new(node_number node);
struct handle *handle_enter(struct tree *tree, struct handle *handle, uint64_t number);
/* A reference, or NULL: not one of ours, or of another node. */
struct handle *handle_find(struct tree *tree, node_number node, uint64_t number);
void handle_unref(struct tree *tree, struct handle *handle);
/* Takes it out of the table. */
void handle_remove(struct tree *tree, node_number node, uint64_t number);

/* Its snapshot, as a reference; NULL when there is none. Setting takes the reference over and puts the
 * former. */
struct snapshot *handle_snapshot(struct tree *tree, struct handle *handle);
void handle_set_snapshot(struct tree *tree, struct handle *handle, struct snapshot *snapshot);

/* Under handles.lock: may `size` more bytes be collected for it? All open questions together have
 * WRITTEN_MOST, so that descriptors by the thousand, each within its own limit, do not take all memory. */
#define WRITTEN_MOST (256u << 20)
bool handle_has_room(struct tree *tree, const struct handle *handle, size_t size);

/* The lowest base of all open handles of `node`; `fallback` when there is none. */
uint64_t handle_lowest_base(struct tree *tree, node_number node, uint64_t fallback);

#endif
