/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_FACE_FUSE_FACE_H
#define WEIGHTFS_FACE_FUSE_FACE_H

/*
 * FUSE and only FUSE: the kernel's requests to the tree and back. A fixed number of threads take requests,
 * do one walk each, and reply or park; reply threads read and answer what has become ready; a sweeper ends
 * what has lost patience; a notifier tells the kernel what changed. README.md in this folder has the
 * rules.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/metric.h"
#include "base/option.h"
#include "tree/tree.h"

struct face;

/* Rows of this floor: passthrough (on|off), allow_other, fuse_threads, max_parked, read_ahead_kib,
 * backing_linger_s … */
extern const struct option_row face_options[];
/* Metrics of this floor; their functions want the face. */
extern const struct metric_row face_metrics[];

struct face_settings {
    const struct options *options;
    /* absolute. "/dev/fd/N": an open /dev/fuse that somebody else (a supervisor) mounted and keeps */
    const char *mountpoint;
    const char *source_name; /* first column of /proc/mounts */
    /* the session on that descriptor had a daemon before: make the INIT up, then ask the kernel to send
     * again what is pending */
    bool takeover;
    const char *state_path; /* a file of this instance where backing ids are kept for a successor */
    /* Called first when face_run() ends, while requests are still answered: programs of ours that read the
     * mount are to end now, since nothing that they wait for will come. Bounded. NULL: there are none. */
    void (*ending)(void *context);
    void *context;
};

/* Do other users than the one who mounts see the mount (`allow_other`)? */
bool face_for_all(const struct options *options);

/* Mounts (clearing a stale mount of ours there first). The mount answers only while face_run() runs. */
int face_new(const struct face_settings *settings, struct face **ret_face, struct reason *reason);
/* The tree is made after the face (it shows the face's figures) and given to it before running. */
void face_set_tree(struct face *face, struct tree *tree);
/* Serves until unmounted or face_stop(); starts and ends its threads. `ready` is called once, on the
 * calling thread, when requests are being taken. */
int face_run(struct face *face, void (*ready)(void *context), void *context);
/* From any thread or a signal thread: ends face_run(). */
void face_stop(struct face *face);
/* Answers all that is parked (EIO), unmounts (lazily when busy) unless the session is a supervisor's,
 * frees. */
void face_free(struct face *face);
void face_figures(void *face, uint64_t *ret_parked, bool *ret_passthrough);

#endif
