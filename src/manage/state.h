/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_STATE_H
#define WEIGHTFS_MANAGE_STATE_H

/*
 * How a model is, in one word. Nobody sets it: it is what the blobs of the selected files say, with
 * the word of an open job that fetches on top, and the failure of the last pull behind it. So it is
 * true after a crash too, and when another daemon of the store fetches or evicts.
 *
 *                     pull                its turn                 all here, digests right
 *      absent ──────────────▶ queued ────────────▶ downloading ───────────────────────▶ ready
 *       ▲ │                    ▲  ▲ │                │  ▲  │                              │
 *       │ │ a reader     retry │  │ │ pause          │  │  │ for good                     │
 *       │ ▼              or    │  │ ▼                ▼  │  ▼                              │
 *      partial ────────▶ pull  │  └── paused ◀────────┘  │ failed                         │
 *       ▲                      │ resume │  no room, no   │   │                            │
 *       │                      │        └──network──────┘   │                            │
 *       │                      └────────────────────────────┤                            │
 *       │                                                   │  came wrong twice,         │
 *       └──────────────── evict, cancel, update ────────────┤  or rotted on the disk     │
 *                                                        corrupt ◀──────────────────────┘
 *
 * cancel leads from queued, downloading and paused to what the blobs say: absent, partial, ready or
 * corrupt. Readers fetch too: absent and partial become ready, or corrupt, without any job. `disabled` is
 * what absent and partial are called while disable_downloads=on. A model that is served elsewhere is
 * `remote`, and `absent` while its server does not list it.
 *
 * Each change that is noticed is an event `model.state` with `from` and `to`. Changes of jobs are
 * noticed at once, those of blobs some hundred milliseconds later: two quick ones are one event.
 * The table of what may follow what is in state.c; a change that is not in it is our own mistake, and
 * told in the log.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/catalog.h"

struct manage;

enum model_state { /* the numbers are in the catalogue */
    STATE_ABSENT,  /* known, nothing here */
    STATE_PARTIAL, /* something here */
    STATE_QUEUED,  /* a job waits for its turn */
    STATE_DOWNLOADING,
    STATE_PAUSED,  /* a job waits: for the world, for room, or for a person */
    STATE_READY,   /* all here, all digests right */
    STATE_FAILED,  /* the last pull failed for good */
    STATE_CORRUPT, /* a file came wrong twice: reads of it fail until `retry` */
    STATE_DISABLED,
    STATE_REMOTE,
    STATE_COUNT
};
const char *model_state_name(enum model_state state); /* "absent" … */
/* May a look that last found `from` find `to` next? (Pure.) */
bool model_state_may_follow(enum model_state from, enum model_state to);

#define VARIANTS_SIZE 256

struct model_report {
    enum model_state state;
    uint64_t files_total, files_here; /* of the selection */
    uint64_t bytes_total, bytes_here; /* of the selection */
    uint64_t bytes_missing;
    uint64_t speed;        /* bytes a second, 0 unknown */
    uint64_t seconds_left; /* UINT64_MAX unknown */
    int64_t job_id;        /* the open or last job that fetches; 0 */
    /* Why it is failed, paused, corrupt or locked, or tries again; else what readers last got, 0. Who
     * paused it stands in `reason` with error 0. */
    int error;
    struct reason reason;
    char variants[VARIANTS_SIZE]; /* of the selection, by commas; "" */
};
/* Any thread. May look at the disk for each file, unless it did so lately or a job knows. */
/* The last use of any of the model's files that are here, wall time; 0: none is. A stat a file. */
int64_t model_last_used_ms(struct manage *manage, const struct catalog_model *model);
int model_report(struct manage *manage, const struct catalog_model *model, struct model_report *ret_report);

#endif
