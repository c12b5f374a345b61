/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_BAR_H
#define WEIGHTFS_DAEMON_BAR_H

/*
 * Progress for people: on a terminal one line that is drawn over again and fits its width; elsewhere a
 * plain line every few seconds, when something moved. What it shows is the line of a `progress` file
 * ("43.0% 945.8 MB/2.2 GB 85.3 MB/s ETA 0:15").
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bar {
    int fd;
    bool is_terminal;
    const char *title;
    char last[160]; /* the line that was shown last */
    uint64_t shown_ms;
};

void bar_init(struct bar *bar, int fd, const char *title);
/* How often bar_show() is worth calling. */
unsigned bar_interval_ms(const struct bar *bar);
void bar_show(struct bar *bar, const char *progress);
/* Ends the line on a terminal. */
void bar_end(struct bar *bar);
/* "TITLE [#####----------] PROGRESS", at most `columns` wide: the bar shrinks first, then the title
 * goes. (Pure.) */
void bar_format(const char *title, const char *progress, unsigned columns, char *to, size_t size);

#endif
