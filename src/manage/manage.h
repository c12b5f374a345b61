/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_MANAGE_H
#define WEIGHTFS_MANAGE_MANAGE_H

/*
 * The manager: discoveries, commands, jobs, states and events. It owns nothing on disk (catalog and
 * store do) and speaks with the network through sources and the store only. Writes to the catalogue
 * are done on its desk, a pool of one thread. Locks: MANAGE, never held while calling the store's
 * fetching, the catalogue's writing or a wait's finish().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/metric.h"
#include "base/option.h"
#include "base/pool.h"
#include "base/timer.h"
#include "base/wait.h"
#include "manage/state.h"
#include "model/catalog.h"
#include "model/catalog_job.h"
#include "outside/http.h"
#include "store/store.h"
#include "weightfs/source.h"

struct manage;

/* Rows of this floor: discover, discover_timeout_s, absence_s, admin_group, job_history … and
 * `offline` (live). */
extern const struct option_row manage_options[];
/* Metrics of this floor; their functions want the manager. */
extern const struct metric_row manage_metrics[];

struct manage_settings {
    struct options *options; /* `offline` is changed by the command */
    struct catalog *catalog;
    struct store *store;
    struct http_loop *http;
    struct pool *pool; /* parses answers; the manager starts its desk itself */
    struct timers *timers;
    const struct source_access *(*access_of)(void *context, const struct source *source);
    void *context;
    const char *session; /* see catalog_set_answer */
};

/* Starts the desk, listens to the bus (so: before other threads), takes up the jobs that were open. */
int manage_start(const struct manage_settings *settings, struct manage **ret_manage, struct reason *reason);
/* Begins nothing new from here on: no request, no want, no retry. Before http_loop_stop(), since
 * jobs and retries would use the loop; waits of the face have ended. */
void manage_shut(struct manage *manage);
/* Ends discoveries (-ERR_CANCELLED), leaves jobs open for the next start, and frees. The http loop
 * and then the pool have been stopped before (the pool publishes news, which would find nobody),
 * the timers and the store not. */
void manage_stop(struct manage *manage);
/* Has the desk run `work`, which may write to the catalogue, soon. false: it ends, and nothing is run. Any
 * thread, between manage_start() and manage_shut(). */
bool manage_write(struct manage *manage, struct work *work);
struct catalog *manage_catalog(const struct manage *manage);
struct store *manage_store(const struct manage *manage);
const struct options *manage_options_of(const struct manage *manage);

/* --- Discovery: manage/discover.c --- */

/* Makes `source`/ORG a known group (a row with an id); nothing is asked of the network. 0 and
 * *ret_id, PARKED, or -ERR_BAD_NAME. */
int discover_group_await(struct manage *manage, const struct source *source, const char *name,
    int64_t *ret_id, struct wait *wait);
/*
 * Makes sure that the model is in the catalogue. 0: it is, *ret_id. PARKED: one discovery (shared
 * by all who ask meanwhile, one deadline of discover_timeout_s) is under way; finish(0) means that
 * catalog_find_model() now finds it. Errors: -ERR_UNKNOWN_MODEL (also remembered ones, for
 * absence_s), -ERR_BAD_NAME, -ERR_UNREACHABLE, -ERR_OFFLINE, -ENOENT with discover=off, … A gated
 * model that tells nothing is known as well: 0.
 */
int discover_await(struct manage *manage, const struct source *source, const char *model, int64_t *ret_id,
    struct wait *wait);

/* --- Commands: manage/command.c. A row a command; `ctl` lists them from there. --- */

enum command_place { COMMAND_ROOT = 1, COMMAND_MODEL = 2, COMMAND_JOB = 4 };
/* A bit beside them in the places of a row: it is about files. A model that is served elsewhere has no such
 * command: -EOPNOTSUPP. */
#define COMMAND_OF_FILES 8u
/* Another: anybody may give it to a model; what it does for whom is its own matter. */
#define COMMAND_ANYBODY 16u

struct command_request {
    enum command_place place;
    int64_t id;       /* model or job */
    const char *text; /* whole lines; several commands are allowed, blank lines and # comments too */
    size_t len;
    bool whole; /* one command: line ends are a part of what it is about (a document) */
    uid_t uid;
    gid_t gid;
    pid_t pid;
    bool allowed;    /* face/tree found the caller to be the owner, root or of the admin_group */
    uint64_t unique; /* the kernel's request number */
    bool resent;     /* it carried the resend bit: a recorded answer is repeated */
};
/* Parses every line first: -ERR_UNKNOWN_COMMAND, -ERR_BAD_VALUE … and nothing was run; what can be
 * refused at once is (-ERR_NOT_ALLOWED, -EBUSY). Then PARKED: the desk runs the lines in order and
 * finish(result) tells of the first that failed. `text` is copied. The sentence of a failure stands
 * in ctl. */
