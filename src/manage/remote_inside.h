/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_REMOTE_INSIDE_H
#define WEIGHTFS_MANAGE_REMOTE_INSIDE_H

/* What remote.c (when who is asked), remote_store.c (what was told) and discovery share. */

#include "manage/internal.h"
#include "manage/remote.h"
#include "model/catalog_revision.h"

struct place {
    struct list link;
    struct manage *manage;
    const struct source *source;
    char name[NAME_MODEL_SIZE];
    struct remote_report report; /* under lock */
    /* desk */
    struct discover_ask ask;
    bool under_way;         /* `ask` is */
    bool dropped;           /* not declared any more: it goes when `ask` has ended */
    bool again;             /* refresh came while it was under way */
    int64_t shown_id;       /* models up to this were asked about one by one, since the last list */
    uint64_t next_ms;       /* clock_ms: when its list is asked for again */
    uint64_t rest_until_ms; /* clock_ms, changed under lock: until then it is left alone */
};

struct remote {
    struct manage *manage;
    struct list places; /* changed by the desk, under lock */
    struct timer timer;
    struct work work;
    atomic_bool queued;  /* `work` is */
    atomic_bool at_once; /* all are asked, whatever the time */
};

/* The end of a discovery with a remote source, on the desk: stores what was told. `model` is the one that was
 * asked for, or with `is_list` the place. 0, or -ERR_UNKNOWN_MODEL when the one is not served,
 * -ERR_DATABASE. */
int remote_conclude(struct manage *manage, const struct source *source, const char *model, bool is_list,
    const struct roster *roster, struct catalog_stored *ret_stored, struct reason *reason);
/* The server of the place wants to be left alone for so long; 0 changes nothing. Desk. */
void remote_rest(struct manage *manage, const struct source *source, const char *place, unsigned seconds);
/* Does the server of that model? Any thread. */
bool remote_rests(struct manage *manage, const struct source *source, const char *model);
/* Is the model of a remote source? */
bool remote_is(const struct catalog_model *model);
/* Models of places that nobody declares (any more) are gone. Desk. */
void remote_drop_undeclared(struct manage *manage);

#endif
