/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"
#include "base/thread.h"
#include "face/fuse/backing.h"
#include "face/fuse/known.h"
#include "face/fuse/listings.h"
#include "face/fuse/mounted.h"
#include "face/fuse/notifier.h"
#include "face/fuse/park.h"
#include "face/fuse/poll.h"
#include "face/fuse/state.h"
#include "face/fuse/waker.h"

enum { SWEEP_MS = 250, INIT_MOST_MS = 10000, NUMBER_MOST = 4096 };

const struct option_row face_options[] = {
    {.name = "passthrough",
        .type = OPTION_BOOL,
        .value = "on",
        .help = "complete files are read by the kernel itself, where it can and may (root, Linux 6.9, "
                "libfuse 3.17.1)"},
    {.name = "allow_other",
        .type = OPTION_WORD,
        .value = "auto",
        .words = "auto|on|off",
        .guarded = true,
        .help = "other users than the one who mounted may see the mount; auto: when that is root"},
    {.name = "fuse_threads",
        .type = OPTION_NUMBER,
        .value = "4",
        .least = 1,
        .most = FACE_THREADS_MOST,
        .help = "threads that take the kernel's requests; none of them ever waits"},
    {.name = "max_parked",
        .type = OPTION_NUMBER,
        .value = "4096",
        .least = 16,
        .most = 65535,
        .help = "how many requests may wait for bytes or answers at a time; what comes beyond them fails "
                "with EIO"},
    {.name = "read_ahead_kib",
        .type = OPTION_NUMBER,
        .value = "1024",
        .least = 0,
        .most = 65536,
        .help = "how far the kernel reads ahead in files that are not complete, which is also how much it "
                "asks for at once"},
    {.name = "backing_linger_s",
        .type = OPTION_NUMBER,
        .value = "5",
        .least = 0,
        .most = 3600,
        .live = true,
        .help = "how long a complete file stays registered with the kernel after its last close"},
    {0},
};

/* --- libfuse's own messages: into the reason of whoever is mounting, else into the log --- */

static _Thread_local struct reason *listening;

static void heard(enum fuse_log_level level, const char *format, va_list args) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    (void)buf_vformat(&text, format, args);
    while (text.len && text.data[text.len - 1] == '\n')
        text.data[--text.len] = 0;
    if (listening && !listening->text[0])
        (void)err_because(listening, 0, "%s", buf_text(&text));
    else if (level <= FUSE_LOG_WARNING)
        log_warning("%s", buf_text(&text));
    else
        trace(fuse, "%s", buf_text(&text));
}

/* --- making --- */

/* A sysctl of the fuse module; 0 when it is not set, or unknown to this kernel. */
static uint64_t limit_of(const char *name) {
    BUF_CLEANUP struct buf path = BUF_INIT, text = BUF_INIT;
    (void)buf_format(&path, "/proc/sys/fs/fuse/%s", name);
    return path_read(AT_FDCWD, buf_text(&path), NUMBER_MOST, &text) < 0 ? 0
                                                                        : strtoull(buf_text(&text), NULL, 10);
}

/* Where an administrator has told the kernel to end mounts whose requests take long, all of ours end after
 * half that time. */
static uint64_t request_most_ms(void) {
    uint64_t usual = limit_of("default_request_timeout"), most = limit_of("max_request_timeout");
    uint64_t seconds = usual && (!most || usual < most) ? usual : most;
    return seconds * 1000 / 2;
}

bool face_for_all(const struct options *options) {
    char word[8];
    (void)options_text(options, "allow_other", word, sizeof word); /* it has a default */
    return strcmp(word, "on") == 0 || (strcmp(word, "auto") == 0 && geteuid() == 0);
}

/* libfuse splits its options at commas. */
static void add_escaped(struct buf *to, const char *text) {
    for (; *text; text++) {
        if (*text == ',' || *text == '\\')
            (void)buf_text_add(to, "\\");
        (void)buf_add(to, text, 1);
    }
}

static int make_session(struct face *face, const char *source_name, struct reason *reason) {
    BUF_CLEANUP struct buf mount_options = BUF_INIT;
    (void)buf_text_add(&mount_options, "subtype=weightfs,default_permissions,nosuid,nodev,noatime");
    if (face_for_all(face->options))
        (void)buf_text_add(&mount_options, ",allow_other");
    (void)buf_text_add(&mount_options, ",fsname=");
    add_escaped(&mount_options, source_name);

    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    struct reason said = {""};
    listening = &said;
    if (fuse_opt_add_arg(&args, "weightfs") == 0 && fuse_opt_add_arg(&args, "-o") == 0 &&
        fuse_opt_add_arg(&args, buf_text(&mount_options)) == 0)
        face->session = fuse_session_new(&args, &face_operations, sizeof face_operations, face);
    listening = NULL;
    fuse_opt_free_args(&args);
    return face->session ? 0 : err_because(reason, -EINVAL, "libfuse: %s", said.text);
}

static int attach(struct face *face, const char *mountpoint, struct reason *reason) {
    int fd = mounted_session_fd(mountpoint);
    if (fd < 0) {
        int error = mounted_resolve(mountpoint, &face->mountpoint, reason);
        if (!error)
            error = mounted_clear(face->mountpoint, reason);
        if (error)
            return error;
    } else if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) /* a child with it would keep a dead session alive */
        return err_because(reason, -errno, "%s is not open", mountpoint);

    struct reason said = {""};
    listening = &said;
    errno = 0;
    int failed = fuse_session_mount(face->session, fd < 0 ? face->mountpoint : mountpoint);
    int error = errno ? -errno : -EIO;
    listening = NULL;
    return failed ? err_because(reason, error, "can't mount %s: %s", mountpoint,
                        said.text[0] ? said.text : err_sentence(error))
                  : 0;
}

