/* SPDX-License-Identifier: Apache-2.0 */
/* The floor's start and end, the desk's look at all seats, and what others see of them. */

#include "infer/infer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bus.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "infer/chat_inside.h"
#include "infer/numbers.h"
#include "infer/preload.h"
#include "infer/gateway.h"
#include "model/name.h"
#include "weightfs/version.h"

#define TICK_MS 500   /* how often deadlines are looked at while something is loaded or asked */
#define SHUT_MS 15000 /* how long engines may take to end; their service kills them before */

/* ---- the desk */

static bool has_business(struct infer *infer) {
    LOCK_SCOPE(&infer->lock);
    bool busy = !list_empty(&infer->pending) || !list_empty(&infer->preloads);
    list_each (link, &infer->seats) {
        const struct seat *seat = list_entry(link, struct seat, link);
        busy =
            busy || seat->state != SEAT_COLD || seat->waiting_count || seat->asked_count || seat->load_wanted;
    }
    return busy;
}

static void name_seat(struct seat *seat) {
    struct catalog_model model;
    if (*seat->name ||
        catalog_model(manage_catalog(seat->infer->settings.manage), seat->model_id, &model) < 0)
        return;
    LOCK_SCOPE(&seat->infer->lock);
    name_format(model.source, model.name, seat->name);
}

static bool all_idle(struct infer *infer) {
    bool idle = true;
    for (struct seat *seat = seat_after(infer, NULL); seat; seat = seat_after(infer, seat))
        idle = seat_is_idle(seat) && idle;
    return idle;
}

static void look(struct work *work) {
    struct infer *infer = list_entry(work, struct infer, work);
    atomic_store(&infer->work_queued, false); /* what comes from now on is looked at again */
    bool shut = atomic_load(&infer->shut);
    http_loop_set_offline(infer->loop, options_bool(infer->settings.options, "offline"));
    questions_drop_silent(infer);
    if (!shut)
        preload_step(infer);
    readers_look(infer);
    for (struct seat *seat = seat_after(infer, NULL); seat; seat = seat_after(infer, seat)) {
        if (!shut) {
            name_seat(seat); /* later the manager may be gone */
            stream_mind_the_mount(seat);
        } else {
            questions_fail(seat, -ERR_CANCELLED, "weightfs ends");
            (void)infer_unload(infer, seat->model_id, true);
        }
        seat_step(seat);
    }
    if (shut && all_idle(infer)) {
        LOCK_SCOPE(&infer->lock);
        infer->is_calm = true;
        pthread_cond_broadcast(&infer->calm);
    } else if (!shut && has_business(infer)) { /* infer_shut() looks by itself */
        timer_arm(infer->settings.timers, &infer->timer, clock_ms() + TICK_MS);
    }
}

void infer_look(struct infer *infer) {
    if (!atomic_exchange(&infer->work_queued, true))
        pool_submit(infer->desk, &infer->work);
}

static void tick(struct timer *timer) {
    infer_look(list_entry(timer, struct infer, timer));
}

static void on_gpus(void *context) {
    infer_look(context);
}

/* A setting of a model changed. */
static void hear(void *context, const struct news *news) {
    struct infer *infer = context;
    if (news->kind != NEWS_SETTING || !news->id)
        return;
    if (atomic_fetch_add(&infer->settings_version, 1) == UINT_MAX)
        atomic_fetch_add(&infer->settings_version, 1); /* 0 is none */
    infer_look(infer);
}

/* ---- its life */

/* It was there: ours, or one that somebody put into our place to have what comes in through our sockets? */
static int judge_folder(const char *path) {
    struct stat status;
    if (lstat(path, &status) < 0)
        return -errno;
    if (!S_ISDIR(status.st_mode))
        return -ENOTDIR;
    return status.st_uid == geteuid() && !(status.st_mode & (S_IWGRP | S_IWOTH)) ? 0 : -EPERM;
}

int infer_make_folder(struct infer *infer, struct reason *reason) {
    if (!*infer->folder)
        return err_because(reason, -ERR_CONFIG,
            "there is no folder for an engine's socket: name one of at most 47 bytes in runtime_folder");
    char parent[sizeof infer->folder];
    snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(infer->folder, '/') - infer->folder),
        infer->folder);
    int error = path_make_folders(parent);
    if (!error && mkdir(infer->folder, 0700) < 0 && errno != EEXIST)
        error = -errno;
    if (!error)
        error = judge_folder(infer->folder);
    if (!error && infer->settings.for_all && chmod(infer->folder, 0711) < 0) /* engines' own stay 0700 */
        error = -errno;
    return error < 0 ? err_because(reason, error, "%s: %s", infer->folder, err_sentence(error)) : 0;
}

