/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_PRELOAD_H
#define WEIGHTFS_INFER_PRELOAD_H

/*
 * What is loaded when the mount begins: the models that the option `preload_models` names, in its order, then
 * those whose own setting `preload` is on. A model that is not known yet is discovered, one that is not here
 * is pulled, as by the command `load`; but nothing goes for it: what has no room is told in its infer/status
 * and the log.
 */

#include "infer/inside.h"

/* At the start of the floor, once. */
void preload_begin(struct infer *infer);
/* Desk: goes on with them, one after the other. */
void preload_step(struct infer *infer);
/* Once the manager has ended, and with it all discoveries. */
void preload_end(struct infer *infer);

#endif
