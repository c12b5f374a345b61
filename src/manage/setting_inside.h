/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_SETTING_INSIDE_H
#define WEIGHTFS_MANAGE_SETTING_INSIDE_H

/* What the files of settings share with the rest of the manager. */

#include "manage/internal.h"

/* Where a value in OPTION_CONFIG comes from, for people. */
#define SETTING_ORIGIN "config/"

/* At the start: what the catalogue keeps of the whole is in force, and from now on what is not live waits for
 * the next start. */
int settings_take_up(struct manage *manage);

/* A change of the whole that was committed: puts it in force where it is live, and tells. Desk. `text` NULL:
 * unset. */
void setting_apply(struct manage *manage, const char *name, const char *text);

command_function parse_set, run_set;

#endif
