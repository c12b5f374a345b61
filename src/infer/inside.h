/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_INSIDE_H
#define WEIGHTFS_INFER_INSIDE_H

/*
 * What the floor's own files share. "Desk" marks what only the desk touches; the rest is under `lock`
 * (INFER), under which nothing but memory is touched.
 */

#include <stdatomic.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/lock.h"
#include "base/pool.h"
#include "infer/ask.h"
#include "infer/gpu.h"
#include "infer/infer.h"
#include "model/card.h"
#include "model/catalog_usage.h"
#include "manage/known.h"
#include "outside/http.h"
#include "store/store.h"

#define SEAT_FILES_MOST 256
#define BOXES_MOST      1024
#define TEXTS_MOST      (256u << 20) /* bytes of questions that wait or are answered */

/* One question, from the first byte of its document to the end of its answer. In exactly one place:
 * pending in the table (its document is being written), in seat->waiting, or in seat->asked. */
struct question {
    struct list link;
    struct infer *infer;
    struct seat *seat; /* NULL: pending */
    uint64_t number;
    struct infer_asking asking;
    char *text; /* the document; NULL while pending */
    size_t len;
    struct answer *answer;
    struct ask *ask;             /* desk: on the loop */
    bool over;                   /* under lock: the ask is done; the desk takes it away */
    uint64_t over_ms;            /* under lock: since then */
    uint64_t loaded;             /* desk: of its seat, when it was asked */
    const struct engine *engine; /* the same: its seat may have another one by now, or none */
    bool kept;                   /* under lock: a turn of a chat, written or refused: its answer has ended */
    size_t sent;                 /* desk, as the rest of turns: bytes of the texts that were sent */
    int64_t cut; /* turns of its chat up to this one are not sent; is_cut: with them it was too long */
    bool is_cut, has_limit; /* has_limit: its parameters have max_tokens */
    int result;             /* of the ask */
    atomic_bool cancelled;
    pid_t reader;          /* under lock: who was interrupted reading its answer; 0: nobody */
    unsigned tries, rests; /* desk: engines that could not be reached; times that one wanted a rest */
    uint64_t queued_ms;
};

/* What one user asked last of one model, in one shape. */
struct box {
    struct list link; /* infer->boxes, least recently asked first */
    struct infer_asking asking;
    struct answer *answer;
};

struct seat_file {
    char *name, *path; /* of the bytes: in the store, or on the mount while they arrive */
    uint64_t size;
    struct blob *blob;   /* in use */
    bool is_coming;      /* it was not whole when it was taken */
    uint32_t generation; /* then: the one that was taken */
};

/* What its engine takes of memory: seat_need.c says how much that will be, seat_room.c whether it may.
 * Desk. */
struct seat_memory {
    struct card_need need;
    uint64_t stamp; /* of the files and settings that the need is of; 0: it is not known */
    uint64_t resident,
        own;            /* of the engine's processes: the most since it was ready, and what they have now */
    uint64_t looked_ms; /* when that was */
    uint64_t since_ms;  /* it waits for room since then; 0: it does not */
    bool is_forced, is_gentle; /* how it is to be loaded, as it was asked for last */
};

/* What went wrong with it before: seat_trouble.c. Desk. */
struct seat_trouble {
    unsigned crashes;  /* in a row, with no answer between */
    uint64_t answered; /* how much had been answered at the last of them */
    uint64_t until_ms; /* it is not started before then: since it crashed, or … */
    int error;         /* … since this came of loading what has the stamp; 0: it did not */
    uint64_t stamp, at_ms;
    struct reason reason;
    bool wants_all; /* memory ran out: it is tried once more with nothing idle beside it */
};

/* Settings of the model that are asked for often: as they were at a version. Desk. */
struct seat_settings {
    unsigned version; /* 0: not read yet */
    int64_t keep_s;
    uint64_t stamp; /* of those that its engine starts with */
};

/* A model's place. Made at its first question or load, kept for its figures until the floor ends. */
struct seat {
    struct list link; /* infer->seats */
    struct infer *infer;
    int64_t model_id;
    char name[NAME_KEY_SIZE];
    enum seat_state state;  /* changed by the desk under lock */
    struct list waiting;    /* struct question; under lock */
    struct list asked;      /* struct question; changed by the desk under lock */
    unsigned waiting_count; /* under lock, as the next */
    unsigned asked_count;
    /* Under lock: what people asked for. Forced: whatever the budget says; gently: only beside what is there
     * already; fresh: what failed before is forgotten. */
    bool load_wanted, load_forced, load_gently, load_fresh, unload_wanted, unload_forced;

