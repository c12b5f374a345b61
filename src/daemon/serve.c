/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/serve.h"

#include "base/log.h"
#include "daemon/life.h"
#include "daemon/notify.h"
#include "weightfs/exit.h"

static const struct step {
    const char *name;
    int (*start)(struct life *life, struct reason *reason);
} starts[] = {
    {"guard", start_guard},
    {"log", start_log},
    {"accesses", start_accesses},
    {"transfers", start_http},
    {"pool", start_pool},
    {"timers", start_timers},
    {"store", start_store},
    {"instance log", start_instance_log},
    {"catalogue", start_catalog},
    {"manager", start_manage},
    {"endpoint", start_infer},
    {"face", start_face},
    {"tree", start_tree},
};

/* Not quite the reverse: what can begin something ends before what it would begin it on. Each does
 * nothing when its start was not reached. */
static void (*const stops[])(struct life *life) = {
    stop_face,
    shut_tree,
    shut_infer,
    shut_manage,
    shut_store,
    end_http,
    stop_pool,
    stop_http,
    stop_manage,
    stop_infer,
    stop_tree,
    stop_news,
    stop_store,
    stop_timers,
    stop_catalog,
    stop_accesses,
};

static int start_all(struct life *life, struct reason *reason) {
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        int error = starts[i].start(life, reason);
        if (error < 0)
            return error;
        if (guard_was_asked_to_end(life->guard))
            return err_because(reason, -ERR_CANCELLED, "asked to end before the mount came up");
    }
    return 0;
}

static void on_ready(void *context) {
    struct life *life = context;
    guard_ready(life->guard);
}

/* Serves to the end: 0, or what was wrong in a sentence. */
static int run(struct life *life, struct reason *reason) {
    int error = start_all(life, reason);
    if (error < 0)
        return error;
    error = face_run(life->face, on_ready, life);
    if (error < 0)
        return err_because(reason, error, "serving the mount: %s", err_sentence(error));
    int proof = atomic_load(&life->proof_error);
    if (proof < 0)
        return err_because(reason, proof, "the mount was made, but it does not answer: %s",
            err_sentence(proof));
    return 0;
}

/* One of the settings may be why, and config/ is not there to change it. */
static void add_way_out(const struct options *options, int error, struct reason *reason) {
    struct reason why = *reason;
    if (options_use(options, OPTION_CONFIG))
        (void)err_because(reason, error,
            "%.250s (what was written into config/ counts, too; -o kept_settings=off mounts without it)",
            err_text(&why, error));
}

int serve(const struct serve_settings *settings) {
    struct life life = {.settings = settings, .report_fd = settings->report_fd};
    struct reason reason = {""};
    int error = run(&life, &reason);
    notify_manager("STOPPING=1");
    if (life.guard)
        guard_ending(life.guard);
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
        stops[i](&life);
    guard_stop(life.guard);
    bool proved = atomic_load(&life.proved);
    if (!proved && error >= 0)
        error = err_because(&reason, -ERR_CANCELLED, "%s was unmounted before it answered",
            settings->target->mountpoint);
    if (error >= 0) {
        log_notice("%s: ended", settings->target->mountpoint);
        return WEIGHTFS_EXIT_OK;
    }
    if (!proved)
        add_way_out(settings->options, error, &reason);
    if (proved || life.log_path[0])
        log_error("%s", err_text(&reason, error));
    if (!proved)
        notify_parent(&life.report_fd, WEIGHTFS_EXIT_FATAL, err_text(&reason, error));
    return WEIGHTFS_EXIT_FATAL;
}