/* What is asked elsewhere goes the way of transfers; what is here, offline=on leaves alone. */
static int start_loop(struct infer *infer) {
    const struct options *options = infer->settings.options;
    char proxy[1024], ca_file[PATH_MAX];
    struct http_settings settings = {.user_agent = "weightfs/" WEIGHTFS_VERSION,
        .allow_http = options_bool(options, "allow_http"),
        .loopback_passes = true};
    if (options_text(options, "http_proxy", proxy, sizeof proxy))
        settings.proxy = proxy;
    if (options_text(options, "ca_file", ca_file, sizeof ca_file))
        settings.ca_file = ca_file;
    int error = http_loop_start(&settings, "engines", &infer->loop);
    if (error == 0)
        http_loop_set_offline(infer->loop, options_bool(options, "offline"));
    return error;
}

int infer_start(const struct infer_settings *settings, struct infer **ret_infer, struct reason *reason) {
    struct infer *infer = mem_new(sizeof *infer);
    infer->settings = *settings;
    infer->mountpoint = mem_text(settings->mountpoint ? settings->mountpoint : "");
    infer->work.run = look;
    infer->timer.fire = tick;
    lock_init(&infer->lock, LOCK_INFER);
    lock_condition_init(&infer->calm);
    list_init(&infer->seats);
    list_init(&infer->boxes);
    list_init(&infer->pending);
    list_init(&infer->auto_notes);
    usage_init(infer);
    list_init(&infer->chats);
    list_init(&infer->chat_waits);
    infer->gateway = gateway_new(infer);
    atomic_init(&infer->settings_version, 1);
    list_init(&infer->preloads);
    infer->gpus = gpu_watch_new("", on_gpus, infer);
    int error = text_copy(infer->folder, sizeof infer->folder, settings->folder);
    if (!error && *infer->folder &&
        path_remove_tree(AT_FDCWD, infer->folder) < 0) /* of one that was killed */
        (void)unlink(infer->folder);                   /* or no folder at all */
    if (!error)
        error = start_loop(infer);
    if (!error)
        error = pool_start("infer", 1, &infer->desk);
    infer->room = infer->loop ? ask_room_new(infer->loop) : NULL;
    if (error < 0) {
        infer_stop(infer);
        return err_because(reason, error, "%s", err_text(reason, error));
    }
    preload_begin(infer); /* before anybody can have the desk look */
    bus_listen(hear, infer);
    *ret_infer = infer;
    return 0;
}

static void drop_pending(struct infer *infer) {
    for (;;) {
        lock_take(&infer->lock);
        struct list *link = list_shift(&infer->pending);
        lock_drop(&infer->lock);
        if (!link)
            return;
        question_end(list_entry(link, struct question, link), -ERR_CANCELLED, NULL);
    }
}

void infer_shut(struct infer *infer) {
    uint64_t until_ms = clock_ms() + SHUT_MS;
    atomic_store(&infer->shut, true);
    drop_pending(infer);
    (void)infer_cancel_model(infer, 0); /* else they would fail by their engines' end */
    infer_look(infer);
    lock_take(&infer->lock);
    while (!infer->is_calm && clock_ms() < until_ms)
        if (!lock_wait(&infer->lock, &infer->calm, clock_ms() + TICK_MS)) {
            lock_drop(&infer->lock);
            infer_look(infer);
            lock_take(&infer->lock);
        }
    bool calm = infer->is_calm;
    lock_drop(&infer->lock);
    gateway_shut(infer->gateway); /* its questions have ended: clients are told */
    if (!calm)
        log_error("an engine does not end; it is left to the kernel");
}

void infer_stop(struct infer *infer) {
    struct list *link;
    timer_cancel(infer->settings.timers, &infer->timer);
    gpu_watch_free(infer->gpus); /* it asks the desk to look */
    if (infer->loop)
        http_loop_end(infer->loop);
    pool_stop(infer->desk);
    while ((link = list_shift(&infer->boxes))) {
        answer_put(list_entry(link, struct box, link)->answer);
        free(list_entry(link, struct box, link));
    }
    chats_free(infer);
    auto_forget(infer);
    while (!list_empty(&infer->seats))
        seat_free(list_entry(infer->seats.next, struct seat, link));
    preload_end(infer);
    usage_done(infer);
    gateway_free(infer->gateway);
    ask_room_free(infer->room);
    if (infer->loop)
        http_loop_stop(infer->loop);
    if (*infer->folder)
        (void)path_remove_tree(AT_FDCWD, infer->folder);
    pthread_cond_destroy(&infer->calm);
    lock_done(&infer->lock);
    free(infer->mountpoint);
    free(infer);
}

