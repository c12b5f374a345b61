/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_INTERNAL_H
#define WEIGHTFS_MANAGE_INTERNAL_H

/*
 * What the manager's own files share.
 *
 * The desk (a pool of one thread) does all deciding: it alone begins and ends jobs, runs commands,
 * stores discoveries and writes the catalogue. What is marked "desk" below needs no lock. What
 * others look at meanwhile (live figures of jobs, discoveries and who waits for them, last
 * outcomes, the cache of reports) is guarded by `lock` (rank MANAGE), under which nothing but
 * memory is touched. News and events have locks of their own, of rank QUEUE.
 */

#include <stdatomic.h>

#include "base/bus.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/lock.h"
#include "base/log.h"
#include "manage/manage.h"
#include "manage/scrub.h"
#include "manage/metrics.h"
#include "model/catalog_job.h"

#define TICK_MS           500 /* how often jobs are looked at while there are any */
#define WANTED_MOST       64  /* blobs wanted at once, by all jobs: each holds descriptors */
#define FILES_A_PAGE      64  /* rows read from the catalogue at once */
#define EVENTS_RING_BYTES (256u << 10)

/* ---- events.c ---- */

struct events {
    struct lock lock; /* QUEUE */
    char *ring;
    uint64_t begin, end; /* positions; begin is always the start of a line */
};
void events_init(struct events *events);
void events_done(struct events *events);

/* ---- manage.c: the desk and the tick ---- */

/* What a user has left of his commands. */
struct command_rate {
    uid_t uid;
    uint64_t at_ms; /* 0: a free place */
    uint64_t left;  /* thousandths of a command, at that time */
    bool refused;   /* the last one was */
};
#define RATES_MOST 64

struct manage {
    struct manage_settings settings;
    struct pool *desk;
    struct lock lock;    /* MANAGE */
    pthread_cond_t calm; /* in_flight fell to 0 */
    unsigned in_flight;  /* discoveries and commands that are not finished */
    atomic_bool shut;    /* nothing new begins */

    struct lock news_lock; /* QUEUE: notes, news_queued */
    struct list notes;
    unsigned note_count;
    bool notes_lost; /* too many: everything is looked at */
    bool news_queued, news_delayed;
    struct work news_work;
    struct timer news_timer;
    atomic_uint blob_version; /* raised by every news of a blob: reports made before are old soon */
    /* Raised when a blob, a job or a selection changed its state: reports made before are wrong. */
    atomic_uint hard_version;

    uint64_t tick_at_ms;     /* under lock; 0: not armed */
    struct timer tick_timer; /* armed while there are live jobs or models to look at again */
    struct work tick_work;
    atomic_bool tick_queued;

    struct list jobs;  /* struct live_job, the open ones, oldest first: changed by the desk under lock */
    int64_t held_by;   /* desk, and under lock: the uid that paused all jobs; -1: nobody did */
    unsigned wanted;   /* desk: blobs wanted by jobs now */
    struct list looks; /* desk: models whose state may have changed (state.c) */

    struct list discoveries;    /* under lock */
    uint64_t discoveries_ended; /* under lock: how many */
    struct list card_reads;     /* under lock: cards that are being read (card.c) */
    struct list failures; /* struct failure: short memory of what failed for a passing reason, under lock */
    unsigned failure_count;

    struct list outcomes; /* struct outcome: last results of commands, oldest first, under lock */
    unsigned outcome_count;
    struct list delayed; /* struct command: those that wait for their timer, under lock */

    struct auto_update *auto_update;       /* auto_update.c */
    struct remote *remote;                 /* remote.c */
    struct command_rate rates[RATES_MOST]; /* how often who may command: audit.c, under lock */

    struct list reports; /* struct cached_report, oldest first, under lock */
    unsigned report_count;

    int error; /* what ails the whole (a refused token, no network), under lock; with its time */
    struct reason reason;
    uint64_t error_ms;

    struct scrub_watch scrub;
    bool rot_told;              /* desk: some report may tell of rot: heal.c */
    atomic_bool unsafe_watched; /* some model may refuse files: unsafe.c */
    struct checks *checks;      /* threads that check files; NULL until they are needed. Set by the desk */
    struct registry *registry;  /* never NULL while it runs; replaced under lock */
    struct declared *declared;  /* the same */

    struct events events;
    _Atomic(void *) context; /* command_context() */
};

/* News of blobs: news.c. The listener, and the start and the end of what it needs. */
void news_hear(void *context, const struct news *news);
void news_init(struct manage *manage);
void news_done(struct manage *manage);

void desk_submit(struct manage *manage, struct work *work);
void tick_soon(struct manage *manage, uint64_t delay_ms);
/* What stands in the root's status and in health: the last failure that speaks of the network, the
 * source or the token (others are passed over), until a success; all but a refused token for some minutes
 * at most. `about` (a key) may be NULL. */