int face_new(const struct face_settings *settings, struct face **ret_face, struct reason *reason) {
    struct face *face = mem_new(sizeof *face);
    face->options = settings->options;
    face->takeover = settings->takeover;
    face->ending = settings->ending;
    face->ending_context = settings->context;
    face->mark = UINT64_C(1) << 63 | (uint64_t)random_below(UINT32_MAX) << 16 | random_below(1 << 16);
    face->request_most_ms = request_most_ms();
    lock_init(&face->init_lock, LOCK_PARK);
    lock_init(&face->lock, LOCK_QUEUE);
    lock_condition_init(&face->changed);
    face->known = known_new(settings->takeover);
    face->listings = listings_new();
    face->polls = polls_new(face);
    fuse_set_log_func(heard);

    bool supervised = mounted_session_fd(settings->mountpoint) >= 0;
    int error = 0;
    if (face->takeover && !supervised)
        error = err_because(reason, -EINVAL,
            "only a session that somebody else keeps (/dev/fd/N) can be taken over");
    if (!error)
        error = make_session(face, settings->source_name, reason);
    if (!error) {
        error = backing_start(face, supervised ? settings->state_path : NULL, &face->backing);
        if (error)
            (void)err_because(reason, error, "%s: %s", settings->state_path, err_sentence(error));
    }
    if (!error)
        error = attach(face, settings->mountpoint, reason);
    if (error) {
        face_free(face);
        return error;
    }
    *ret_face = face;
    return 0;
}

/* --- running --- */

static void changed(void *context, const struct tree_change *change) {
    notifier_add(((struct face *)context)->notifier, change);
}

/* Under a lock of the tree's: both only take note. */
static void woken(void *context, enum tree_wake what, uint64_t object) {
    struct face *face = context;
    if (what == TREE_WAKE_EVENT)
        polls_news(face->polls);
    if (face->waker)
        waker_add(face->waker, what, object);
}

void face_set_tree(struct face *face, struct tree *tree) {
    face->tree = tree;
}

void face_stop(struct face *face) {
    LOCK_SCOPE(&face->lock);
    face->stopping = true;
    pthread_cond_broadcast(&face->changed);
}

/* Until somebody asks for the end, or a thread has come to it; in between, four times a second, looks
 * after what waits and lingers. */
static void watch(struct face *face) {
    lock_take(&face->lock);
    while (!face->stopping && !face->ended) {
        uint64_t next_ms = clock_ms() + SWEEP_MS;
        while (!face->stopping && !face->ended && lock_wait(&face->lock, &face->changed, next_ms))
            ;
        lock_drop(&face->lock);
        park_sweep(face->park);
        backing_sweep(face->backing);
        lock_take(&face->lock);
    }
    lock_drop(&face->lock);
}

static void await_init(struct face *face) {
    uint64_t until_ms = clock_ms() + INIT_MOST_MS;
    LOCK_SCOPE(&face->lock);
    while (!face->initialised && !face->stopping && !face->ended &&
           lock_wait(&face->lock, &face->changed, until_ms))
        ;
}

/* The order matters: the notifier may be waiting in the kernel for an answer of ours, so it ends while we
 * still take requests; what is parked is ended before, since nobody must wait for that long. On a
 * supervisor's session it is left to the successor. */
static int end(struct face *face, int error) {
    bool supervised = !face->mountpoint;
    if (face->ending)
        face->ending(face->ending_context);
    if (face->park)
        park_close(face->park, supervised);
    tree_listen(face->tree, NULL, NULL);
    tree_listen_wakes(face->tree, NULL, NULL);
    if (face->waker)
        waker_stop(face->waker);
    if (face->notifier)
        notifier_stop(face->notifier);
    loop_stop(face);
    polls_close(face->polls);
    if (face->park && park_stop(face->park))
        face->park = NULL;
    return error ? error : face->error;
}

int face_run(struct face *face, void (*ready)(void *context), void *context) {
    int error = park_start(face, &face->park);
    if (!error)
        error = notifier_start(face, &face->notifier);
    if (!error)
        error = waker_start(face, &face->waker);
    if (error)
        return end(face, error);
    tree_listen(face->tree, changed, face);
    tree_listen_wakes(face->tree, woken, face);
    if (face->takeover)
        loop_take_over(face);
    error = loop_start(face);
    if (error)
        return end(face, error);
    await_init(face);
    if (ready)
        ready(context);
    watch(face);
    return end(face, 0);
}

void face_free(struct face *face) {
    if (!face)
        return;
    if (face->session && face->mountpoint)
        fuse_session_unmount(face->session); /* lazily; not when somebody else did it already */
    if (face->park)
        return; /* somebody below still has a request of ours: rather a leak than a wild pointer */
    backing_free(face->backing);
    notifier_free(face->notifier);
    waker_free(face->waker);
    polls_free(face->polls);
    known_free(face->known);
    listings_free(face->listings);
    if (face->session)
        fuse_session_destroy(face->session);
    state_close(face->state);
    pthread_cond_destroy(&face->changed);
    lock_done(&face->lock);
    lock_done(&face->init_lock);
    free(face->mountpoint);
    free(face);
}

void face_figures(void *context, uint64_t *ret_parked, bool *ret_passthrough) {
    struct face *face = context;
    *ret_parked = face->park ? park_count(face->park) : 0;
    *ret_passthrough = backing_is_on(face->backing);
}
