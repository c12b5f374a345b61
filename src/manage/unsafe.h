/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_UNSAFE_H
#define WEIGHTFS_MANAGE_UNSAFE_H

/*
 * Files that can run code when they are loaded (pickles, and what holds them). With unsafe_formats=warn they
 * are looked at when they are complete, and what is found is told (event file.danger, log, report). With
 * refuse they can't be opened: not while nobody has looked at them (not all here, or not validated: what is
 * read bit by bit can't be judged), not when something dangerous was found, not when they are malformed.
 * A pull makes them complete, and the look follows by itself; `validate` looks again.
 *
 * By content: a file that was found dangerous is refused under any name.
 */

#include <stdbool.h>

#include "manage/manage.h"

/* Could any model refuse files? One look at memory: while it is false nothing more needs to be asked. Any
 * thread. */
bool unsafe_is_watched(const struct manage *manage);
/* Is this a file that there is something to be asked of? Costs one read of the catalogue. Any thread. */
bool unsafe_is_risky(struct manage *manage, const char *path, const char *digest);
/* May a risky file be opened? 0, or -ERR_UNSAFE and why not. Any thread. */
int unsafe_judge(struct manage *manage, const struct catalog_model *model, const struct catalog_file *file,
    struct reason *reason);
/* The first selected file of the model that is refused now: -ERR_UNSAFE and why; 0: none. For status. */
int unsafe_find(struct manage *manage, const struct catalog_model *model, struct reason *reason);
/* At the start, and upon NEWS_SETTING of `unsafe_formats`. */
void unsafe_watch(struct manage *manage);

#endif
