/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_AUTO_H
#define WEIGHTFS_INFER_AUTO_H

/*
 * auto/: questions to no model in particular (model_id 0). They wait in a seat of that number as all
 * questions wait in theirs, and the desk moves each to the seat of the model that auto_choose() takes for it.
 * What was decided for each user's last one is kept for auto/infer/status.
 */

#include "infer/infer.h"

#define AUTO_MODEL      0  /* the model_id of who asks auto/ */
#define AUTO_LINES_MOST 16 /* of candidates that are told of */
#define AUTO_LINE_WHY   160

struct auto_line {
    char key[NAME_KEY_SIZE];
    bool is_out;
    int points; /* unless it is out */
    char why[AUTO_LINE_WHY];
};

struct auto_report {
    bool asked;       /* else nothing of the rest counts */
    const char *task; /* "chat"; static */
    char because[AUTO_LINE_WHY];
    char picked[NAME_KEY_SIZE]; /* ""; then `error` says why */
    int error;
    struct reason reason;
    size_t looked_at; /* models */
    size_t line_count;
    struct auto_line lines[AUTO_LINES_MOST]; /* the best first */
};

/* What was decided for this user's last question. Any thread. */
void auto_report(struct infer *infer, uid_t uid, struct auto_report *ret_report);

#endif
