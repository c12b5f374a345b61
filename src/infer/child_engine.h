/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_CHILD_ENGINE_H
#define WEIGHTFS_INFER_CHILD_ENGINE_H

/*
 * A server of our own as a child: what the engines that run one share. It is started (outside/child_service.h
 * says what it has and has not), asked by HTTP until it answers, and when it ends that is told with its last
 * words. An engine fills in a struct child_start in its start(), and has child_engine_stop(), _free() and
 * _process() as its own functions; the struct engine_instance is ours.
 */

#include "outside/child_service.h"
#include "weightfs/engine.h"

/* What it writes, understood: state of `size` bytes, zeroed at first and again when it is ready. Both are
 * called with a lock held that nobody else has for long: nothing that waits. */
struct child_words {
    size_t size;
    void (*note)(void *words, const char *line); /* a line, in its order */
    /* How it failed: `code` is its exit code, or 128 and a signal's number. A negative error and its
     * sentence. */
    int (*judge)(const void *words, const char *name, int code, struct reason *reason);
};

struct child_start {
    const char *name;                       /* for sentences and traces: "llama-server"; copied */
    const struct child_words *words;        /* static */
    struct engine_endpoint endpoint;        /* told as it is, when it answers */
    const char *health;                     /* a URL at the endpoint's socket or port: 200 is ready; copied */
    struct service_description description; /* without its functions and context */
};

/* Starts it: what engine.start() does. */
int child_engine_start(const struct engine_start *start, const struct child_start *child,
    struct engine_instance **ret_instance, struct reason *reason);
void child_engine_stop(struct engine_instance *instance);
void child_engine_free(struct engine_instance *instance);
int child_engine_process(struct engine_instance *instance);
const char *child_engine_name(const struct engine_instance *instance);

/* In the engine's folder: `home`, empty, for HOME and as the folder where it runs; and `files`, with a named
 * link to each of the model's files. `flat`: by their last names alone, else in their folders. */
int child_fill_folder(const struct engine_start *start, bool flat, struct reason *reason);
/* "…/home" into `to` of `size` bytes: -ENAMETOOLONG. */
int child_home(const struct engine_start *start, char *to, size_t size);

/* A program as a shell looks for it: what has a slash is its path, else a folder of PATH has it. -ENOENT,
 * -EACCES …; what to say about it is the caller's. */
int child_find(const char *program, char *to, size_t size);

#endif
