/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_GATEWAY_H
#define WEIGHTFS_INFER_GATEWAY_H

/*
 * OpenAI's HTTP interface on Unix sockets: `infer/openai.sock` of each model, and one for all in the root,
 * where the member `model` of a request says which is meant. It stands on the same questions as the files do;
 * the socket is one more way to ask.
 *
 *   GET  /v1/models, /v1/models/ID   what can be asked
 *   POST /v1/chat/completions        as it comes from the engine: JSON, or events with "stream": true
 *   POST /v1/completions, /v1/embeddings
 *   GET  /health                     {"status":"ok"}
 *
 * (each also without /v1). Members of a request that are not known here are the engine's. Errors have
 * OpenAI's shape and a fitting status (gateway_error.c); one in the middle of a stream is a last event, and a
 * stream that was cut within an event is cut off for the client as well. A client that hangs up cancels its
 * question.
 *
 * A socket is bound when its link is read, so that models nobody asks cost nothing. SOCKETS_MOST of models
 * are bound at a time: one more takes the place of the one that nobody is connected to and that was used
 * least recently. The server and its threads begin with the first socket.
 *
 * Threads: any. The server's thread (outside/server.h) only moves bytes. A pool of its own parses and routes,
 * so that neither a long request nor the disk delays anybody's tokens.
 */

#include "base/buf.h"
#include "infer/infer.h"

#define SOCKETS_MOST 64

struct gateway;

struct gateway *gateway_new(struct infer *infer);
/* Ends what is under way, in bounded time; the questions have ended. Nothing is bound afterwards. Twice is
 * once. */
void gateway_shut(struct gateway *gateway);
void gateway_free(struct gateway *gateway); /* NULL is allowed */

/* Where the model's socket is, or (0) the one for all; added to `to`. */
void gateway_path(const struct gateway *gateway, int64_t model_id, struct buf *to);
/* Somebody reads the link: it is bound from now on. -EBUSY: all places are taken by sockets in use. */
int gateway_bind(struct gateway *gateway, int64_t model_id);

#endif
