/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_CHECK_H
#define WEIGHTFS_MANAGE_CHECK_H

/*
 * Checking files: are their bytes what they were when they were sealed, and are they what their format says?
 * Three ask for it: `validate` (validate.c), the scrub (scrub.c), and the end of a fetch, for what could
 * run code when they are loaded. The work is done on threads of its own, one a core, and one that is slow on
 * purpose for the scrub; each file's result comes back to the desk by itself. Everything here belongs to the
 * desk, but what is said to be a thread's.
 */

#include "manage/internal.h"
#include "model/catalog_check.h"
#include "model/finding.h"

/* What those who ask share with the files under way: counted, since a job may go before they have ended. */
struct check_run {
    unsigned references; /* desk */
    struct manage *manage;
    void *owner;           /* NULL: who asked is gone, results are of no use */
    atomic_bool cancelled; /* files under way end soon */
    _Atomic uint64_t read_bytes;
    /* Waits as its owner wishes; any thread. NULL: as fast as the disk. False: ends the file. */
    bool (*pace)(struct check_run *run, size_t bytes);
    bool direct;
};
struct check_run *check_run_new(struct manage *manage, void *owner);
void check_run_put(struct check_run *run); /* NULL is allowed */

enum file_checked {
    FILE_MISSING, /* not (all) here: nothing to be said */
    FILE_RIGHT,
    FILE_ROTTEN,   /* it was wrong, is out of service, and is fetched again where that is allowed */
    FILE_UNJUDGED, /* it could not be read for reasons of ours; also when it was cancelled */
};

struct file_check {
    struct work work;
    struct check_run *run;
    struct blob *blob;                        /* a reference; NULL: masked */
    void (*finish)(struct file_check *check); /* on the desk; frees it with file_check_free() */
    void *context;
    int64_t model_id;
    char *path;
    char digest[DIGEST_TEXT_SIZE];
    uint64_t size;
    bool bytes, structure; /* what is to be checked */
    /* The result: the thread's until finish(). */
    enum file_checked checked;
    int error;
    struct reason reason;
    uint64_t here_bytes; /* FILE_MISSING: so much is here */
    uint64_t read_bytes;
    bool looked; /* its structure was */
    struct findings findings;
};

/* Copies what it needs of the file. A reference to the run is taken. */
struct file_check *file_check_new(struct check_run *run, const struct catalog_model *model,
    const struct catalog_file *file);
void file_check_free(struct file_check *check);
/* To the threads; finish() comes, also when the run was cancelled and when the daemon ends. -errno: no thread
 * could be started; it is still the caller's. */
int file_check_submit(struct file_check *check, bool slow);
/* What is known of the bytes from now on: the catalogue's row, the events of what is wrong. For finish(). */
void file_check_remember(const struct file_check *check);

/* How many files should be under way to keep all threads at work. */
unsigned checks_width(void);
/* Of a blob that was just sealed as this file: that is a judgement; what could run code is looked at. */
void checks_sealed(struct manage *manage, const struct catalog_model *model, const struct catalog_file *file);
/* Before the store, its pool and the desk end: what is under way is cut short, and stands in the desk's queue
 * when this returns. Main thread. */
void checks_stop(struct manage *manage);

#endif