int command_await(struct manage *manage, const struct command_request *request, struct wait *wait);
/* Of a request that is refused before it can become a command (`command`: what it was, about): its outcome
 * for ctl at once, its line in the audit soon. What the asker is told: `error`, or that he may not, or not so
 * often. Any thread. */
int command_refuse(struct manage *manage, const struct command_request *request, const char *command,
    int error, const char *sentence);
/* The commands of a place with their help, and the last result there, as text for reading ctl. */
void command_print(struct manage *manage, enum command_place place, int64_t id, struct buf *to);
/* For docs: the rows of a place. NULL after the last. */
struct command_row {
    const char *name;
    const char *arguments; /* "[VARIANT|FILE…]" */
    unsigned places;       /* command_place bits, COMMAND_OF_FILES, COMMAND_ANYBODY */
    const char *help;
    /* manage/'s own: judges the arguments; does it, on the desk. */
    int (*parse)(struct manage *, const struct command_request *, char *arguments, struct reason *);
    int (*run)(struct manage *, const struct command_request *, char *arguments, struct reason *);
    unsigned each; /* command_place bits: there each argument is a command of its own */
};
const struct command_row *command_row(size_t index);
/* Rows of the floor above, ended by one without a name, which stay for ever: once, before anything else.
 * Their functions are called as manage's own are (parse on the caller's thread, run on the desk, where the
 * catalogue may be written), and find what they are about by command_context(). */
void commands_extend(const struct command_row *rows);
/* before the first command; NULL: it has ended */
void command_set_context(struct manage *manage, void *context);
/* What `cancel` of a model ends beside its jobs, for whom; how many. Once, as above; called on the desk. */
typedef unsigned (*command_cancel)(void *context, int64_t model_id, uid_t uid);
void command_set_cancel(command_cancel cancel);
void *command_context(struct manage *manage);

/* The audit: all lines that are kept (`audit_history`), oldest first, a JSON object each. 0 or
 * -ERR_DATABASE. manage/audit.c */
int audit_print(struct manage *manage, struct buf *to);

/* --- States: manage/state.h --- */

/* The blob of a model's file: a reference. -ERR_GATED for a masked one, -ERR_UNKNOWN_MODEL when this build
 * does not have the model's source. */
int model_blob(struct manage *manage, const struct catalog_model *model, const struct catalog_file *file,
    struct blob **ret_blob);

/* Is there room for what a pull is about? -ERR_BUDGET, -ERR_FULL, and figures in the reason; what is larger
 * than the budget can never fit, whatever is evicted. */
int pull_room(struct manage *manage, uint64_t bytes_total, uint64_t bytes_missing, struct reason *reason);
/* The same beside what open jobs of other models than `model_id` have still to fetch. Their files are
 * counted one by one: what is the same file for two models, twice. Any thread. */
int pull_room_beside(struct manage *manage, int64_t model_id, uint64_t bytes_total, uint64_t bytes_missing,
    struct reason *reason);

struct root_report {
    uint64_t models, ready, downloading, failed, jobs_open;
    int64_t held_by; /* the uid that paused all jobs; -1: nobody did */
    struct store_figures store;
    bool offline;
    int error; /* what ails it: -ERR_TOKEN, -ERR_UNREACHABLE, -ERR_FULL … */
    struct reason reason;
};
int root_report(struct manage *manage, struct root_report *ret_report);

/* `wait`: 0 when nothing is under way for the model (or job), PARKED until so. */
int model_wait_await(struct manage *manage, int64_t model_id, struct wait *wait);
int job_wait_await(struct manage *manage, int64_t job_id, struct wait *wait);
/* A job as it is now. */
struct job_report {
    struct catalog_job row;
    uint64_t speed;        /* bytes a second, 0 unknown */
    uint64_t seconds_left; /* UINT64_MAX unknown */
    unsigned position;     /* in the queue, from 1; 0: it is not queued */
};
int job_report(struct manage *manage, int64_t job_id, struct job_report *ret_report);
const char *job_priority_name(enum catalog_job_priority priority);
const char *job_state_name(enum catalog_job_state state);

/* --- Events: manage/events.c. JSON lines in a ring of bounded size. --- */
/* Positions count bytes since the daemon began and never fall. */

/* One line. `model` ("hf:acme/tiny") may be NULL; `more` is what follows in the object, ready made
 * (",\"job\":12"), or NULL. Any thread. */
void events_add(struct manage *manage, const char *event, const char *model, const char *more);

uint64_t events_begin(struct manage *manage); /* position of the oldest byte that is kept */
uint64_t events_end(struct manage *manage);
/* Copies up to `size` bytes from `position` on; what has left the ring is skipped to the next whole
 * line. The count (0 at the end). */
size_t events_read(struct manage *manage, uint64_t position, void *data, size_t size);

#endif
