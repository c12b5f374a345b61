/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/path.h"

enum { FILE_MOST = 16 << 20, INIT_MOST = 256, SLACK_LINES = 1024 };

struct state {
    int folder_fd, fd;
    char *name;
    size_t lines;
    bool failed;
    unsigned char init[INIT_MOST];
    size_t init_size;
};

static int digit(char c) {
    static const char DIGITS[] = "0123456789abcdef";
    const char *at = c ? strchr(DIGITS, c) : NULL;
    return at ? (int)(at - DIGITS) : -1;
}

static void read_init(struct state *state, const char *hex) {
    size_t size = 0;
    for (; size < INIT_MOST && hex[0] && hex[1]; hex += 2, size++) {
        int high = digit(hex[0]), low = digit(hex[1]);
        if (high < 0 || low < 0)
            return;
        state->init[size] = (unsigned char)(high << 4 | low);
    }
    state->init_size = size;
}

static void read_lines(struct state *state, char *text, void (*take)(void *context, const char *line),
    void *context) {
    char *end;
    for (; (end = strchr(text, '\n')); text = end + 1) {
        *end = 0;
        state->lines++;
        if (strncmp(text, "init ", 5) == 0)
            read_init(state, text + 5);
        else
            take(context, text);
    }
}

static int open_file(struct state *state, int flags) {
    path_close(&state->fd);
    state->fd = openat(state->folder_fd, state->name,
        O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    return state->fd < 0 ? -errno : 0;
}

static int begin(struct state *state, bool resume, void (*take)(void *context, const char *line),
    void *context) {
    if (!resume)
        return open_file(state, O_TRUNC);
    BUF_CLEANUP struct buf text = BUF_INIT;
    int error = path_read(state->folder_fd, state->name, FILE_MOST, &text);
    if (error && error != -ENOENT)
        return error;
    bool torn = text.len && text.data[text.len - 1] != '\n';
    if (text.len)
        read_lines(state, text.data, take, context);
    error = open_file(state, 0);
    if (!error && torn && write(state->fd, "\n", 1) != 1) /* or the next line would be part of the torn one */
        error = -EIO;
    return error;
}

int state_open(const char *path, bool resume, void (*take)(void *context, const char *line), void *context,
    struct state **ret_state) {
    struct state *state = mem_new(sizeof *state);
    state->fd = -1;
    const char *slash = strrchr(path, '/');
    TEXT_CLEANUP char *folder = mem_text(slash ? path : ".");
    if (slash)
        folder[slash == path ? 1 : slash - path] = 0;
    state->name = mem_text(slash ? slash + 1 : path);
    state->folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int error = state->folder_fd < 0 ? -errno : begin(state, resume, take, context);
    if (error) {
        state_close(state);
        return error;
    }
    *ret_state = state;
    return 0;
}

void state_close(struct state *state) {
    if (!state)
        return;
    path_close(&state->fd);
    path_close(&state->folder_fd);
    free(state->name);
    free(state);
}

static void failed(struct state *state, int error) {
    if (!state->failed)
        log_error("%s can't be written, a successor would not know what is passed through: %s", state->name,
            err_sentence(error));
    state->failed = true;
}

void state_add(struct state *state, const char *format, ...) {
    if (!state)
        return;
    BUF_CLEANUP struct buf line = BUF_INIT;
    va_list args;
    va_start(args, format);
    (void)buf_vformat(&line, format, args); /* there is no limit */
    va_end(args);
    (void)buf_add(&line, "\n", 1);
    ssize_t count = write(state->fd, line.data, line.len);
    if (count != (ssize_t)line.len)
        failed(state, count < 0 ? -errno : -ENOSPC);
    state->lines++;
}

bool state_is_long(const struct state *state, size_t live) {
    return state && state->lines > 4 * live + SLACK_LINES;
}

static void init_line(const struct state *state, struct buf *to) {
    if (!state->init_size)
        return;
    (void)buf_text_add(to, "init ");
    for (size_t i = 0; i < state->init_size; i++)
        (void)buf_format(to, "%02x", state->init[i]);
    (void)buf_text_add(to, "\n");
}

void state_replace(struct state *state, const struct buf *lines, size_t count) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    init_line(state, &text);
    (void)buf_add(&text, lines->data, lines->len);
    int error = path_replace(state->folder_fd, state->name, text.data, text.len, false);
    if (!error)
        error = open_file(state, 0);
    if (error) {
        failed(state, error);
        return;
    }
    state->lines = count + (state->init_size > 0);
}

void state_set_init(struct state *state, const void *request, size_t size) {
    if (!state || size > INIT_MOST)
        return;
    memcpy(state->init, request, size);
    state->init_size = size;
    BUF_CLEANUP struct buf line = BUF_INIT;
    init_line(state, &line);
    state_add(state, "%.*s", (int)line.len - 1, buf_text(&line));
}

size_t state_init(const struct state *state, void *request, size_t size) {
    if (!state || !state->init_size || state->init_size > size)
        return 0;
    memcpy(request, state->init, state->init_size);
    return state->init_size;
}
