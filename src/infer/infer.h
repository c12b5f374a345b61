/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_INFER_H
#define WEIGHTFS_INFER_INFER_H

/*
 * Asking models. README.md in this folder tells the life of a question, the invariants and the lock rules.
 *
 * A *box* is what one user asked last of one model, in one shape, in a conversation or out of any; a *seat*
 * is a model's place among those that are loaded.
 * Threads: all functions may be called from any thread; none waits.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/metric.h"
#include "base/option.h"
#include "base/timer.h"
#include "infer/answer.h"
#include "manage/manage.h"
#include "weightfs/engine.h"

#define PROMPT_LIMIT (16u << 20) /* bytes of one document */

struct infer;

extern const struct option_row infer_options[];
/* Metrics of this floor; their functions want the struct infer. */
extern const struct metric_row infer_metrics[];
/* For commands_extend(); the context is the struct infer. */
extern const struct command_row infer_commands[];
/* NULL-ended; the first that can load a model does. */
extern const struct engine *const engine_table[];

struct infer_settings {
    const struct options *options;
    struct manage *manage; /* fetches what is missing */
    struct timers *timers;
    const char *mountpoint; /* absolute, for engines that read what still arrives (load=stream); copied. "":
                             * nobody knows it, and all is loaded complete */
    bool (*is_mounted)(void *context); /* is it there? Asked on the desk: quick, without touching it */
    void *context;
    /* A folder of the instance's own for sockets and links, which may not be there yet: made when it is
     * needed, with mode 0700 (`for_all`: 0711); what is in it is removed at the start and at the end. Short,
     * since a socket's address has 107 bytes. "": there is no place for one, and no engine of ours is
     * started. Copied. */
    const char *folder;
    bool for_all; /* other users see the mount: they may connect to its sockets, too */
};

/* Starts the desk and the engines' loop. */
int infer_start(const struct infer_settings *settings, struct infer **ret_infer, struct reason *reason);
/* Nothing new begins, answers end with -ERR_CANCELLED, engines are told to end; returns when they have, which
 * is bounded. Manage and the store still run. */
void infer_shut(struct infer *infer);
void infer_stop(struct infer *infer); /* frees */

/* --- Questions: box.c --- */

/* What is asked and what is answered: rows of shape.c. */
enum infer_shape {
    INFER_PROMPT,  /* text; text as it is made, ending in a newline */
    INFER_REQUEST, /* JSON of OpenAI's chat completions; what the server says, as it comes: JSON or events */
    INFER_EMBED,   /* text; its vector as one JSON array and a newline */
    INFER_COMPLETION, /* JSON of OpenAI's (older) completions, as INFER_REQUEST */
    INFER_EMBEDDING,  /* JSON of OpenAI's embeddings, as INFER_REQUEST */
    INFER_SHAPE_COUNT
};

/* Who asks what. A box is named by all but `is_private`. */
struct infer_asking {
    int64_t model_id; /* 0: of none in particular, see auto.h */
    int64_t chat_id;  /* 0: none; else the catalogue's number of the conversation that it is a turn of */
    uid_t uid;
    enum infer_shape shape;
    bool is_private; /* it is in no box: ret_answer alone leads to its answer */
};

/* A document begins to be written (its first bytes came): the box has a new answer from now on, so that who
 * opens `reply` before the document is closed waits for it. *ret_number names the question; *ret_answer is a
 * reference (ret_answer may be NULL). -ERR_CANCELLED: it all ends. */
int infer_begin(struct infer *infer, const struct infer_asking *asking, uint64_t *ret_number,
    struct answer **ret_answer);
/* The document is whole: it is judged, and asked. `text` is copied. 0, or an error, with which the answer has
 * ended as well: -EINVAL (no UTF-8, no JSON), -E2BIG, -EAGAIN (the queue is full), -ERR_STALE (there is no
 * such question any more). */
int infer_submit(struct infer *infer, uint64_t number, const char *text, size_t len);
/* More of its document came: it is dropped (-ETIMEDOUT) when none comes for so long and it is not closed. */
#define INFER_PATIENCE_MS 30000
void infer_touch(struct infer *infer, uint64_t number);
/* It will not be asked: its answer ends with the error. */
void infer_drop(struct infer *infer, uint64_t number, int error, const char *sentence);
/* Ends it wherever it is: -ERR_CANCELLED. false: it has ended already. */
bool infer_cancel(struct infer *infer, uint64_t number);
/* `pid` read its answer, and was interrupted: if that process is gone at one of the next looks, some tenths
 * of a second apart, the question is ended as by infer_cancel(). 0: somebody reads again. A question that is
 * over stays so. infer/watch.c */
