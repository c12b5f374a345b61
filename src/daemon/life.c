/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/life.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bus.h"
#include "base/log.h"
#include "base/path.h"
#include "daemon/notify.h"
#include "weightfs/exit.h"
#include "weightfs/version.h"

#define POOL_THREADS 3 /* one may sit in a sync of the disk, one in an eviction */

/* On the guard's thread: now the caller may go on. */
static void on_proof(void *context, int result) {
    struct life *life = context;
    const struct target *target = life->settings->target;
    char state[64];
    if (result < 0) {
        atomic_store(&life->proof_error, result);
        return;
    }
    atomic_store(&life->proved, true);
    log_notice("weightfs %s: %s answers, store %s, instance %s", WEIGHTFS_VERSION, target->mountpoint,
        target->store, target->instance);
    if (!life->settings->foreground) {
        /* What libraries and sanitizers print belongs into the log from now on; the terminal is the
         * caller's again. */
        int fd = open(life->log_path, O_WRONLY | O_APPEND | O_CLOEXEC);
        if (fd >= 0) {
            (void)dup2(fd, STDERR_FILENO);
            close(fd);
        }
    }
    snprintf(state, sizeof(state), "READY=1\nMAINPID=%d", getpid());
    notify_manager(state);
    notify_parent(&life->report_fd, WEIGHTFS_EXIT_OK, "");
}

int start_guard(struct life *life, struct reason *reason) {
    const struct target *target = life->settings->target;
    struct guard_settings settings = {.mountpoint = target->supervised_fd < 0 ? target->mountpoint : NULL,
        .proved = on_proof,
        .context = life};
    guard_block_signals();
    int error = guard_start(&settings, &life->guard);
    return error < 0 ? err_because(reason, error, "starting a thread: %s", err_sentence(error)) : 0;
}

static int open_log(struct life *life, const char *path, struct reason *reason) {
    int error = log_open(path);
    if (error >= 0)
        error = text_copy(life->log_path, sizeof(life->log_path), path);
    if (error < 0)
        return err_because(reason, error, "the log %s: %s", path, err_sentence(error));
    guard_set_log(life->guard, life->log_path);
    return 0;
}

int start_log(struct life *life, struct reason *reason) {
    const char *path = life->settings->target->log;
    return path[0] ? open_log(life, path, reason) : 0;
}

/* Said now: later it would be a riddle in every transfer. */
static int check_ca_file(const char *path, struct reason *reason) {
    char byte;
    FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || read(fd, &byte, 1) < 0)
        return err_because(reason, -ERR_CONFIG, "ca_file=%s can't be read: %s", path, err_sentence(-errno));
    return 0;
}

int start_http(struct life *life, struct reason *reason) {
    const struct options *options = life->settings->options;
    struct http_settings settings = {.user_agent = "weightfs/" WEIGHTFS_VERSION,
        .allow_http = options_bool(options, "allow_http"),
        .connections_per_host = (unsigned)options_number(options, "max_connections_per_host")};
    if (options_text(options, "http_proxy", life->proxy, sizeof(life->proxy)))
        settings.proxy = life->proxy;
    if (options_text(options, "ca_file", life->ca_file, sizeof(life->ca_file)))
        settings.ca_file = life->ca_file;
    int error = settings.ca_file ? check_ca_file(settings.ca_file, reason) : 0;
    if (error < 0)
        return error;
    error = http_loop_start(&settings, "transfers", &life->http);
    if (error < 0)
        return err_because(reason, error, "starting transfers: %s", err_sentence(error));
    http_loop_set_offline(life->http, options_bool(options, "offline"));
    return 0;
}

/* All transfers end; the pool, which is still at work, may go on posting to the loop. */
void end_http(struct life *life) {
    if (life->http)
        http_loop_end(life->http);
}

void stop_http(struct life *life) {
    if (life->http)
        http_loop_stop(life->http);
}

int start_pool(struct life *life, struct reason *reason) {
    int error = pool_start("pool", POOL_THREADS, &life->pool);
    return error < 0 ? err_because(reason, error, "starting threads: %s", err_sentence(error)) : 0;
}

void stop_pool(struct life *life) {
    pool_stop(life->pool);
}

int start_timers(struct life *life, struct reason *reason) {
    int error = timers_start(&life->timers);
    return error < 0 ? err_because(reason, error, "starting a thread: %s", err_sentence(error)) : 0;
}

void stop_timers(struct life *life) {
    if (life->timers)
        timers_stop(life->timers);
}

int start_accesses(struct life *life, struct reason *reason) {
    return access_table_new(life->settings->options, &life->accesses, reason);
}

void stop_accesses(struct life *life) {
    access_table_free(life->accesses);
}

int start_store(struct life *life, struct reason *reason) {
    const struct target *target = life->settings->target;
    struct store_settings settings = {.path = target->store,
        .instance = target->instance,
        .options = life->settings->options,
        .http = life->http,
        .pool = life->pool,
        .access_of = access_table_of,
        .context = life->accesses};
    struct reason why = {""};
    int error = store_open(&settings, &life->store, &why);
    if (error < 0 && why.text[0]) /* it names the place */
        return err_because(reason, error, "%s", why.text);
    return error < 0 ? err_because(reason, error, "the store %s: %s", target->store, err_sentence(error)) : 0;
}

/* Nothing new is fetched, hashed or synced. */
void shut_store(struct life *life) {
    if (life->store)
        store_stop(life->store);
}

