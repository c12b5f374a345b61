/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_OUTSIDE_SSE_H
#define WEIGHTFS_OUTSIDE_SSE_H

/*
 * Reading a stream of server-sent events (WHATWG HTML, "server-sent events"), in whatever pieces it comes:
 * lines end in LF, CR or CRLF; a line that starts with a colon is a comment; `data` lines of one event are
 * joined by LF; an empty line ends the event; all other fields are passed over. An event that no empty line
 * ended is dropped, as the standard wants: the stream was cut.
 *
 * Pure: no thread, no clock. Everything that comes in is hostile; an event is bounded.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define SSE_EVENT_LIMIT (4u << 20) /* bytes of one event's data, and of one line */

struct sse {
    struct buf line, data;
    bool has_data;     /* a data line came, be it empty */
    bool after_return; /* the last byte was a CR: an LF belongs to it */
};

/* Zeroed memory is one that has seen nothing. */
void sse_init(struct sse *sse);
void sse_done(struct sse *sse);
/* Calls on_event for each event that ends in these bytes, with its data (not ended by a NUL that counts; one
 * follows). What on_event answers below 0 ends the call and is returned; so is -ERR_TOO_LARGE. */
int sse_feed(struct sse *sse, const void *bytes, size_t len,
    int (*on_event)(void *context, const char *data, size_t len), void *context);

#endif
