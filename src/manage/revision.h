/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_REVISION_H
#define WEIGHTFS_MANAGE_REVISION_H

/*
 * Going from one revision of a model to another: `update`, `use`, `rollback`, and what does it by itself.
 * Desk.
 *
 * A model that was pulled goes on showing what it shows until all that is wanted of the other revision is
 * here: a job of the kind update fetches what differs, then it is selected, in one transaction. A
 * model that is only read shows the other revision at once. Who has a file open keeps it; kept
 * revisions stay under revisions/.
 */

#include "manage/job.h"
#include "model/catalog_revision.h"

/* How a revision is gone to, as in the words of a job. */
struct revision_step {
    char commit[64];
    char follow[NAME_REVISION_SIZE]; /* what `update` asks for from then on; "": as before */
    bool stays;                      /* auto_update lets it be */
    bool back;                       /* it keeps its turn: a rollback */
};

/* Goes there, or begins the job that will. `who` is what row->run was given: then inside of
 * command_begin(), which it calls, and command->after is set; NULL: the daemon itself. The reason tells
 * what was done. -ERR_BUSY, -ERR_GATED, -ERR_BUDGET … */
int revision_go(struct manage *manage, const struct catalog_model *model,
    const struct catalog_revision *revision, const struct revision_step *step,
    const struct command_request *who, struct reason *reason);
/* Another one is selected: tells everybody, and drops what is no longer kept. Outside of transactions. */
void revision_switched(struct manage *manage, int64_t model_id);
/* Drops what keep_revisions does not keep, but for what is open. Outside of transactions. */
void revisions_trim(struct manage *manage, int64_t model_id);

/* Has anybody opened a file of it (or one that has the same bytes) here? */
bool revision_is_open(struct manage *manage, const struct catalog_model *model, int64_t revision_id);

/* Words of a job of the kind update. */
int revision_step_print(const struct revision_step *step, char *to, size_t size, struct reason *reason);
int revision_step_parse(const char *words, struct revision_step *ret_step, struct reason *reason);

/* Asks the source what the followed name leads to now; with `go`, goes there. `told` comes on the desk with
 * 1: there is a newer revision (and it was gone to), 0: there is none, or an error. 0: it will come. */
typedef void revision_looked(struct manage *manage, int64_t owner, int64_t model_id, int result,
    const struct reason *reason);
int revision_look(struct manage *manage, const struct catalog_model *model, bool go, revision_looked *told,
    int64_t owner);

/* auto_update: looks at models whose time has come; armed from the start on. */
struct auto_update;
void auto_update_start(struct manage *manage);
void auto_update_shut(struct manage *manage); /* nothing begins from here on */
void auto_update_stop(struct manage *manage);

#endif
