/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_VERSION_H
#define WEIGHTFS_TREE_VERSION_H

/*
 * Versions: numbers that rise when what a text shows may have changed, so that a text is made once a
 * version. News raise them, and commands. They are counters, read and raised from any thread; to be read
 * before printing, so that what comes meanwhile makes the text old.
 */

#include "base/bus.h"
#include "tree/place.h"

/* What the texts of a place depend on: everything, or one model (several share a counter, by their ids). */
uint64_t version_of(const struct place *place);
/* Rises also with what changes figures only: bytes that came. */
uint64_t version_of_figures(const struct place *place);
/* How long a text may be given out while its version stays: less where other daemons of the store, the clock
 * or figures that nobody tells of stand in it. Milliseconds. */
uint64_t version_lasts_ms(const struct place *place);

void version_hear(struct tree *tree, const struct news *news);
/* A command was done at this node, or is about to be looked for. */
void version_command(struct tree *tree, node_number node);
/* Something else that may change any text. */
void version_raise(struct tree *tree);

#endif
