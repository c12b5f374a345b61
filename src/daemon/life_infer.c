/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoint's start and end, and where its sockets lie. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "daemon/life.h"
#include "daemon/mounts.h"
#include "outside/digest.h"

#define TAG_DIGITS 12 /* of a digest: enough that two instances of a machine do not meet */

/* A socket's address has 107 bytes, so the folder is short whatever the instance is called:
 * runtime_folder/TAG. "" when there is no place: the mount goes without engines, and says so when one is
 * wanted. */
static void choose_folder(const struct life *life, char to[static 64]) {
    char folder[48], id[LIFE_TEXT_SIZE * 2], tag[SHA256_HEX_SIZE];
    const char *runtime = environment("XDG_RUNTIME_DIR");
    int len = 0;
    if (!options_text(life->settings->options, "runtime_folder", folder, sizeof folder)) {
        if (geteuid() == 0)
            len = snprintf(folder, sizeof folder, "/run/weightfs");
        else
            len = runtime && *runtime == '/' ? snprintf(folder, sizeof folder, "%s/weightfs", runtime) : -1;
    }
    *to = '\0';
    if (len < 0 || len >= (int)sizeof folder)
        return;
    len = snprintf(id, sizeof id, "%s\n%s", life->settings->target->store, life->settings->target->instance);
    digest_of(id, len < (int)sizeof id ? (size_t)len : sizeof id - 1, tag);
    (void)snprintf(to, 64, "%s/%.*s", folder, TAG_DIGITS, tag); /* 47 + 1 + 12 */
}

static bool is_mounted(void *context) {
    const struct life *life = context;
    MOUNTS_CLEANUP struct mounts mounts = MOUNTS_INIT;
    return mounts_read(&mounts) < 0 || mounts_at(&mounts, life->settings->target->mountpoint);
}

int start_infer(struct life *life, struct reason *reason) {
    char folder[64];
    struct infer_settings settings = {.options = life->settings->options,
        .manage = life->manage,
        .timers = life->timers,
        .mountpoint = life->settings->target->supervised_fd < 0 ? life->settings->target->mountpoint : "",
        .is_mounted = is_mounted,
        .context = life,
        .folder = folder,
        .for_all = face_for_all(life->settings->options)};
    struct reason why = {""};
    choose_folder(life, folder);
    int error = infer_start(&settings, &life->infer, &why);
    if (error < 0)
        return err_because(reason, error, "the endpoint: %s", err_text(&why, error));
    command_set_context(life->manage, life->infer);
    return 0;
}

/* Engines end, and with them all that they hold of the store. */
void shut_infer(struct life *life) {
    if (life->infer)
        infer_shut(life->infer);
}

/* The manager's desk, which may have been in one of our commands, has ended. */
void stop_infer(struct life *life) {
    if (life->infer)
        infer_stop(life->infer);
}
