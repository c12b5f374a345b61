/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_JSON_LIST_H
#define WEIGHTFS_DAEMON_JSON_LIST_H

/* What lists print with --json: one array on standard output, an element a line. */

#include <stdbool.h>

#include "base/buf.h"

struct json_list {
    size_t count;
};

void json_list_begin(struct json_list *list);
/* `text` is a JSON value already; newlines at its end are left out. */
void json_list_add(struct json_list *list, const char *text);
void json_list_end(struct json_list *list);

#endif
