/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_SCRUB_H
#define WEIGHTFS_MANAGE_SCRUB_H

/*
 * The scrub: what was judged longer than scrub_interval ago is read again, slowly and from the medium itself,
 * to find what the disk has lost while nobody read it. A job of the kind "scrub", added by the daemon when
 * there is something to be read, and by the command `scrub` (then all that is here). Each instance reads what
 * its own models show. Desk.
 */

#include "base/timer.h"

struct manage;

struct scrub_watch {
    struct timer timer;
    struct manage *manage;
};

/* Begins to look for what is due, some seconds from now and then every hour. */
void scrub_start(struct manage *manage);
/* Timers do not come any more. Before the timers and the desk end. */
void scrub_stop(struct manage *manage);

#endif
