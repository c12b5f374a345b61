/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_OPTION_H
#define WEIGHTFS_BASE_OPTION_H

/*
 * Options are rows. A floor exports its own table (a `const struct option_row []` ended by a row without a
 * name); the daemon concatenates them into one `struct options`, fills it from defaults, files, environment
 * and command line, and hands it down as const. docs/options.md, `config/` and `weightfs config --dump` are
 * printed from the rows. Those that are `live` can change while mounted: their readers call options_*() each
 * time.
 *
 * Every option has a value in each of several layers, or none; the highest that has one is in force. Taking a
 * layer's value away brings back what lies beneath.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum option_type {
    OPTION_BOOL,
    OPTION_NUMBER,
    OPTION_BYTES,
    OPTION_WORD,
    OPTION_TEXT,
    OPTION_SECRET_FILE,
    OPTION_REAL, /* a decimal number: 0.35, 1e-5 */
    OPTION_SHARE /* bytes ("8G"), or a part ("80%") of what only its reader knows */
};

struct option_row {
    const char *name;
    enum option_type type;
    const char *value;   /* the default, as text; NULL: unset */
    int64_t least, most; /* NUMBER, BYTES; SHARE, when given in bytes */
    const char *words;   /* WORD: "on|off|daily" */
    const char
        *environment; /* names that the ecosystem uses already, "A,B": the first that is set counts; NULL */
    bool live; /* a change is in force at once: its readers ask each time; else from the next mount on */
    const char *help;             /* one sentence */
    double least_real, most_real; /* REAL: both 0: without bounds; DBL_MAX: without this one */
    bool guarded; /* a path that the daemon opens or runs, an address that its secrets go to, who may what:
                   * only root and the user that the daemon runs as may change it in config/ */
    bool fixed;   /* says where the settings are kept: can be given only when mounting */
    /* TEXT that is not just any line: will this one do? Pure. NULL: any does. And what will, in words. */
    bool (*fits)(const char *text);
    const char *wanted;
};

enum option_layer {
    OPTION_DEFAULT, /* of the row: can't be set */
    OPTION_FILE,
    OPTION_ENVIRONMENT,
    OPTION_COMMAND_LINE, /* and what follows from how we were started */
    OPTION_CONFIG,       /* what was written into config/: kept by the manager */
    OPTION_LAYERS
};

struct options;

/* `tables` is a NULL-ended array of tables; both must outlive the options. */
struct options *options_new(const struct option_row *const *tables);
void options_free(struct options *options);

/* Sets `name` from `text` in a layer; `origin` ("/etc/weightfs/config.json", "environment HF_TOKEN",
 * "command line") is copied. -ERR_UNKNOWN_OPTION with the nearest known name in the reason, -ERR_BAD_VALUE
 * with the range. text NULL: the layer has no value any more. Bools take on/off/true/false/yes/no/1/0.
 * Thread-safe. */
int options_put(struct options *options, enum option_layer layer, const char *name, const char *text,
    const char *origin, struct reason *reason);
/* The same in OPTION_COMMAND_LINE. */
int options_set(struct options *options, const char *name, const char *text, const char *origin,
    struct reason *reason);
/* From now on OPTION_CONFIG of a row that is not live is kept beside what is in force: see
 * options_show_next(). */
void options_started(struct options *options);
/* Would `text` (not NULL) do for the row? -ERR_BAD_VALUE with what is wanted in the reason. Pure. */
int option_check(const struct option_row *row, const char *text, const char *origin, struct reason *reason);
/* Has a REAL bounds? And is this one, or as far as numbers go? */
bool option_real_bounded(const struct option_row *row);
bool option_is_bound(double real);
/* What `text` is as a number to a BOOL, NUMBER, BYTES or SHARE (-80: "80%"): 0, or -ERR_BAD_VALUE. Pure. */
int option_as_number(const struct option_row *row, const char *text, int64_t *ret_number);
/* The row of a name: -ERR_UNKNOWN_OPTION with the nearest. `ret_index` is for options_row() and _show(). */
int options_find(const struct options *options, const char *name, const char *origin, size_t *ret_index,
    struct reason *reason);
/* Every row's environment names, read through clock.h's environment(). */
int options_from_environment(struct options *options, struct reason *reason);

/* Typed reading; asking for a name that is in no table, or with another type, is our own mistake and
 * aborts. Thread-safe. */
bool options_bool(const struct options *options, const char *name);
int64_t options_number(const struct options *options, const char *name); /* NUMBER and BYTES */
double options_real(const struct options *options, const char *name);    /* REAL */
/* SHARE: the bytes that it means when there are `whole`. */
uint64_t options_share(const struct options *options, const char *name, uint64_t whole);
/* TEXT, WORD: copies into `to`; an unset one gives "" and false. */
bool options_text(const struct options *options, const char *name, char *to, size_t size);

/* Walking all rows, for config/ and docs: index from 0; NULL after the last. */
const struct option_row *options_row(const struct options *options, size_t index);
/* The row's value as text and where it came from, in force now. Secrets are not options; paths of secret
 * files are. */
void options_show(const struct options *options, size_t index, char *value, size_t value_size,
    char *origin /* may be NULL */, size_t origin_size);
/* What will be in force after the next mount, when that is not what is now: true, and as above. */
bool options_show_next(const struct options *options, size_t index, char *value, size_t value_size,
    char *origin, size_t origin_size);
/* The value without OPTION_CONFIG: what unsetting it would bring back. Same sizes and text as above. */
void options_show_beneath(const struct options *options, size_t index, char *value, size_t value_size);
/* Has any option a value in this layer? */
bool options_use(const struct options *options, enum option_layer layer);
/* What the rows live in: `let_go(what)` is called by options_free(). Once. */
void options_hold(struct options *options, void *what, void (*let_go)(void *what));

#endif
