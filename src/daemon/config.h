/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_CONFIG_H
#define WEIGHTFS_DAEMON_CONFIG_H

/*
 * Configuration from the outside into options: defaults < file < environment < command line. The file
 * is one flat JSON object of option rows: {"cache_max_bytes": "200G", "discover": true,
 * "stall_timeout_s": 30}; null is as if the key were not there. A mistake names the file and the key.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/option.h"

/* The command line's settings in their order, kept until file and environment have been read. */
#define CONFIG_WORDS_MAX 64
struct config_words {
    struct {
        const char *key;  /* a flag's option (--store); NULL: -o */
        const char *text; /* as typed; not owned */
    } words[CONFIG_WORDS_MAX];
    size_t count;
};
/* An argument of -o, or with `key` the value of that option alone. -ERR_CONFIG when there are too many. */
int config_add_words(struct config_words *words, const char *key, const char *text);

/* One argument of -o into options: KEY=VALUE[,KEY=VALUE…]; KEY alone is on; a comma inside a value is
 * written "\,". */
int config_from_words(struct options *options, const char *text, const char *origin, struct reason *reason);
/* A file's text. `path` is for messages and origins. -ERR_CONFIG, with file and key in the reason.
 * (Pure but for `options`.) */
int config_from_json(struct options *options, const char *path, const char *text, size_t len,
    struct reason *reason);
/* $XDG_CONFIG_HOME/weightfs/config.json (~/.config for users) where that is a file, else
 * /etc/weightfs/config.json. */
void config_default_path(char *to, size_t size);

/* All of it, in order. `path` NULL: the default path, which need not be there. -ERR_CONFIG or -errno. */
int config_load(struct options *options, const char *path, const struct config_words *words,
    struct reason *reason);

#endif
