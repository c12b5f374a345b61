/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_TALK_H
#define WEIGHTFS_INFER_TALK_H

/*
 * A talk: all that a question in text sends, before it becomes a body. The system prompt, the parameters, and
 * what was said, the question last; of a conversation what was said before it as well. Copies; desk.
 */

#include "infer/inside.h"
#include "infer/template.h"

struct talk {
    struct buf system, params;
    struct template_turn *turns; /* each text is the talk's own */
    size_t count, room;
    size_t bytes; /* of the turns' texts */
};

/* Fills an empty one. 0, or an error with its sentence: -ERR_STALE (the conversation is gone), -EDQUOT (it is
 * full). */
int talk_take(struct seat *seat, struct question *question, struct talk *talk, struct reason *reason);
void talk_add(struct talk *talk, enum template_role role, const char *text);
/* Takes the line ends away that shells put behind texts: within a template they would stand inside a turn. */
void talk_trim(struct talk *talk);
void talk_done(struct talk *talk);
#define TALK_CLEANUP __attribute__((cleanup(talk_done)))

#endif
