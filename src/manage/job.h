/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_JOB_H
#define WEIGHTFS_MANAGE_JOB_H

/*
 * Jobs: long work that is told of while it is done, that can be paused, cancelled and waited for,
 * and that a restart of the daemon goes on with. What kinds there are is a table (job_kinds.c); to add
 * one: a `const struct job_kind kind_X` in a file of its own, a line in that table, and a command that
 * calls job_add().
 *
 * Everything here belongs to the desk (internal.h), which never waits: work that takes long goes to a
 * pool or to threads of the kind's own. Their results come back through desk_submit(): the worker
 * keeps the job's id, never its pointer, and what it shares with the desk is counted by references,
 * since a job can be paused or cancelled at any time; job_of_id() on the desk says whether it is
 * still there, and job->work whether it is still the same run of it.
 *
 *   job_add()   the row is written (queued); committed together with the command's own effect
 *   begin()     it is its turn: places are free, nobody paused it. The state is `running` then
 *   step()      looks how far it is, calls job_came(), job_set_progress(), job_set_state(), job_end()
 *   stop()      before it ends, for a pause, or because the daemon ends. After the latter two
 *               begin() comes again, some time: what it needs to go on is in the row (words, memo,
 *               bytes_done) and in the rest of the catalogue
 */

#include "manage/internal.h"
#include "model/catalog_job.h"

struct live_job;

/* What a job does to its model: kinds and commands that contradict each other say so by these. */
enum job_does {
    JOB_FETCHES = 1, /* the model's state is queued, downloading or paused by it; it counts its bytes */
    JOB_CHECKS = 2,  /* reads all files, and may drop what is rotten */
    JOB_REMOVES = 4, /* evicts, forgets */
    JOB_SWITCHES = 8 /* selects another revision */
};

struct job_kind {
    const char *name;        /* as in jobs/ID/status: "pull" */
    const char *help;        /* one line */
    unsigned does, excludes; /* job_does bits. One that excludes what the other does is refused with EBUSY */
    /* The option that says how many jobs that name it run at once, the rest is queued; NULL: any number. */
    const char *most_option;
    /* Makes job->work. Negative: the job fails with it; what there is to say goes into job->sentence.
     * -ERR_DATABASE: it is tried again a little later. It may call job_set_progress(), not job_end(). */
    int (*begin)(struct live_job *job);
    /* Looks. May end the job, which is gone then. Called when job->dirty is set, and each TICK_MS. */
    void (*step)(struct live_job *job);
    /* Cancels what is under way without waiting for it, and frees job->work. `goes_on`: the daemon ends
     * or the job is paused; begin() comes again. */
    void (*stop)(struct live_job *job, bool goes_on);

    /* The following may be NULL. */
    void (*retry)(struct live_job *job); /* forget failures, try again at once */
    /* News of a blob: is the job to be looked at? */
    bool (*hears)(const struct live_job *job, const char *digest);
    /* Under the lock, for a kind that fetches: fills files, bytes and variants of the whole selection;
     * false: it is about a part of it. */
    bool (*report)(const struct live_job *job, struct model_report *report);
};
/* The table. NULL: none of that name; NULL after the last. */
const struct job_kind *job_kind_of(const char *name);
const struct job_kind *job_kind_row(size_t index);
size_t job_kind_index(const struct job_kind *kind);
#define JOB_KINDS_MOST 16
extern const struct job_kind kind_pull, kind_validate, kind_scrub, kind_update, kind_update_all, kind_cleanup;

struct live_job {
    struct list link; /* manage->jobs, in order of ids */
    struct manage *manage;
    const struct job_kind *kind;
    struct catalog_job row;     /* changes under the lock; others than the desk read it under the lock */
    struct catalog_model model; /* as it was when the job was last begun; id 0: about the whole */
    void *work;                 /* the kind's own; NULL unless begun */
    bool begun;                 /* between begin() and stop() */
    bool dirty;                 /* look at it now */
    struct reason sentence;     /* of begin()'s failure */

    uint64_t again_ms;   /* begin() is not tried before */
    uint64_t moved_ms;   /* when something was last done */
    uint64_t came_bytes; /* that were done in this run */
    uint64_t measured_ms, measured_bytes;
    uint64_t saved_ms, trouble_ms;
    uint64_t speed;    /* under lock: bytes a second, 0 unknown */
    struct list waits; /* under lock */
};

/* ---- asking for a job ---- */

