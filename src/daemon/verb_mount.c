/* SPDX-License-Identifier: Apache-2.0 */
/* weightfs mount: decides everything while errors can still be shown, then leaves the terminal and serves. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "daemon/config.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/say.h"
#include "daemon/serve.h"
#include "daemon/target.h"
#include "daemon/verbs.h"
#include "manage/setting.h"

#define COME_UP_SECONDS 60

enum { FLAG_STORE = FLAG_LONG_ONLY, FLAG_CONFIG, FLAG_TAKEOVER, FLAG_SESSION, FLAG_SOURCE };

const struct flag mount_flags[] = {
    {'f', "foreground", NULL,
        "stay in front, log to standard error (for service managers: tells NOTIFY_SOCKET)"},
    {'o', NULL, "KEY=VALUE[,…]", "options: docs/options.md, `weightfs config --dump`; KEY alone is KEY=on"},
    {FLAG_STORE, "store", "DIR", "folder that holds all that mounts keep; -o store=DIR"},
    {FLAG_CONFIG, "config", "FILE", "configuration file instead of the usual one"},
    {FLAG_SOURCE, "source", "NAME", "first column of /proc/mounts (weightfs)"},
    {FLAG_TAKEOVER, "takeover", NULL,
        "MOUNTPOINT is /dev/fd/N of a session whose daemon has gone: take it over"},
    {FLAG_SESSION, "session", "NAME", "what a supervisor calls the session behind /dev/fd/N"},
    {0, NULL, NULL, NULL},
};

struct request {
    struct config_words words;
    const char *config_path, *source_name, *session, *mountpoint;
    bool foreground, takeover;
};

static int parse(int argc, char **argv, struct request *request) {
    const char *value;
    int flag;
    flags_begin();
    while ((flag = flags_next(mount_flags, argc, argv, &value)) > 0) {
        switch (flag) {
        case 'f': request->foreground = true; break;
        case 'o':
        case FLAG_STORE: /* the later one counts */
            if (config_add_words(&request->words, flag == 'o' ? NULL : "store", value) < 0)
                return say(WEIGHTFS_EXIT_USAGE, "more than %d -o; put options behind one, divided by commas",
                    CONFIG_WORDS_MAX);
            break;
        case FLAG_CONFIG: request->config_path = value; break;
        case FLAG_SOURCE: request->source_name = value; break;
        case FLAG_TAKEOVER: request->takeover = true; break;
        case FLAG_SESSION: request->session = value; break;
        }
    }
    if (flag < 0)
        return WEIGHTFS_EXIT_USAGE;
    if (argc - optind != 1)
        return verb_usage(argv[0]);
    request->mountpoint = argv[optind];
    if (request->takeover && target_supervised_fd(request->mountpoint) < 0)
        return say(WEIGHTFS_EXIT_USAGE, "--takeover wants /dev/fd/N as the mountpoint, not %s",
            request->mountpoint);
    return 0;
}

/* Open files are kept per model file; secrets are in memory. Neither fails in a way that a mount should
 * not be made for. */
static void prepare_process(const struct target *target) {
    struct rlimit limit;
    umask(022);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* they trace their own process */
    if (!environment("WEIGHTFS_DEBUG"))
        (void)prctl(PR_SET_DUMPABLE, 0);
#endif
    (void)!chdir("/"); /* it can't fail, and when it does a busy folder is all that comes of it */
    if (target->supervised_fd >= 0)
        (void)fcntl(target->supervised_fd, F_SETFD, FD_CLOEXEC);
}

/* Descriptors that the caller happened to have open would stay open for as long as the mount lives. */
static void drop_inherited(int keep, int keep_too) {
    int low = keep < keep_too ? keep : keep_too, high = keep < keep_too ? keep_too : keep;
    unsigned from = 3;
    if (low >= 3) {
        if (low > 3)
            (void)close_range(from, (unsigned)low - 1, 0);
        from = (unsigned)low + 1;
    }
    if (high >= (int)from) {
        if (high > (int)from)
            (void)close_range(from, (unsigned)high - 1, 0);
        from = (unsigned)high + 1;
    }
    (void)close_range(from, ~0U, 0);
}

/* Standard error stays the caller's until the mount answers, so that nothing that goes wrong is lost. */
static int leave_terminal(void) {
    FD_CLEANUP int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (setsid() < 0 || fd < 0 || dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
        return -errno;
    return 0;
}

/* The caller waits for the daemon's report; the daemon goes on. */
static int serve_in_background(struct serve_settings *settings) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return say(WEIGHTFS_EXIT_FATAL, "pipe: %s", err_sentence(-errno));
    pid_t pid = fork();
    if (pid < 0)
        return say(WEIGHTFS_EXIT_FATAL, "fork: %s", err_sentence(-errno));
    if (pid > 0) {
        close(ends[1]);
        return notify_await(ends[0], COME_UP_SECONDS);
    }
    settings->report_fd = ends[1];
    drop_inherited(ends[1], settings->target->supervised_fd);
    int error = leave_terminal();
    if (error < 0) {
        notify_parent(&settings->report_fd, WEIGHTFS_EXIT_FATAL, err_sentence(error));
        return WEIGHTFS_EXIT_FATAL;
    }
    return serve(settings);
}

/* `session`, `target` and `options` are decided; from here on there is only the daemon. */
static int mount_target(const struct request *request, const struct target *target, struct options *options) {
    struct serve_settings settings = {.target = target,
        .options = options,
        .source_name = request->source_name ? request->source_name : "weightfs",
        .foreground = request->foreground,
        .takeover = request->takeover,
        .report_fd = -1};
    prepare_process(target);
    return request->foreground ? serve(&settings) : serve_in_background(&settings);
}

/* What was written into config/ of this instance, before anything asks for an option. */
static void recall_settings(struct options *options, const struct target *target) {
    BUF_CLEANUP struct buf path = BUF_INIT;
    struct reason why = {""};
    (void)buf_format(&path, "%s/instances/%s/catalog.db", target->store, target->instance); /* no limit */
    int error = settings_recall(options, buf_text(&path), &why);
    if (error < 0) /* a damaged catalogue is put aside later: no reason not to mount */
        log_warning("settings that were kept in config/ can't be read: %s", err_text(&why, error));
}

int verb_mount(int argc, char **argv) {
    struct request request = {0};
    struct reason reason = {""};
    int code = parse(argc, argv, &request);
    if (code)
        return code;
    struct options *options = all_options_new();
    struct target *target = mem_new(sizeof(*target));
    int error = config_load(options, request.config_path, &request.words, &reason);
    if (error >= 0)
        error = target_settle_paths(options, &reason);
    if (error >= 0)
        error = target_decide(request.mountpoint, request.session, options, target, &reason);
    if (error >= 0)
        recall_settings(options, target);
    if (error >= 0)
        error = target_put_back(options, "instance", target->instance, &reason);
    code = error < 0 ? say(WEIGHTFS_EXIT_FATAL, "%s", err_text(&reason, error))
                     : mount_target(&request, target, options);
    free(target);
    options_free(options);
    return code;
}
