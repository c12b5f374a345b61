/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_CATALOG_AUDIT_H
#define WEIGHTFS_MODEL_CATALOG_AUDIT_H

/*
 * The audit: who commanded what, and how it ended. A row a command, the newest `keep` of them. Ids rise and
 * are never used again.
 */

#include "model/catalog.h"

#define AUDIT_PROGRAM_SIZE 256
#define AUDIT_COMMAND_SIZE 1100
#define AUDIT_RESULT_SIZE  32

struct catalog_audit {
    int64_t id, time_ms; /* filled when it is added */
    unsigned uid, gid;
    int pid;
    char program[AUDIT_PROGRAM_SIZE]; /* the caller's command line; "" when it was not to be had */
    char target[NAME_KEY_SIZE];       /* "hf:acme/tiny", "root", "job 12" */
    char command[AUDIT_COMMAND_SIZE];
    char result[AUDIT_RESULT_SIZE]; /* err_name(): "OK", "NOT_ALLOWED" … */
};

/* On the desk, in the command's own transaction where there is one. Of the oldest so many go that `keep`
 * (at least 1) are left. */
int catalog_add_audit(struct catalog *catalog, const struct catalog_audit *line, unsigned keep);
/* Up to `room` rows with id > `after_id`, oldest first: the count, or -ERR_DATABASE. */
int catalog_list_audit(struct catalog *catalog, int64_t after_id, struct catalog_audit *array, size_t room);

#endif