/*
 * A new job of `kind`, queued. `words`: its arguments (words.c writes and reads them). Of a command
 * (`who` is what row->run was given): after command_begin(), and the job begins once the command is
 * committed, or never. Of the daemon itself: `who` NULL, committed here.
 * Nobody is asked whether it contradicts: job_refuse() does, before command_begin().
 */
int job_add(struct manage *manage, const struct job_kind *kind, int64_t model_id, const char *words,
    const struct command_request *who, int64_t *ret_id);
/* The same with more of the row filled in by the caller: words, memo, priority, bytes_total, bytes_done. */
int job_add_row(struct manage *manage, const struct job_kind *kind, int64_t model_id, struct catalog_job *row,
    const struct command_request *who, int64_t *ret_id);
/* -ERR_BUSY and who it is, when an open job of the model (0: one about the whole) and something that
 * `does` and `excludes` this contradict each other; 0. */
int job_refuse(struct manage *manage, int64_t model_id, unsigned does, unsigned excludes,
    struct reason *reason);

struct live_job *job_of_id(struct manage *manage, int64_t job_id); /* NULL: it has ended */
/* An open job of the model and the kind (NULL: of any) with these words (NULL: any). */
struct live_job *job_of_model(struct manage *manage, int64_t model_id, const struct job_kind *kind,
    const char *words);
/* "job 12 (pull) of uid 0, pid 411" */
void job_describe(const struct live_job *job, char *to, size_t size);

/* ---- for kinds, from begin() and step() ---- */

/* So many bytes were done since the last call: for speed and for stalls. */
void job_came(struct live_job *job, uint64_t bytes);
/* How far it is. What was told does not run backwards: `done` below the former one is passed over, also
 * over a restart. */
void job_set_progress(struct live_job *job, uint64_t bytes_done, uint64_t bytes_total);
/* Running or paused, and why it does not get on: the state with all that follows from it. */
void job_set_state(struct live_job *job, enum catalog_job_state state, int error, const char *reason);
/* Something failed and is tried again. */
void job_count_try(struct live_job *job);
/* Keeps `memo` in the row, at once. -ERR_BAD_VALUE: longer than CATALOG_MEMO_SIZE. */
int job_set_memo(struct live_job *job, const char *memo);
/* Ends it: stop(), the row, the event, who waits; the job is gone. `reason` may be NULL. */
void job_end(struct live_job *job, enum catalog_job_state state, int error, const char *reason);
/* An event with the job's error, and the news of it. */
void job_tell(struct live_job *job, const char *event);
/* Milliseconds since something was last done. */
uint64_t job_still_ms(const struct live_job *job);

/* ---- for the desk ---- */

/* The jobs that command->jobs has: their rows are committed. */
void jobs_open(struct manage *manage, struct list *jobs);
void jobs_drop(struct list *jobs); /* their rows were rolled back */
/* Takes up the jobs that the catalogue has as open. */
int jobs_take_up(struct manage *manage);
void job_retry(struct live_job *job);
/* Pauses it for a person: what runs is stopped, and its place is free. Kept over restarts. */
void job_hold(struct live_job *job, int64_t uid);
/* Takes that back; false: the whole is paused still, and the job with it. */
bool job_release(struct live_job *job);
/* All that are open and all to come; uid -1: takes it back, and what was paused one by one. 0 or the
 * catalogue's error, then nothing was changed. */
int jobs_hold(struct manage *manage, int64_t uid);
void job_set_priority(struct live_job *job, enum catalog_job_priority priority);
void job_set_rate(struct live_job *job, uint64_t bytes_a_second);
/* -ERR_BUSY when a person paused it, and who. */
int job_refuse_held(const struct live_job *job, struct reason *reason);
/* How many jobs of its kind's places begin before it, and itself; 0: it is not queued. Under lock. */
unsigned job_position_locked(const struct live_job *job);
void job_stop(struct live_job *job, bool goes_on);
/* Makes its state `paused` when a person wants that: true then. */
bool job_follow_hold(struct live_job *job);
void job_save(struct live_job *job);
/* Begins whose turn it is, and one step of all that are dirty. */
void jobs_step(struct manage *manage);
/* Marks those that have to do with `digest` (NULL: all) to be looked at. */
void jobs_mark(struct manage *manage, const char *digest);
/* Stops all, and lets those who wait go; rows stay open. The desk has ended. */
void jobs_leave(struct manage *manage);

#endif
