/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_BUS_H
#define WEIGHTFS_BASE_BUS_H

/*
 * News: how something below tells those above, without calling up. Listeners register before threads start; a
 * publisher calls them one after the other on its own thread, holding no lock. A listener must be quick and
 * only take note (queue it, mark it).
 */

#include <stdint.h>

enum news_kind {
    NEWS_BLOB_PROGRESS,   /* key: more of the blob is here (at most a few a second and blob) */
    NEWS_BLOB_VERIFIED,   /* key: all of it is here and its digest is right; it is being sealed */
    NEWS_BLOB_GENERATION, /* key, id = new generation (0: it isn't known yet): sealed, evicted, or killed by a
                           * mismatch */
    NEWS_BLOB_TROUBLE,    /* key, error, text: a fetch failed; what follows is in the blob's state */
    NEWS_MODEL,           /* id = model row: anything that its status shows changed */
    NEWS_MODEL_ADDED,     /* id = model row */
    NEWS_MODEL_FORGOTTEN, /* id = model row; text = key */
    NEWS_FILES_CHANGED,   /* id = model row: another revision is selected */
    NEWS_JOB,             /* id = job row */
    NEWS_SETTING,         /* text = option's name */
    NEWS_CHAT,            /* id = chat row: what was said in it, or what is known of it */
    NEWS_EVENT,           /* a line was added to the events */
};

struct news {
    enum news_kind kind;
    int64_t id;
    const char *key; /* valid during the call only, as text */
    int error;
    const char *text;
};

typedef void (*bus_listener)(void *context, const struct news *news);

void bus_listen(bus_listener listener, void *context); /* before threads start; up to 8 */
void bus_publish(const struct news *news);
void bus_reset(void); /* forgets all listeners (tests, shutdown after threads have ended) */

#endif
