/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tree_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "daemon/errand.h"
#include "daemon/subject.h"
#include "model/name.h"
#include "outside/json.h"
#include "weightfs/source.h"

static int path_of(const char *dir, const char *name, char to[static PATH_MAX]) {
    int written = snprintf(to, PATH_MAX, "%s/%s", dir, name);
    return written < 0 || written >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int tree_file_read(const char *dir, const char *name, struct buf *ret_text) {
    char path[PATH_MAX];
    int error = path_of(dir, name, path);
    return error < 0 ? error : path_read(AT_FDCWD, path, TREE_FILE_LIMIT, ret_text);
}

int tree_file_line(const char *dir, const char *name, char *to, size_t size) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    int error = tree_file_read(dir, name, &text);
    if (error < 0)
        return error;
    snprintf(to, size, "%.*s", (int)strcspn(buf_text(&text), "\n"), buf_text(&text));
    return 0;
}

int tree_file_print(const char *dir, const char *name) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    int error = tree_file_read(dir, name, &text);
    if (error < 0)
        return error;
    fwrite(buf_text(&text), 1, text.len, stdout);
    return 0;
}

/* ctl ends with what became of the last command: "last: pull Q9 (2026-11-21T11:40:00Z):
 * UNKNOWN_VARIANT: there is no …". */
static void said_in(const char *text, struct reason *ret_said) {
    const char *last = strstr(text, "\nlast: ");
    const char *result = last ? strstr(last, "Z): ") : NULL;
    const char *sentence = result ? strstr(result + 4, ": ") : NULL;
    snprintf(ret_said->text, sizeof(ret_said->text), "%.*s", sentence ? (int)strcspn(sentence + 2, "\n") : 0,
        sentence ? sentence + 2 : "");
}

/* The descriptor that was written to reads a text that was made after it. */
static void read_said(int fd, struct reason *ret_said) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    char piece[4096];
    ssize_t len;
    while (text.len < TREE_FILE_LIMIT && (len = pread(fd, piece, sizeof(piece), (off_t)text.len)) > 0)
        buf_add(&text, piece, (size_t)len);
    said_in(buf_text(&text), ret_said);
}

int tree_file_tell(const char *dir, const char *line, struct reason *ret_said) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    char path[PATH_MAX];
    int error = path_of(dir, "ctl", path);
    if (error < 0)
        return err_because(ret_said, error, "%s: %s", dir, err_sentence(error));
    FD_CLEANUP int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return err_because(ret_said, -errno, "%s: %s", path, err_sentence(-errno));
    buf_format(&text, "%s\n", line);
    ssize_t written = write(fd, text.data, text.len); /* whole: a command is one write */
    error = written < 0 ? -errno : (size_t)written < text.len ? -EIO : 0;
    read_said(fd, ret_said);
    if (error < 0 && !ret_said->text[0])
        return err_because(ret_said, error, "%s", err_sentence(error));
    return error;
}

static int read_pid(void *context) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    JSON_CLEANUP struct json *document = NULL;
    int64_t pid;
    if (tree_file_read(context, "status.json", &text) < 0 ||
        json_parse(buf_text(&text), text.len, &document, NULL) < 0)
        return 0;
    return json_number(json_get(document, "pid"), &pid) && pid > 1 && pid <= INT_MAX ? (int)pid : 0;
}

int tree_file_daemon_pid(const char *dir, uint64_t deadline_ms) {
    int pid = errand_run(read_pid, (void *)(uintptr_t)dir, deadline_ms);
    return pid > 0 ? pid : 0;
}

/* What errno a lookup of a model answers is the sentence that users know from the table. */
static int model_error(int error) {
    return error == -ENOENT ? -ERR_UNKNOWN_MODEL : error == -EHOSTUNREACH ? -ERR_UNREACHABLE : error;
}

int tree_file_find_model(const char *mount, const char *text, char ret_dir[static PATH_MAX], char *ret_key,
    char *ret_variant, struct reason *reason) {
    struct name_key key;
    struct stat status;
    char dir[PATH_MAX];
    int error = name_parse(text, &key, reason);
    if (error < 0)
        return error;
    const struct source *source = source_find(key.source);
    char folder[NAME_FOLDER_SIZE];
    if (!source)
        return err_because(reason, -ERR_BAD_NAME,
            "%s: there is no source '%s'; `ls %s` shows those that there are", text, key.source, mount);
    if (key.revision[0] || (source->parts && !strchr(key.model, '/')) ||
        name_to_folder(key.model, folder) < 0)
        return err_because(reason, -ERR_BAD_NAME,
            "%s: known models have names like %s:ORG/NAME; `weightfs pull` finds it by other names", text,
            key.source);
    int written = snprintf(dir, sizeof(dir), "%s/%s/%s", mount, key.source, folder);
    if (written < 0 || (size_t)written >= sizeof(dir))
        return err_because(reason, -ENAMETOOLONG, "%s: %s", text, err_sentence(-ENAMETOOLONG));
    if (stat(dir, &status) < 0) {
        error = model_error(-errno);
        if (source->is_remote && error == -ERR_UNKNOWN_MODEL)
            return err_because(reason, error,
                "%s: no server is declared that has it; `ls %s/%s` shows what there is, `weightfs health` "
                "how the "
                "servers are",
                text, mount, key.source);
        return subject_because(reason, error, mount, text);
    }
    text_copy(ret_dir, PATH_MAX, dir);
    name_format(key.source, key.model, ret_key);
    text_copy(ret_variant, NAME_VARIANT_SIZE, key.variant);
    return 0;
}
