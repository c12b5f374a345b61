/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_AUTO_INSIDE_H
#define WEIGHTFS_INFER_AUTO_INSIDE_H

/* What the parts of auto/ share. Desk. */

#include "infer/auto.h"
#include "infer/auto_choice.h"
#include "infer/inside.h"

/* The models that may be meant, at most AUTO_CANDIDATES_MOST, those that are here first: *ret_array is the
 * caller's to free. The count, or an error. */
#define AUTO_CANDIDATES_MOST 256
int auto_gather(struct infer *infer, struct auto_candidate **ret_array);
/* What bounds the choice now; `preferred` and `suggestion` are kept in `room`. */
struct auto_limits_room {
    char preferred[1024], suggestion[NAME_KEY_SIZE];
};
void auto_set_limits(struct infer *infer, enum auto_task task, struct auto_limits_room *room,
    struct auto_limits *ret_limits);

#endif
