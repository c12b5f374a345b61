/* SPDX-License-Identifier: Apache-2.0 */
/* server-sent events, whole and in pieces */
#include "outside/sse.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "check.h"

static struct buf seen; /* each event in brackets */
static int answer;

static int on_event(void *context, const char *data, size_t len) {
    (void)context;
    CHECK(data[len] == '\0');
    CHECK_OK(buf_add(&seen, "[", 1));
    CHECK_OK(buf_add(&seen, data, len));
    CHECK_OK(buf_add(&seen, "]", 1));
    return answer;
}

static int feed(struct sse *sse, const char *text, size_t piece) {
    size_t len = strlen(text);
    for (size_t at = 0; at < len; at += piece) {
        int result = sse_feed(sse, text + at, len - at < piece ? len - at : piece, on_event, NULL);
        if (result < 0)
            return result;
    }
    return 0;
}

static const struct {
    const char *stream, *events;
} rows[] = {
    {"data: one\n\ndata: two\n\n", "[one][two]"},
    {"data:one\n\n", "[one]"},
    {"data:  one\n\n", "[ one]"},
    {"data: one\r\n\r\ndata: two\r\n\r\n", "[one][two]"},
    {"data: one\r\rdata: two\r\r", "[one][two]"},
    {"data: a\ndata: b\n\n", "[a\nb]"},
    {"data\n\n", "[]"},
    {"data:\n\n", "[]"},
    {":\n\ndata: after a ping\n\n", "[after a ping]"},
    {": comment\ndata: x\n\n", "[x]"},
    {"event: error\nid: 3\nretry: 9\ndata: x\n\n", "[x]"},
    {"database: x\n\n", ""},
    {"dat: x\n\n\n\n", ""},
    {"data: cut\n", ""},
    {"data: cut", ""},
    {"\n\n\n", ""},
    {"data: {\"a\":\"b: c\"}\n\ndata: [DONE]\n\n", "[{\"a\":\"b: c\"}][[DONE]]"},
};

static void streams_in_any_pieces(void) {
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++)
        for (size_t piece = 1; piece <= strlen(rows[row].stream); piece++) {
            struct sse sse;
            sse_init(&sse);
            buf_clear(&seen);
            CHECK_OK(feed(&sse, rows[row].stream, piece));
            CHECK_TEXT(buf_text(&seen), rows[row].events);
            sse_done(&sse);
        }
}

static void an_event_is_bounded(void) {
    static char line[1 << 20];
    struct sse sse;
    sse_init(&sse);
    memset(line, 'x', sizeof line);
    int result = sse_feed(&sse, "data:", 5, on_event, NULL);
    for (int i = 0; i < 5 && !result; i++)
        result = sse_feed(&sse, line, sizeof line, on_event, NULL);
    CHECK_ERROR(result, -ERR_TOO_LARGE);
    sse_done(&sse);

    sse_init(&sse);
    result = 0;
    for (int i = 0; i < 5 && !result; i++) {
        result = sse_feed(&sse, "data:", 5, on_event, NULL);
        result = result ? result : sse_feed(&sse, line, sizeof line, on_event, NULL);
        result = result ? result : sse_feed(&sse, "\n", 1, on_event, NULL);
    }
    CHECK_ERROR(result, -ERR_TOO_LARGE);
    sse_done(&sse);
}

static void the_listener_may_end_it(void) {
    struct sse sse;
    sse_init(&sse);
    buf_clear(&seen);
    answer = -ERR_CANCELLED;
    CHECK_ERROR(feed(&sse, "data: one\n\ndata: two\n\n", 64), -ERR_CANCELLED);
    CHECK_TEXT(buf_text(&seen), "[one]");
    answer = 0;
    sse_done(&sse);
}

int main(void) {
    streams_in_any_pieces();
    an_event_is_bounded();
    the_listener_may_end_it();
    buf_done(&seen);
    return check_result();
}
