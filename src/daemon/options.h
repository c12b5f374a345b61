/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_OPTIONS_H
#define WEIGHTFS_DAEMON_OPTIONS_H

/*
 * All option rows in one: each floor exports its own table, here they are put one behind the other. The
 * order is the one in which docs/options.md and `config --dump` print them.
 */

#include "base/option.h"

/* Rows of this floor: store, instance, log … */
extern const struct option_row daemon_options[];

struct option_section {
    const char *title; /* for docs: "The store" */
    const struct option_row *rows;
};
/* Ended by one without rows. Sources' tables are in it, one section a source. Static after the first
 * call; single-threaded. */
const struct option_section *option_sections(void);

/* All of them with their defaults; free with options_free(). */
struct options *all_options_new(void);

#endif