    const struct engine *engine; /* desk, from here on */
    struct engine_instance *instance;
    struct engine_endpoint endpoint; /* with slots: never 0 while it is ready */
    struct seat_file *files;         /* SEAT_FILES_MOST, while there are any */
    size_t file_count;
    char folder[96];
    uint64_t deadline_ms;   /* of the state; 0: none */
    uint64_t used_ms;       /* when it was last asked or answered */
    struct wait fetch;      /* for the pull's end */
    uint64_t loaded;        /* how often it became ready */
    uint64_t rest_until_ms; /* the server wants no question before; changed under lock */
    bool is_lost;           /* it was ready, and can't be reached or refuses us */
    bool fetched;           /* a pull was tried for these questions */
    struct seat_memory memory;
    struct seat_trouble trouble;
    struct seat_settings settings;
    uint64_t started_with; /* the stamp of the settings that its engine has */
    bool is_coming;        /* it is being started on files that still arrive: stream.c */
    uint64_t here_bytes;   /* then: of them, at the last look */
    enum { PULL_NONE, PULL_ASKED, PULL_RUNS } pull_state;
    unsigned pull_tries;
    struct wait pull;      /* for the command's end, then for that of all jobs */
    int give_up_error;     /* why it is ended while it starts; 0: it is not */
    struct reason give_up; /* the same in words */

    /* What came from other threads, for the desk to see; under lock. */
    bool is_ready, has_ended, fetch_over, pull_over;
    struct engine_endpoint ready_endpoint;
    int end_error, fetch_result, pull_result;
    struct reason end_reason;

    struct infer_report figures; /* under lock */
};

/* Sums for the catalogue: usage.c. Under lock, but the work. */
struct usage {
    struct work work;
    struct list sums;
    size_t sum_count;
    bool queued; /* the work is manage's desk's */
};

struct infer {
    struct infer_settings settings;
    char *mountpoint;
    char folder[64];
    struct pool *desk;
    struct http_loop *loop;
    struct ask_room *room;
    struct work work; /* the desk's look at all seats; submitted once at a time */
    atomic_bool work_queued;
    struct timer timer; /* for deadlines and keep_alive */
    atomic_bool shut;
    uint64_t folders_made; /* desk */
    struct gpu_watch *gpus;
    struct list preloads;         /* struct preload, preload.c: desk */
    atomic_uint settings_version; /* rises when a setting of a model changes; never 0 */

    struct lock lock; /* INFER */
    pthread_cond_t calm;
    bool is_calm; /* shut, and nothing is alive any more */
    struct list seats, boxes, pending;
    struct list chats;      /* struct chat (chat_inside.h), least recently used first */
    struct list chat_waits; /* of changes to chats */
    unsigned chat_count;
    struct list auto_notes; /* auto.c */
    unsigned auto_note_count;
    unsigned box_count;
    uint64_t last_number;
    size_t text_bytes;       /* of all questions */
    struct gateway *gateway; /* gateway.h; never NULL once it runs */
    struct usage usage;
};

/* The desk looks at everything soon. From any thread. */
void infer_look(struct infer *infer);
/* The folder for sockets is there, or a sentence says why not. Any thread. */
int infer_make_folder(struct infer *infer, struct reason *reason);

/* --- seat.c --- */
/* Under the lock: the model's seat, made when there is none. */
struct seat *seat_of(struct infer *infer, int64_t model_id);
/* Desk: the seat behind `seat`, NULL: the first; NULL when there is none. Others add seats meanwhile. */
struct seat *seat_after(struct infer *infer, const struct seat *seat);
/* Desk: what is to be done for it now. */
void seat_step(struct seat *seat);
void seat_moved(struct seat *seat);   /* a sign of life for all who wait */
bool seat_is_idle(struct seat *seat); /* nothing of it is alive: no engine, no question on the loop */
void seat_free(struct seat *seat);
/* --- question.c --- */
/* Desk: asks all that wait, as far as there is room; and takes away what has ended. */
void questions_ask(struct seat *seat);
void questions_clear(struct seat *seat);
/* Desk: ends all that wait. */
void questions_fail(struct seat *seat, int error, const char *sentence);
/* Desk: those whose document is not written any further. */
void questions_drop_silent(struct infer *infer);
/* The end of one that is in no list any more. */
void question_end(struct question *question, int error, const char *sentence);
/* --- watch.c: desk --- */
/* Ends the questions whose readers are no more (infer_watch). */
void readers_look(struct infer *infer);
/* --- kind.c: desk --- */
/* The word for what the model is for (kind.h): of its setting, the registry, or its card as far as that is
 * known; "other". */
void seat_category(struct seat *seat, const struct catalog_model *model, char to[static CATEGORY_SIZE]);
/* The same from the files that were taken, when nothing else said. */
void seat_category_of_files(const struct seat *seat, char to[static CATEGORY_SIZE]);
/* -EOPNOTSUPP: none of its files is one for an engine; with a sentence of what it is. */
int seat_refuse_files(struct seat *seat, const struct catalog_model *model, struct reason *reason);
/* --- seat_start.c: desk --- */
uint64_t seat_load_ms(const struct seat *seat); /* how long its engine may be silent while it starts */
/* Begins to start an engine for it: 0, SEAT_WAITS, -ENODATA (files are missing: they are to be fetched), or
 * an error with its sentence. */