void infer_watch(struct infer *infer, uint64_t number, pid_t pid);
/* All of a model, or (0) of all; how many. */
unsigned infer_cancel_model(struct infer *infer, int64_t model_id);
/* The same of what one user asked; as command_set_cancel() wants it. */
unsigned infer_cancel_user(void *infer, int64_t model_id, uid_t uid);

/* What the last question of this box was answered; a reference. NULL: nothing was asked. */
struct answer *infer_reply(struct infer *infer, const struct infer_asking *which);
/* How a private question ended, for those who ask infer_newest() why. */
void infer_tell(struct infer *infer, const struct infer_asking *asking, int error, const char *sentence);
/* The newest of all shapes, and what was told last. */
struct answer *infer_newest(struct infer *infer, int64_t model_id, int64_t chat_id, uid_t uid);

/* The default system prompt ("system") or parameters ("params") of a model: added to `to`, nothing when there
 * are none. They are changed by the commands `system` and `param`. */
void infer_text(struct infer *infer, int64_t model_id, const char *name, struct buf *to);

/* --- Sockets that speak OpenAI's HTTP interface: gateway.h --- */

/* Where the model's socket is, or (0) the one for all models: added to `to`. */
void infer_socket(struct infer *infer, int64_t model_id, struct buf *to);
/* Somebody is about to connect to it: from now on it is there. Quick; -errno. */
int infer_socket_bind(struct infer *infer, int64_t model_id);

/* --- Loading: seat.c --- */

/* Begins to load or unload it; 0 at once. Loading keeps to the budgets and unloads others that do nothing for
 * it, or whatever the budgets say, or only beside what is loaded already. Unloading lets what was asked be
 * answered first; `force`: it is cancelled. */
enum infer_load { LOAD_USUAL, LOAD_FORCED, LOAD_GENTLY };
int infer_load(struct infer *infer, int64_t model_id, enum infer_load how);
int infer_unload(struct infer *infer, int64_t model_id, bool force);
int infer_unload_all(struct infer *infer, bool force);
/* The model with the lowest number above `after` that an engine of ours holds in memory; 0: none. */
int64_t infer_next_loaded(struct infer *infer, int64_t after);

/* Which engines there are: programs, and what is declared, in a line added to `to`. */
void infer_tell_engines(const struct infer *infer, struct buf *to);

enum seat_state { SEAT_COLD, SEAT_FETCHING, SEAT_STARTING, SEAT_READY, SEAT_ENDING, SEAT_STATE_COUNT };
const char *seat_state_name(enum seat_state state); /* "unloaded" "fetching" "loading" "loaded" "unloading" */

/* Times by buckets: up to each bound, one for the rest, then the sum; laid out as metric histograms. */
#define INFER_TIME_BOUNDS 13
extern const uint64_t infer_time_bounds_ms[INFER_TIME_BOUNDS + 1]; /* 0 ends it */
struct infer_times {
    uint64_t cells[INFER_TIME_BOUNDS + 2];
};

struct infer_report {
    char key[NAME_KEY_SIZE]; /* "" before the desk has looked at it */
    enum seat_state state;
    char engine[40];
    unsigned waiting, answering;
    uint64_t rest_ms; /* for so long the server wants no question (429 with Retry-After) */
    uint64_t server_memory_bytes, server_vram_bytes; /* that it takes at a server elsewhere; 0: not known */
    uint64_t asked, answered, failed, prompt_tokens, answer_tokens; /* since the daemon started */
    /* Of the last answer that went well: to its first text, to its end; and how many tokens it had. */
    uint64_t last_first_ms, last_total_ms, last_tokens;
    struct infer_times first_times, total_times; /* of those that went well */
    /* Where the engine has raw completion only: whose texts prompts are put into ("none": they are sent as
     * they are), and what that follows from. "" else. */
    char template[32];
    const char *template_why; /* static; NULL */
    bool template_guessed;
    /* Bytes; 0: not known. What loading it takes, by its card or as it was measured; what its engine has now;
     * what all may have. */
    uint64_t memory_needed, memory_used, memory_budget, vram_needed, vram_budget;
    char waits_for[160]; /* to be loaded: "hf:acme/two, which is answering"; "": it does not */
    bool is_outdated;    /* settings changed since it was loaded: it is loaded anew when it has answered */
    int error;           /* why it could not be loaded last */
    struct reason reason;
};
void infer_report(struct infer *infer, int64_t model_id, struct infer_report *ret_report);
/* The place of this user's oldest question that waits, from 1, among all that wait for the model; 0: none
 * does. */
unsigned infer_position(struct infer *infer, int64_t model_id, uid_t uid);
/* Of all models that were asked or loaded since the daemon started, those with questions or an engine first;
 * the count. */
#define INFER_LISTED_MOST 256
size_t infer_list(struct infer *infer, struct infer_report *array, size_t room);

#endif
