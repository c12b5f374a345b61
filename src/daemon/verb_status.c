/* SPDX-License-Identifier: Apache-2.0 */
/* weightfs status: prints `status` of the mount or of a model. */
#include <stddef.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/mounts.h"
#include "daemon/say.h"
#include "daemon/tree_file.h"
#include "daemon/verbs.h"
#include "model/name.h"

const struct flag status_flags[] = {FLAG_MOUNT, {0, NULL, NULL, NULL}};

int verb_status(int argc, char **argv) {
    const char *value, *named = NULL;
    int flag;
    flags_begin();
    while ((flag = flags_next(status_flags, argc, argv, &value)) > 0)
        named = value; /* the only one there is */
    if (flag < 0)
        return WEIGHTFS_EXIT_USAGE;
    if (argc - optind > 1)
        return verb_usage(argv[0]);

    char mount[PATH_MAX], dir[PATH_MAX], key[NAME_KEY_SIZE], variant[NAME_VARIANT_SIZE];
    struct reason reason = {""};
    int error = mounts_find(named, mount, sizeof(mount), &reason);
    if (error < 0)
        return say(WEIGHTFS_EXIT_FATAL, "%s", err_text(&reason, error));
    if (optind == argc)
        text_copy(dir, sizeof(dir), mount);
    else if ((error = tree_file_find_model(mount, argv[optind], dir, key, variant, &reason)) < 0)
        return say(WEIGHTFS_EXIT_FAILURE, "%s", err_text(&reason, error));
    error = tree_file_print(dir, "status");
    return error < 0 ? say(WEIGHTFS_EXIT_FATAL, "%s/status: %s", dir, err_sentence(error)) : WEIGHTFS_EXIT_OK;
}
