/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/bar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

#define DRAW_MS     250
#define LINE_MS     5000
#define CELLS_MOST  40
#define CELLS_LEAST 8

void bar_init(struct bar *bar, int fd, const char *title) {
    const char *terminal = environment("TERM");
    bool dumb = terminal && strcmp(terminal, "dumb") == 0;
    *bar = (struct bar){.fd = fd, .is_terminal = isatty(fd) && !dumb, .title = title};
}

unsigned bar_interval_ms(const struct bar *bar) {
    return bar->is_terminal ? DRAW_MS : LINE_MS;
}

/* "43.0% …" gives 430; what is no number counts as nothing. */
static unsigned tenths_of(const char *progress) {
    char *end;
    double percent = strtod(progress, &end);
    return *end != '%' || percent < 0 ? 0 : percent > 100 ? 1000 : (unsigned)(percent * 10);
}

void bar_format(const char *title, const char *progress, unsigned columns, char *to, size_t size) {
    size_t fixed = strlen(title) + strlen(progress) + 4; /* two spaces, two brackets */
    if (columns < fixed + CELLS_LEAST) {
        if (strlen(title) + 1 + strlen(progress) <= columns)
            snprintf(to, size, "%s %s", title, progress);
        else
            snprintf(to, size, "%.*s", (int)columns, progress);
        return;
    }
    unsigned cells = columns - (unsigned)fixed;
    char marks[CELLS_MOST + 1];
    cells = cells > CELLS_MOST ? CELLS_MOST : cells;
    unsigned full = tenths_of(progress) * cells / 1000;
    memset(marks, '#', full);
    memset(marks + full, '-', cells - full);
    marks[cells] = '\0';
    snprintf(to, size, "%s [%s] %s", title, marks, progress);
}

static unsigned columns_of(int fd) {
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void bar_show(struct bar *bar, const char *progress) {
    char line[512];
    uint64_t now = clock_ms();
    if (bar->is_terminal) {
        /* One column is left free: a full last one makes some terminals scroll. */
        bar_format(bar->title, progress, columns_of(bar->fd) - 1, line, sizeof(line));
        dprintf(bar->fd, "\r%s\033[K", line);
    } else if ((bar->shown_ms == 0 || now - bar->shown_ms >= LINE_MS) && strcmp(progress, bar->last) != 0) {
        dprintf(bar->fd, "%s %s\n", bar->title, progress);
    } else {
        return;
    }
    bar->shown_ms = now;
    snprintf(bar->last, sizeof(bar->last), "%s", progress);
}

void bar_end(struct bar *bar) {
    if (bar->is_terminal && bar->shown_ms > 0)
        dprintf(bar->fd, "\n");
}