void manage_trouble(struct manage *manage, int error, const char *about, const char *reason);
/* A success: forgets it. Bytes that came say nothing of a token: then `token_too` is false. */
void manage_success(struct manage *manage, bool token_too);
/* Something that must end before manage_stop() may go on. */
void flight_begin(struct manage *manage);
void flight_end(struct manage *manage);
/* Unlinks a parked wait if it is still linked: the body of a withdraw(), for waits whose `where` is
 * the manager. */
bool wait_take_back(struct wait *wait);

/* ---- discover.c ---- */

/* An asker inside the manager: told on the desk, with no lock held. */
struct discover_ask {
    struct list link;
    void (*finish)(struct discover_ask *ask, int result);
    int64_t model_id;     /* filled for result 0 */
    bool hold;            /* set by the asker: another revision is made known, and not selected */
    int64_t revision_id;  /* filled for result 0; 0: the model tells nothing */
    bool changed;         /* files/ shows something else now */
    bool waiting;         /* held: what was told is not the selected revision */
    struct reason reason; /* filled for a failure */
    /* Of a source whose models are served elsewhere: */
    bool is_list;            /* it asked for all */
    size_t listed, left_out; /* how many there are, and how many more that can't be shown */
    unsigned retry_after_s;  /* for a failure: so long the server wants to be left alone; 0 it did not say */
};
/* Asks the source even when the model is known. `revision` "": the source's default. 0: under way,
 * finish() comes. */
int discover_refresh(struct manage *manage, const struct source *source, const char *model,
    const char *revision, struct discover_ask *ask);
/* The same of all models of a place of a remote source. */
int discover_list(struct manage *manage, const struct source *source, const char *place,
    struct discover_ask *ask);
/* Ends what waits for a timer. Before the http loop stops. */
void discover_shut(struct manage *manage);
void failures_forget(struct manage *manage);

/* ---- words.c: arguments, also as a job's row keeps them ---- */

#define WORDS_MOST 64
struct words {
    char *text; /* owned; the words point into it */
    const char *array[WORDS_MOST];
    size_t count;
};
/* Words are parted by blanks; "…" keeps blanks together, \" and \\ stand for themselves inside.
 * -ERR_BAD_VALUE. */
int words_parse(const char *text, struct words *ret_words, struct reason *reason);
void words_done(struct words *words);
#define WORDS_CLEANUP __attribute__((cleanup(words_done)))
/* The reverse. -ERR_BAD_VALUE when it does not fit. */
int words_print(const char *const *array, size_t count, char *to, size_t size, struct reason *reason);

/* ---- items.c: what a job is about ---- */

struct item {
    int64_t file_id;
    uint64_t size, here;
    char digest[DIGEST_TEXT_SIZE]; /* "" masked */
    struct blob *blob;             /* while it is wanted */
    bool done, failed;
    bool troubled; /* its last fetch failed, and is tried again */
};
struct items {
    struct item *array;
    size_t count;
    uint64_t bytes_total;
    char variant[NAME_VARIANT_SIZE]; /* of the first that has one */
    char variants[VARIANTS_SIZE];    /* of all */
};
/* Adds a variant ("": none) to a list with commas, once; what does not fit becomes ",...". */
void variants_add(char list[static VARIANTS_SIZE], const char *variant);
/* Our own SHA-256 of a complete blob, into the catalogue. Desk, outside of a transaction that may fail. */
void item_learn_sha256(struct manage *manage, const char *digest, const struct blob_info *info);
/* Looks at the blobs: fills `here` and `done`; *ret_missing: bytes that are not here. Costs a
 * little disk work a file. Desk. */
int items_look(struct manage *manage, const struct catalog_model *model, struct items *items,
    uint64_t *ret_missing);
/* The files that `words` name of the model's selected revision, with those of no variant where a
 * variant is named; no words: the selection. */
int items_read(struct manage *manage, const struct catalog_model *model, const struct words *words,
    struct items *ret_items);
void items_done(struct items *items);
#define ITEMS_CLEANUP __attribute__((cleanup(items_done)))

/* ---- state.c ---- */

struct cached_report {
    struct list link;
    int64_t model_id, revision_id;
    unsigned blob_version, hard_version; /* when it was begun */
    uint64_t made_ms;
    struct model_report report;
};
/* The state may have changed: it is looked at soon, and told to who listens when it did. Desk. */
void state_mark(struct manage *manage, int64_t model_id);
/* Of the models that show the blob; a little later, so that a stream of news makes one look. */
void state_mark_digest(struct manage *manage, const char *digest);
/* The word of the model's open jobs that fetch; false: there is none. Desk. */
bool state_by_job(struct manage *manage, int64_t model_id, enum model_state *ret_state);
/* A job's state changed: if the model's follows it, it is told now. Desk. */
void state_follow_job(struct manage *manage, int64_t model_id);
/* Looks at those marked. Desk. true: some are left for the next tick. */
bool state_look(struct manage *manage);
void state_done(struct manage *manage);
/* Makes the reports that are kept worthless: the selection or a job changed. */
void state_renew(struct manage *manage);

