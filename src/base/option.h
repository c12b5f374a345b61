/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_OPTION_H
#define WEIGHTFS_BASE_OPTION_H

/*
 * Options are rows. A floor exports its own table (a `const struct option_row []` ended by a row without a
 * name); the daemon concatenates them into one `struct options`, fills it from defaults, files, environment
 * and command line, and hands it down as const. docs/options.md, `config/` and `weightfs config --dump` are
 * printed from the rows. A few can change while mounted (offline): their readers call options_*() each time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum option_type { OPTION_BOOL, OPTION_NUMBER, OPTION_BYTES, OPTION_WORD, OPTION_TEXT, OPTION_SECRET_FILE };

struct option_row {
    const char *name;
    enum option_type type;
    const char *value;   /* the default, as text; NULL: unset */
    int64_t least, most; /* NUMBER, BYTES */
    const char *words;   /* WORD: "on|off|daily" */
    const char
        *environment; /* names that the ecosystem uses already, "A,B": the first that is set counts; NULL */
    bool live;        /* can change while mounted */
    const char *help; /* one sentence */
};

struct options;

/* `tables` is a NULL-ended array of tables; both must outlive the options. */
struct options *options_new(const struct option_row *const *tables);
void options_free(struct options *options);

/* Sets `name` from `text`; `origin` ("/etc/weightfs/config.json", "environment HF_TOKEN", "command line")
 * is copied. -ERR_UNKNOWN_OPTION with the nearest known name in the reason, -ERR_BAD_VALUE with the range.
 * text NULL: back to the default. Bools take on/off/true/false/yes/no/1/0. Thread-safe. */
int options_set(struct options *options, const char *name, const char *text, const char *origin,
    struct reason *reason);
/* Every row's environment names, read through clock.h's environment(). */
int options_from_environment(struct options *options, struct reason *reason);

/* Typed reading; asking for a name that is in no table, or with another type, is our own mistake and
 * aborts. Thread-safe. */
bool options_bool(const struct options *options, const char *name);
int64_t options_number(const struct options *options, const char *name); /* NUMBER and BYTES */
/* TEXT, WORD: copies into `to`; an unset one gives "" and false. */
bool options_text(const struct options *options, const char *name, char *to, size_t size);

/* Walking all rows, for config/ and docs: index from 0; NULL after the last. */
const struct option_row *options_row(const struct options *options, size_t index);
/* The row's value as text and where it came from, in force now. Secrets are not options; paths of secret
 * files are. */
void options_show(const struct options *options, size_t index, char *value, size_t value_size, char *origin,
    size_t origin_size);

#endif
