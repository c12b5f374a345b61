/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_LIFE_H
#define WEIGHTFS_DAEMON_LIFE_H

/*
 * The floors as the daemon starts and ends them, one function each: start_X() returns 0, or an error
 * with its sentence; the others undo it and do nothing when the start was not reached. In which order:
 * serve.c.
 */

#include <limits.h>
#include <stdatomic.h>

#include "base/pool.h"
#include "base/timer.h"
#include "daemon/access.h"
#include "daemon/guard.h"
#include "daemon/serve.h"
#include "face/fuse/face.h"
#include "infer/infer.h"
#include "manage/manage.h"
#include "model/catalog.h"
#include "outside/http.h"
#include "store/store.h"
#include "tree/tree.h"

#define LIFE_TEXT_SIZE 4096

/* Floors whose metrics the tree is given. */
#define LIFE_FLOORS 5

struct life {
    const struct serve_settings *settings;
    int report_fd;      /* the main thread's until guard_start(), then the guard's until guard_stop() */
    atomic_bool proved; /* the mount answered */
    atomic_int proof_error;
    char log_path[PATH_MAX];
    char proxy[LIFE_TEXT_SIZE], ca_file[LIFE_TEXT_SIZE];

    struct guard *guard;
    struct http_loop *http;
    struct pool *pool;
    struct timers *timers;
    struct access_table *accesses;
    struct store *store;
    struct catalog *catalog;
    struct manage *manage;
    struct infer *infer;
    struct face *face;
    struct tree *tree;
    struct metric_section metrics[LIFE_FLOORS + 1]; /* of the floors below the tree */
};

int start_guard(struct life *life, struct reason *reason);
int start_log(struct life *life, struct reason *reason);
int start_http(struct life *life, struct reason *reason);
void end_http(struct life *life);
void stop_http(struct life *life);
int start_pool(struct life *life, struct reason *reason);
void stop_pool(struct life *life);
int start_timers(struct life *life, struct reason *reason);
void stop_timers(struct life *life);
int start_accesses(struct life *life, struct reason *reason);
void stop_accesses(struct life *life);
int start_store(struct life *life, struct reason *reason);
void shut_store(struct life *life);
void stop_store(struct life *life);
int start_instance_log(struct life *life, struct reason *reason);
int start_catalog(struct life *life, struct reason *reason);
void stop_catalog(struct life *life);
int start_manage(struct life *life, struct reason *reason);
void shut_manage(struct life *life);
void stop_manage(struct life *life);
int start_infer(struct life *life, struct reason *reason);
void shut_infer(struct life *life);
void stop_infer(struct life *life);
int start_face(struct life *life, struct reason *reason);
void stop_face(struct life *life);
int start_tree(struct life *life, struct reason *reason);
void shut_tree(struct life *life);
void stop_tree(struct life *life);
void stop_news(struct life *life);

#endif
