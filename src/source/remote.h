/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_SOURCE_REMOTE_H
#define WEIGHTFS_SOURCE_REMOTE_H

/*
 * What the sources of models that are served elsewhere share (`openai`, `ollama`): who is asked is what the
 * operator declared (model/declared.h), and a key goes to its own endpoint alone.
 */

#include "model/declared.h"
#include "outside/json.h"
#include "weightfs/source.h"

/* A listing that is under way. */
struct remote_talk {
    struct declared *declared;
    const struct declaration *declaration;               /* NULL: the place is not declared */
    char place[NAME_MODEL_SIZE], model[NAME_MODEL_SIZE]; /* `model` without its place; "" all */
    bool with_key;                                       /* the question that is under way had one */
    bool asked;
};
struct remote_talk *remote_talk_new(struct declared *declared, const struct declaration *declaration,
    const char *place, const char *model);
void remote_talk_free(void *talk);

/* Asks for the declaration's URL with `path` behind it; with a body a POST of JSON, which is taken.
 * SOURCE_ASK, or -EACCES when its key can't be read. */
int remote_ask(struct remote_talk *talk, const char *path, char *post, struct source_ask *ret_ask,
    struct reason *reason);
/* Is it an answer with something in it? 0, or what the transfer's end or the status means, with its sentence:
 * -ERR_UNKNOWN_MODEL (404), -EACCES (a key is wanted), -ERR_TOKEN (ours was refused), -ERR_RATE_LIMITED,
 * -ERR_SERVER, -ERR_STATUS. */
int remote_judge(const struct remote_talk *talk, const struct source_answer *answer, struct reason *reason);
/* Its body: -ERR_JSON, -ERR_ANSWER when it is no object. */
int remote_parse(const struct source_answer *answer, struct json **ret_document, struct reason *reason);

/* Adds what the server calls `name` under the place, when it was asked for and the declaration's patterns
 * let it be shown. */
void remote_add(const struct remote_talk *talk, struct roster *roster, const char *name, const char *digest,
    struct card *card, bool whole);
/* The number, 0 where there is none. */
uint64_t remote_number(const struct json *value);

#endif
