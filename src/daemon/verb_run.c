/* SPDX-License-Identifier: Apache-2.0 */
/* weightfs run: writes a prompt into a model's endpoint, and shows the answer as it is made. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"
#include "daemon/say.h"
#include "daemon/subject.h"
#include "daemon/tree_file.h"
#include "daemon/verbs.h"
#include "model/name.h"

#define PIECE_BYTES 65536

const struct flag run_flags[] = {
    FLAG_MOUNT,
    {0, NULL, NULL, NULL},
};

/* The words of the command line, or what standard input has to its end. */
static int read_prompt(int count, char **words, struct buf *prompt) {
    char piece[4096];
    ssize_t len;
    for (int i = 0; i < count; i++)
        (void)buf_format(prompt, "%s%s", i ? " " : "", words[i]); /* no limit */
    if (count)
        return 0;
    while ((len = read(STDIN_FILENO, piece, sizeof piece)) > 0)
        (void)buf_add(prompt, piece, (size_t)len);
    return len < 0 ? -errno : 0;
}

static int ask(int folder_fd, const struct buf *prompt) {
    FD_CLEANUP int fd = openat(folder_fd, "prompt", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return path_write_all(fd, prompt->data, prompt->len, 0);
}

/* Each piece at once: it is shown while the rest is made. */
static int show(int folder_fd) {
    FD_CLEANUP int fd = openat(folder_fd, "reply", O_RDONLY | O_CLOEXEC);
    char *piece TEXT_CLEANUP = mem_array(PIECE_BYTES, 1);
    ssize_t len;
    if (fd < 0)
        return -errno;
    while ((len = read(fd, piece, PIECE_BYTES)) > 0)
        if (fwrite(piece, 1, (size_t)len, stdout) != (size_t)len || fflush(stdout) != 0)
            return -EPIPE;
    return len < 0 ? -errno : 0;
}

/* `dir` is the model's. */
static int run(const char *dir, const struct buf *prompt) {
    char path[PATH_MAX], sentence[1024];
    if (snprintf(path, sizeof path, "%s/infer", dir) >= (int)sizeof path)
        return say(WEIGHTFS_EXIT_FAILURE, "%s: %s", dir, err_sentence(-ENAMETOOLONG));
    FD_CLEANUP int folder_fd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (folder_fd < 0)
        return say(WEIGHTFS_EXIT_FAILURE, "%s: %s", path, err_sentence(-errno));
    int error = ask(folder_fd, prompt);
    if (error < 0)
        return say(WEIGHTFS_EXIT_FAILURE, "%s/prompt: %s", path, err_sentence(error));
    error = show(folder_fd);
    if (error == 0)
        return WEIGHTFS_EXIT_OK;
    if (error == -EPIPE)
        return WEIGHTFS_EXIT_FAILURE; /* who reads us has gone */
    if (tree_file_line(path, "error", sentence, sizeof sentence) == 0 && *sentence)
        return say(WEIGHTFS_EXIT_FAILURE, "%s", sentence);
    return say(WEIGHTFS_EXIT_FAILURE, "%s/reply: %s", path, err_sentence(error));
}

/* The folder that has the endpoint: the model's, or `auto`. An exit code. */
static int find_folder(const char *named, const char *word, char dir[static PATH_MAX]) {
    struct subject subject;
    struct reason reason = {""};
    char key[NAME_KEY_SIZE], variant[NAME_VARIANT_SIZE];
    bool is_auto = strcmp(word, "auto") == 0; /* which is no key */
    int code = subject_find(named, is_auto ? NULL : word, &subject);
    if (code)
        return code;
    if (is_auto)
        return snprintf(dir, PATH_MAX, "%s/auto", subject.mount) < PATH_MAX
                   ? WEIGHTFS_EXIT_OK
                   : say(WEIGHTFS_EXIT_FAILURE, "%s: %s", subject.mount, err_sentence(-ENAMETOOLONG));
    if (!subject.key[0])
        return say(WEIGHTFS_EXIT_FAILURE, "%s: this lies in no model", subject.path);
    int error = tree_file_find_model(subject.mount, subject.key, dir, key, variant, &reason);
    return error < 0 ? say(WEIGHTFS_EXIT_FAILURE, "%s", err_text(&reason, error)) : WEIGHTFS_EXIT_OK;
}

int verb_run(int argc, char **argv) {
    const char *named = NULL, *value;
    char dir[PATH_MAX];
    BUF_CLEANUP struct buf prompt = BUF_INIT;
    int flag;
    flags_begin();
    while ((flag = flags_next(run_flags, argc, argv, &value)) > 0)
        named = value;
    if (flag < 0)
        return WEIGHTFS_EXIT_USAGE;
    if (optind == argc)
        return verb_usage(argv[0]);
    int code = find_folder(named, argv[optind], dir);
    if (code)
        return code;
    int error = read_prompt(argc - optind - 1, argv + optind + 1, &prompt);
    if (error < 0)
        return say(WEIGHTFS_EXIT_FAILURE, "standard input: %s", err_sentence(error));
    return prompt.len ? run(dir, &prompt)
                      : say(WEIGHTFS_EXIT_USAGE, "there is nothing to ask: the prompt is empty");
}
