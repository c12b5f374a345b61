/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_REMOTE_H
#define WEIGHTFS_MANAGE_REMOTE_H

/*
 * Models that are served elsewhere (source->is_remote): their lists are kept fresh here. A *place* is what is
 * listed at once (struct source_place): an endpoint that was declared, or the running Ollama.
 *
 * A place is listed at the start, every `remote_refresh_s`, when the declarations are read again, when
 * offline=off, by the command `refresh`, and where one steps into an unknown name. A server that is down or
 * refuses changes nothing of what is known; what a server that answers lists no more is gone: it is not
 * listed here, and keeps what belongs to it.
 */

#include "manage/manage.h"
#include "model/catalog_remote.h"

/* How a place is. */
struct remote_report {
    char url[DECLARED_URL_SIZE]; /* of the server, for people */
    int64_t listed_ms;           /* when it last told its models, wall time; 0 never since the start */
    size_t models;               /* how many it told of then */
    size_t left_out;             /* and of how many more, whose names can't be shown or that are too many */
    int error;                   /* why the last question failed; 0 */
    struct reason reason;
};

/* The place of a remote source's model or group: "" or what is before the first slash. */
void remote_place_of(const struct source *source, const char *model, char to[static NAME_MODEL_SIZE]);
/* -ENOENT: it is not declared (any more). Any thread. */
int remote_look(struct manage *manage, const struct source *source, const char *place,
    struct remote_report *ret_report);
/* Calls `each` for all places, in the order in which they were declared. Any thread; each() must not call
 * back. */
void remote_list(struct manage *manage,
    void (*each)(void *context, const struct source *source, const char *place,
        const struct remote_report *report),
    void *context);

/* Desk: the places become those that are declared now, and are listed soon. At the start and after a
 * reload. */
void remote_renew(struct manage *manage);
/* Desk: all are listed now; how many there are. */
size_t remote_refresh(struct manage *manage);
/* Any thread: a setting changed. */
void remote_hear(struct manage *manage, const char *setting);
void remote_init(struct manage *manage);
void remote_shut(struct manage *manage); /* nothing begins from here on */
void remote_done(struct manage *manage);

#endif