/* ---- command.c ---- */

struct command_line {
    const struct command_row *row;
    char *arguments; /* inside command->text */
};

/* A write to ctl, on its way over the desk. */
struct command {
    struct work work;
    struct timer timer;
    struct list delay_link; /* manage->delayed, while the timer is armed; under lock */
    struct manage *manage;
    struct command_request request; /* its text is not ours */
    struct list waits;              /* the one wait, unless it was taken back; under lock */
    char *text;                     /* our copy, cut into the lines */
    struct command_line *lines;
    size_t count, at;
    int refusal;     /* every line ends with it, nothing is done; 0 */
    char shown[128]; /* what could not be parsed */

    /* Of the line that runs: */
    struct reason sentence; /* what there is to say, of a failure or a success */
    bool in_transaction;    /* it called command_begin(): effect, audit and recorded answer are one */
    void (*after)(struct command *command); /* what follows once that is committed; NULL */
    struct catalog_model model;             /* for after() */
    struct catalog_job job;
    struct items items;
    struct list jobs; /* struct live_job: begun once that is committed */
    bool flag;
    const char *set_arguments; /* of `set`: stay as long as the line */
    char set_line[128];        /* what `set` is given by a command that is short for it */
    struct discover_ask ask;   /* of a line that asks a source first */
    bool asked;                /* it came back with ask_result */
    int ask_result;
    unsigned tries; /* of a line that waits for fetches to end */
};

/* What row->run may answer beside 0 and errors: it is called again when the ask is answered, or
 * after a moment. */
#define COMMAND_ASKED    1
#define COMMAND_AGAIN    2
#define COMMAND_AGAIN_MS 200
#define COMMAND_TRIES    25

/* Cuts the text into lines of known commands with good arguments: the first that is not is left in
 * command->shown. */
int command_parse(struct command *command, struct reason *reason);
/* The command whose request is handed to row->run. */
struct command *command_of(const struct command_request *request);
/* Begins the transaction that the runner ends, together with the audit's row and the recorded
 * answer. Nothing but the catalogue may be called from then on. */
int command_begin(struct command *command);
/* A discovery for the line that runs: COMMAND_ASKED or an error. */
int command_ask(struct command *command, const struct source *source, const char *model,
    const char *revision);
/* The same, with discover_ask.hold. */
int command_ask_held(struct command *command, const struct source *source, const char *model,
    const char *revision);
/* Ends those that wait for a timer. */
void commands_shut(struct manage *manage);
/* The sentence of a success. */
#define SAY(reason, ...) ((void)err_because((reason), 0, __VA_ARGS__))

/* The last result at a place, as ctl shows it: outcome.c. `command` and `sentence` are copied. */
void outcome_set(struct manage *manage, const struct command_request *request, const char *command,
    int result, const char *sentence);
void outcomes_done(struct manage *manage);
void outcome_print(struct manage *manage, enum command_place place, int64_t id, struct buf *to);

/* The rows' functions: pull.c, commands_model.c, commands_root.c. */
typedef int command_function(struct manage *, const struct command_request *, char *, struct reason *);
command_function parse_nothing, parse_words, parse_key, parse_switch;
command_function run_pull, run_cancel, run_retry, run_evict, run_pin, run_unpin, run_update, run_forget;
command_function run_forget_key;
command_function parse_priority, run_pause, run_resume, run_priority;
command_function parse_validate, run_validate, run_scrub;
command_function parse_validate, run_validate;
command_function run_refresh;
command_function parse_cleanup, run_cleanup;                            /* cleanup.c */
command_function parse_revision, run_use, run_rollback, run_update_all; /* revisions.c, update_all.c */
command_function parse_limit_rate, run_limit_rate;
command_function parse_pull, run_add, run_offline, run_ensure, run_reload, parse_default, run_default;

/* Pull of a known model, for the commands of all places. */
int pull_model(struct command *command, int64_t model_id, const struct words *words, struct reason *reason);
/* -ERR_GATED, and how many of the items are masked; 0. */
int pull_refuse_masked(const struct catalog_model *model, const struct items *items, struct reason *reason);
/* What the items take on disk: equal files are there once. */
uint64_t items_distinct_bytes(const struct items *items);
/* Pull again what the model's last job was about. */
int pull_again(struct command *command, int64_t model_id, struct reason *reason);
/* A pull that failed is no longer the model's last word; its job says so in its memo, and stays failed. */
#define PULL_SETTLED "settled"
int pull_settle(struct manage *manage, int64_t model_id);
/* Tells the store what pinned and required models need, after a change of pins, of what is required, or of
 * such a model's selection: holds.c. */
void holds_renew(struct manage *manage);

#endif