/* ---- what others want and see */

void infer_socket(struct infer *infer, int64_t model_id, struct buf *to) {
    gateway_path(infer->gateway, model_id, to);
}

int infer_socket_bind(struct infer *infer, int64_t model_id) {
    return gateway_bind(infer->gateway, model_id);
}

int infer_load(struct infer *infer, int64_t model_id, enum infer_load how) {
    lock_take(&infer->lock);
    struct seat *seat = seat_of(infer, model_id);
    seat->load_wanted = true;
    seat->load_forced = how == LOAD_FORCED;
    seat->load_gently = how == LOAD_GENTLY;
    seat->load_fresh = seat->load_fresh || how != LOAD_GENTLY;
    seat->unload_wanted = false;
    lock_drop(&infer->lock);
    infer_look(infer);
    return 0;
}

int infer_unload(struct infer *infer, int64_t model_id, bool force) {
    if (force)
        (void)infer_cancel_model(infer, model_id);
    lock_take(&infer->lock);
    struct seat *seat = seat_of(infer, model_id);
    seat->unload_wanted = true;
    seat->load_wanted = seat->load_forced = seat->load_gently = false;
    seat->unload_forced = force;
    lock_drop(&infer->lock);
    if (!atomic_load(&infer->shut))
        infer_look(infer);
    return 0;
}

/* Under the lock. */
static void fill_report(const struct seat *seat, struct infer_report *report) {
    *report = seat->figures;
    (void)text_copy(report->key, sizeof report->key, seat->name); /* of the same size */
    report->state = seat->state;
    report->waiting = seat->waiting_count;
    report->answering = seat->asked_count;
    uint64_t now_ms = clock_ms();
    report->rest_ms = seat->rest_until_ms > now_ms ? seat->rest_until_ms - now_ms : 0;
    if (seat->state != SEAT_COLD || !(seat->waiting_count || seat->load_wanted))
        *report->waits_for = '\0';
    if (seat->state != SEAT_STARTING && seat->state != SEAT_READY)
        report->memory_used = 0;
}

int infer_unload_all(struct infer *infer, bool force) {
    if (force)
        (void)infer_cancel_model(infer, 0);
    lock_take(&infer->lock);
    list_each (link, &infer->seats) {
        struct seat *seat = list_entry(link, struct seat, link);
        if (seat->state != SEAT_COLD) {
            seat->unload_wanted = true;
            seat->unload_forced = force;
        }
    }
    lock_drop(&infer->lock);
    infer_look(infer);
    return 0;
}

void infer_report(struct infer *infer, int64_t model_id, struct infer_report *ret_report) {
    LOCK_SCOPE(&infer->lock);
    *ret_report = (struct infer_report){.state = SEAT_COLD};
    list_each (link, &infer->seats)
        if (list_entry(link, struct seat, link)->model_id == model_id)
            fill_report(list_entry(link, struct seat, link), ret_report);
}

unsigned infer_position(struct infer *infer, int64_t model_id, uid_t uid) {
    LOCK_SCOPE(&infer->lock);
    list_each (link, &infer->seats) {
        const struct seat *seat = list_entry(link, struct seat, link);
        unsigned position = 0;
        if (seat->model_id != model_id)
            continue;
        list_each (waiting, &seat->waiting) {
            position++;
            if (list_entry(waiting, struct question, link)->asking.uid == uid)
                return position;
        }
    }
    return 0;
}

size_t infer_list(struct infer *infer, struct infer_report *array, size_t room) {
    size_t count = 0;
    LOCK_SCOPE(&infer->lock);
    for (int busy = 1; busy >= 0; busy--)
        list_each (link, &infer->seats) {
            const struct seat *seat = list_entry(link, struct seat, link);
            bool is_busy = seat->state != SEAT_COLD || seat->waiting_count || seat->asked_count;
            if (*seat->name && is_busy == busy && count < room)
                fill_report(seat, &array[count++]);
        }
    return count;
}
