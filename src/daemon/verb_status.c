/* SPDX-License-Identifier: Apache-2.0 */
/* weightfs status: prints `status` of the mount or of a model. */
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/say.h"
#include "daemon/subject.h"
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

    struct subject subject;
    char dir[PATH_MAX], key[NAME_KEY_SIZE], variant[NAME_VARIANT_SIZE];
    struct reason reason = {""};
    int code = subject_find(named, argv[optind], &subject), error;
    if (code)
        return code;
    if (!subject.key[0] && subject.path[0] && strcmp(subject.path, subject.mount) != 0)
        return say(WEIGHTFS_EXIT_FAILURE, "%s: this lies in no model", subject.path);
    text_copy(dir, sizeof(dir), subject.mount);
    if (subject.key[0] &&
        (error = tree_file_find_model(subject.mount, subject.key, dir, key, variant, &reason)) < 0)
        return say(WEIGHTFS_EXIT_FAILURE, "%s", err_text(&reason, error));
    error = tree_file_print(dir, "status");
    if (error < 0) {
        subject_because(&reason, error, subject.mount, dir);
        return say(WEIGHTFS_EXIT_FATAL, "%s", reason.text);
    }
    return WEIGHTFS_EXIT_OK;
}
