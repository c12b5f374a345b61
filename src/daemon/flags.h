/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_FLAGS_H
#define WEIGHTFS_DAEMON_FLAGS_H

/*
 * Flags of a verb are rows: the parser and `weightfs help VERB` come from them. Not thread-safe:
 * getopt_long() underneath keeps its place in globals, and one command line is read by one thread.
 */

#include <stdio.h>

#define FLAG_LONG_ONLY 256 /* ids from here on have no letter */

struct flag {
    int id;               /* the letter, or FLAG_LONG_ONLY + n; 0 ends the table */
    const char *word;     /* "store" for --store; NULL: the letter only */
    const char *argument; /* "DIR"; NULL: takes none */
    const char *help;
};

/* Begins with argv[0] being the verb. */
void flags_begin(void);
/* The next flag's id with its value in *ret_value (NULL without one); 0 at the end, optind then being
 * the first word that is no flag; -1 when the line is wrong, which was said. */
int flags_next(const struct flag *flags, int argc, char **argv, const char **ret_value);
/* Two columns, for help. */
void flags_print(const struct flag *flags, FILE *to);

/* The flag that every verb for a mount has. */
#define FLAG_MOUNT                                                                               \
    {                                                                                            \
        'm', "mount", "DIR",                                                                     \
            "the mount that is meant (else WEIGHTFS_MOUNT, the current folder, or the only one)" \
    }

/* The flag of every verb that lists. */
#define FLAG_JSON (FLAG_LONG_ONLY + 100)
#define FLAG_AS_JSON \
    { FLAG_JSON, "json", NULL, "as JSON, figures in plain bytes" }

#endif