#define SEAT_WAITS 1 /* for room: it is to be tried again when something changes */
int seat_start(struct seat *seat, const struct engine_events *events, struct reason *reason);
/* What seat_start() took is given back: after the engine's free(). */
void seat_put_back(struct seat *seat);
/* A setting of the model, or the option of the whole when models have none of that name. */
int64_t seat_number(struct seat *seat, const char *name);
bool seat_text(struct seat *seat, const char *name, char *to, size_t size); /* "" and false: unset */
/* --- seat_room.c: desk --- */
bool seat_is_loaded(const struct seat *seat); /* it takes memory */
bool seat_has_work(struct seat *seat);
/* Its engine is chosen, its files are taken: may it be started now? 0; SEAT_WAITS: one that does nothing was
 * told to end (seat_end()), or there is nothing to be done but to wait; -ENOMEM with both figures: never. */
int seat_make_room(struct seat *seat, struct reason *reason);
/* The same by what was found when it was asked last, and nobody is told to end: is it worth to try? */
bool seat_may_find_room(struct seat *seat);
/* Bytes that one more model could have, RAM and VRAM together, if all that do nothing were unloaded;
 * UINT64_MAX: no limit is known. */
uint64_t seats_room(struct infer *infer);
/* What its engine takes now, at most once a second. */
void seat_measure(struct seat *seat);
void seat_end(struct seat *seat); /* seat.c: a ready one */
/* --- seat_need.c: desk --- */
/* With files and engine: what loading it takes, into seat->memory, unless that is known already. */
void seat_find_need(struct seat *seat, const struct gpu_figures *gpus, uint64_t vram_budget);
/* Can a GPU matter to it? */
bool seat_wants_gpu(struct seat *seat);
/* Brings seat->settings up to date. */
void seat_read_settings(struct seat *seat);
/* --- seat_trouble.c: desk --- */
/* false: it crashed just now, and is not to be started yet. */
bool seat_may_start(struct seat *seat);
/* With files, engine and need: 0, or the error that loading the same met a short time ago. */
int seat_recall_trouble(struct seat *seat, struct reason *reason);
/* Loading it failed: true when it is to be tried again at once; else the reason may have become longer. */
bool seat_tries_again(struct seat *seat, int error, struct reason *reason);
void seat_note_crash(struct seat *seat, int error, const struct reason *reason);
void seat_note_ready(struct seat *seat);
/* --- shape.c --- */
struct shape_row {
    const char *path; /* behind the endpoint's url */
    enum ask_shape ask;
    bool is_raw;      /* the document is JSON, and sent as it is */
    unsigned can;     /* enum engine_ability: what an endpoint needs for it */
    const char *what; /* for sentences: "chat" */
};
extern const struct shape_row shape_rows[INFER_SHAPE_COUNT];
/* How it is asked at this endpoint: a prompt becomes raw text where there is no chat. */
const struct shape_row *shape_at(const struct engine_endpoint *endpoint, enum infer_shape shape);
/* --- auto.c: desk --- */
/* What waits at auto/ (the seat of model 0) goes to seats of models. */
void auto_step(struct seat *seat);
void auto_forget(struct infer *infer); /* at the end */
/* --- template_seat.c: desk --- */
/* The family whose texts the model's prompts are put into; told in the seat's figures from then on. */
void seat_template(struct seat *seat, struct template_choice *ret_choice);
/* --- seat_tell.c: desk --- */
/* A line in `events`: "model.loaded", "model.unloaded", "model.load_failed"; an error with its sentence. */
void seat_tell(struct seat *seat, const char *event, int error, const char *sentence);
/* --- stream.c: desk --- */
/* May the model be loaded while it arrives? */
bool stream_is_on(struct seat *seat);
/* An engine has been started on files that arrive: a pull begins beside it. */
void stream_begin(struct seat *seat);
/* While it starts: bytes that come are a sign of life; true: the rest will not come, and why is in give_up.
 * is_coming ends when all is here. */
bool stream_gives_up(struct seat *seat);
/* An engine that reads the mount ends when the mount has gone from its place. */
void stream_mind_the_mount(struct seat *seat);
/* No wait of ours is out. */
bool stream_is_idle(struct seat *seat);
/* --- files.c: desk --- */
/* The selected model's files, in use, into the seat, the one to load first: those of one GGUF, or all of them
 * when the seat's engine takes all. 0; -ENODATA: some are not here; or an error with its sentence. `stream`:
 * those that are not whole are taken as they are, with their paths on the mount, and the seat is_coming. */
int files_take(struct seat *seat, bool stream, struct reason *reason);
void files_put(struct seat *seat);
#endif
