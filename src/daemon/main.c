/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "daemon/docs.h"
#include "daemon/say.h"
#include "daemon/verbs.h"
#include "infer/infer.h"
#include "face/fuse/waker.h"
#include "weightfs/version.h"

/* Standard descriptors that the caller closed would be given to a database or a socket, and printed into. */
static int open_standard_descriptors(void) {
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
            return -1;
    }
    return 0;
}

static int arm_from_environment(void) {
    const char *unknown = NULL;
    const char *keys = environment("WEIGHTFS_TRACE");
    if (keys && trace_enable(keys, &unknown) < 0) {
        docs_print_trace_keys(stderr);
        return say(WEIGHTFS_EXIT_FATAL,
            "WEIGHTFS_TRACE: there is no trace key '%s'; the keys are listed above", unknown);
    }
    int error = fault_arm(environment("WEIGHTFS_FAULT"));
    if (error == -ENOTSUP)
        return say(WEIGHTFS_EXIT_FATAL,
            "WEIGHTFS_FAULT is set, but this program was built without fault points (make MODE=faults)");
    if (error < 0)
        return say(WEIGHTFS_EXIT_FATAL,
            "WEIGHTFS_FAULT=%s is no fault that can be armed; --print-faults lists them",
            environment("WEIGHTFS_FAULT"));
    return 0;
}

static int run(int argc, char **argv) {
    if (argc < 2) {
        verbs_print_help(stderr);
        return WEIGHTFS_EXIT_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return verb_help(1, argv);
    if (strcmp(word, "--version") == 0) {
        puts("weightfs " WEIGHTFS_VERSION);
        return WEIGHTFS_EXIT_OK;
    }
    if (strcmp(word, "--print-docs") == 0)
        return docs_print(argc > 2 ? argv[2] : "all", stdout);
    if (strcmp(word, "--print-faults") == 0)
        return docs_print_faults(stdout);
    if (strcmp(word, WAKER_VERB) == 0)
        return wake_helper(argc - 1, argv + 1);
    const struct verb *verb = verb_find(word);
    if (!verb)
        return verb_unknown(word);
    if (argc > 2 && strcmp(argv[2], "--help") == 0)
        return verb_help(2, argv);
    int code = arm_from_environment();
    return code ? code : verb->run(argc - 1, argv + 1);
}

int main(int argc, char **argv) {
    if (open_standard_descriptors() < 0)
        return WEIGHTFS_EXIT_FATAL;
    commands_extend(infer_commands);
    command_set_cancel(infer_cancel_user);
    int code = run(argc, argv);
    if (fflush(stdout) != 0 && code == WEIGHTFS_EXIT_OK)
        code = say(WEIGHTFS_EXIT_FAILURE, "standard output: %s", err_sentence(-errno));
    exit(code);
}
