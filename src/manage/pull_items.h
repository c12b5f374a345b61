/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_PULL_ITEMS_H
#define WEIGHTFS_MANAGE_PULL_ITEMS_H

/*
 * The fetching part of a job, for kinds that fetch files and then do something with them: their begin()
 * finds the items and hands them over, the other functions of the row are these. Desk.
 */

#include "manage/job.h"

/* Called when all items are here (error 0) or the job can't get on (its error, and why), before the job
 * ends. What it answers is the job's result; it may replace the reason. */
typedef int pull_over(struct live_job *job, int error, struct reason *reason);

/* Takes the items, which were looked at (items_look). `over` may be NULL. */
void pull_begin_items(struct live_job *job, struct items *items, pull_over *over);
void pull_step(struct live_job *job);
void pull_stop(struct live_job *job, bool goes_on);
void pull_retry(struct live_job *job);
bool pull_hears(const struct live_job *job, const char *digest);
/* The items are the whole selection. */
bool pull_report_items(const struct live_job *job, struct model_report *report);

#endif