void stop_store(struct life *life) {
    store_close(life->store);
}

/* The instance has a folder now: where its log is, when nobody named another. */
int start_instance_log(struct life *life, struct reason *reason) {
    char path[PATH_MAX];
    int error = 0;
    snprintf(path, sizeof(path), "%s/log", store_instance_path(life->store));
    if (!life->log_path[0] && !life->settings->foreground) {
        error = open_log(life, path, reason);
        if (error >= 0)
            error = target_put_back(life->settings->options, "log", path, reason);
    }
    if (error >= 0)
        access_table_log(life->accesses);
    return error;
}

/* What the damaged catalogue wanted to be kept is in the store's list: it is held until somebody who knows
 * takes the file away. Before anybody writes a new list; after a crash in between the next start does it. */
static void keep_holds(void *context, const char *name) {
    struct life *life = context;
    int fd = store_instance_fd(life->store), error;
    char file[NAME_MAX + 1];
    struct buf pins BUF_CLEANUP = BUF_INIT;
    (void)snprintf(file, sizeof(file), "%.200s" CATALOG_ASIDE_PINS, name);
    if (faccessat(fd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return;
    error = path_read(fd, "pins", 64u << 20, &pins);
    if (error == 0 || error == -ENOENT)
        error = path_replace(fd, file, buf_text(&pins), pins.len, true);
    if (error < 0)
        log_error("what was pinned before the catalogue was damaged can't be held: %s", err_sentence(error));
}

int start_catalog(struct life *life, struct reason *reason) {
    char path[PATH_MAX];
    bool damaged = false;
    struct reason why = {""};
    snprintf(path, sizeof(path), "%s/catalog.db", store_instance_path(life->store));
    int error = catalog_open(path, &life->catalog, &damaged, &why);
    if (error < 0)
        return err_because(reason, error, "the catalogue %s: %s", path, err_text(&why, error));
    if (damaged)
        log_error("the catalogue was damaged and has been put aside beside %s; models will be discovered "
                  "anew, and what was pinned is held; health says more",
            path);
    (void)catalog_list_aside(store_instance_fd(life->store), keep_holds, life); /* the folder was just used */
    return 0;
}

void stop_catalog(struct life *life) {
    if (life->catalog)
        catalog_close(life->catalog);
}

int start_manage(struct life *life, struct reason *reason) {
    struct manage_settings settings = {.options = life->settings->options,
        .catalog = life->catalog,
        .store = life->store,
        .http = life->http,
        .pool = life->pool,
        .timers = life->timers,
        .access_of = access_table_of,
        .context = life->accesses,
        .session = life->settings->target->session};
    return manage_start(&settings, &life->manage, reason);
}

void shut_manage(struct life *life) {
    if (life->manage)
        manage_shut(life->manage);
}

void stop_manage(struct life *life) {
    if (life->manage)
        manage_stop(life->manage);
}

/* An engine may be reading the mount: killed first, it is not left to reads that nobody answers. */
static void face_is_ending(void *context) {
    shut_infer(context);
}

int start_face(struct life *life, struct reason *reason) {
    char state_path[PATH_MAX];
    snprintf(state_path, sizeof(state_path), "%s/backing", store_instance_path(life->store));
    struct face_settings settings = {.options = life->settings->options,
        .mountpoint = life->settings->target->mountpoint,
        .source_name = life->settings->source_name,
        .takeover = life->settings->takeover,
        .state_path = state_path,
        .ending = face_is_ending,
        .context = life};
    struct reason why = {""};
    int error = face_new(&settings, &life->face, &why);
    if (error < 0)
        return err_because(reason, error, "mounting on %s: %s", settings.mountpoint, err_text(&why, error));
    guard_watch_face(life->guard, life->face);
    return 0;
}

void stop_face(struct life *life) {
    if (!life->face)
        return;
    guard_watch_face(life->guard, NULL);
    face_free(life->face);
}

int start_tree(struct life *life, struct reason *reason) {
    const struct options *options = life->settings->options;
    /* The face exists: its numbers can be asked for. */
    const struct metric_section sections[] = {{process_metrics, NULL}, {store_metrics, life->store},
        {manage_metrics, life->manage}, {infer_metrics, life->infer}, {face_metrics, life->face},
        {NULL, NULL}};
    _Static_assert(sizeof sections == sizeof life->metrics, "each floor has its place");
    memcpy(life->metrics, sections, sizeof sections);
    int64_t uid = options_number(options, "uid"), gid = options_number(options, "gid");
    struct tree_settings settings = {.manage = life->manage,
        .infer = life->infer,
        .uid = uid < 0 ? getuid() : (uid_t)uid,
        .gid = gid < 0 ? getgid() : (gid_t)gid,
        .version = WEIGHTFS_VERSION,
        .mountpoint = life->settings->target->mountpoint,
        .face_figures = face_figures,
        .context = life->face,
        .metrics = life->metrics};
    int error = tree_new(&settings, &life->tree);
    if (error < 0)
        return err_because(reason, error, "the tree: %s", err_sentence(error));
    face_set_tree(life->face, life->tree);
    return 0;
}

void shut_tree(struct life *life) {
    if (life->tree)
        tree_shut(life->tree);
}

void stop_tree(struct life *life) {
    if (life->tree)
        tree_free(life->tree);
}

/* Those who listened have gone. */
void stop_news(struct life *life) {
    (void)life;
    bus_reset();
}
