/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_SOURCE_H
#define WEIGHTFS_SOURCE_H

/*
 * A source: where models come from. It is a struct of functions that say what to ask and what an answer
 * means; it never speaks on the network itself, holds no threads and no locks. That makes a source
 * testable and fuzzable without a network, and keeps the offline gate, redirects, limits and secrets in
 * one place (outside/http).
 *
 * Three conversations:
 *
 *   discovery   discover_new() begins; discover_next() is given the last answer (NULL at first) and says
 *               what to ask next, or that it is done. Steps run one after the other, on any thread.
 *   a listing   of a source whose models are served elsewhere, so that nothing of them is fetched: list_new()
 *               begins, list_next() is as discover_next(). What there is to list are places: an endpoint
 *               each, or the source as a whole.
 *   a file      file_request() says how to ask for a file's bytes; file_head() judges each head of the
 *               answer (redirects too) and says what was learnt; the store keeps the last URL of a good
 *               answer and asks it directly for further ranges until file_head() says -ERR_EXPIRED.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/option.h"
#include "model/declared.h"
#include "model/roster.h"
#include "model/manifest.h"
#include "model/name.h"
#include "outside/http.h"

/* What a source must know of the configuration; made anew when it changes. Plain data of the source's own. */
struct source_access;

/* What to ask. The strings are allocated; source_ask_done() frees them. */
struct source_ask {
    char *url;
    char *authorization; /* NULL, or the header's value: for this URL's origin alone */
    const char *accept;  /* static; NULL any */
    char *post;          /* NULL: GET; else a POST of this JSON */
    size_t body_limit;
};
void source_ask_done(struct source_ask *ask);

/* An answer to a discovery's question. */
struct source_answer {
    int result; /* of the transfer: 0, or its error */
    int status;
    const char *url; /* that answered in the end */
    const char *body;
    size_t body_len;
    const struct http_head *head; /* its fields, for http_head_get() */
    const struct reason *reason;  /* for result < 0 */
};

/* Which file at its source. The strings belong to whoever made it. */
struct source_file {
    const char *model; /* ORG/NAME */
    const char *commit;
    const char *path;
    const char *digest; /* as the listing told; "" unknown */
    uint64_t size;
};

/* What a head taught. */
struct source_lesson {
    unsigned retry_after_s; /* for -ERR_RATE_LIMITED and 503: 0 when the server did not say */
};

/* What a remote source lists. Its models' names begin with the place's and a slash; those of the place "" are
 * names by themselves. */
struct source_place {
    const char *name; /* "work"; "": the source as a whole */
    const char *url;  /* for people */
};

enum source_step { SOURCE_DONE = 0, SOURCE_ASK = 1 };

struct source {
    const char *name; /* "hf": the folder in the root and the prefix of keys */
    const char *help; /* one sentence for docs and README */
    unsigned parts;   /* of a model's name in a path: 2 for ORG/NAME; 0: one or two, the last has a colon */
    /* Its models are served elsewhere, by who is declared: it has place() and list_…(), and no options,
     * access, discover_…() and file_…(). Of others it is the other way round. */
    bool is_remote;
    const struct option_row *options; /* rows of its own, ended by one without a name */

    /* Reads options and secrets (token files: read again each time). -ERR_CONFIG, -ERR_INSECURE with the
     * sentence in the reason. */
    int (
        *access_new)(const struct options *options, struct source_access **ret_access, struct reason *reason);
    void (*access_free)(struct source_access *access);

    /* Is `name` one that could exist there (nothing else ever leaves the machine)? */
    bool (*is_name)(const char *model);

    void *(*discover_new)(const struct source_access *access, const char *model,
        const char *revision /* "" : the default */);
    /* SOURCE_ASK with *ret_ask, SOURCE_DONE with *ret_manifest (of a locked model `reason` may say what
     * to do), or an error: -ERR_UNKNOWN_MODEL,
     * -ERR_UNKNOWN_REVISION, -ERR_GATED, -ERR_TOKEN, -ERR_RATE_LIMITED,
     * -ERR_SERVER, -ERR_JSON, -ERR_ANSWER, -ERR_TOO_LARGE, or what `answer->result` said. */
    int (*discover_next)(void *discovery, const struct source_answer *answer, struct source_ask *ret_ask,
        struct manifest **ret_manifest, struct reason *reason);
    void (*discover_free)(void *discovery);

    /* The places by index from 0; false after the last. What is given lives as long as the declarations. */
    bool (*place)(const struct declared *declared, size_t index, struct source_place *ret_place);
    /* `model` "": all models of the place; else it alone, or all if that is how one asks. It takes a
     * reference to the declarations. */
    void *(*list_new)(struct declared *declared, const char *place, const char *model);
    /* As discover_next(), with *ret_roster; and -EACCES with a sentence when a key is missing. */
    int (*list_next)(void *talk, const struct source_answer *answer, struct source_ask *ret_ask,
        struct roster **ret_roster, struct reason *reason);
    void (*list_free)(void *talk);

    /* How to ask for the bytes of a file, from its first address. */
    int (*file_request)(const struct source_access *access, const struct source_file *file,
        struct source_ask *ret_ask, struct reason *reason);
    /* Judges a head on the way (is_last false) or the last one. `direct`: the kept URL was asked, not the
     * first address. 0: go on (a status of 200 or 206 is judged further by the store); else the error that
     * ends the request: -ERR_EXPIRED (a signed URL, ask from the first address), -ERR_GATED, -ERR_TOKEN,
     * -ERR_UNKNOWN_FILE,
     * -ERR_CHANGED (commit, size or digest differ from what is pinned), -ERR_RATE_LIMITED, -ERR_SERVER,
     * -ERR_STATUS. */
    int (*file_head)(const struct source_access *access, const struct source_file *file,
        const struct http_head *head, bool direct, struct source_lesson *ret_lesson, struct reason *reason);
};

extern const struct source source_hf, source_openai, source_ollama;

/* All sources, NULL-ended. */
extern const struct source *const source_table[];
const struct source *source_find(const char *name);
/* Names by index in source_table, NULL behind the last, and the index of one (behind the last for one that is
 * not in the table): for labels of metrics, whose cells are SOURCES_MOST. */
#define SOURCES_MOST 16
const char *source_label(unsigned index);
unsigned source_index(const struct source *source);

#endif
