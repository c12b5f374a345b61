/* SPDX-License-Identifier: Apache-2.0 */
#include "outside/sse.h"

#include <string.h>

#include "base/err.h"

void sse_init(struct sse *sse) {
    *sse = (struct sse){.line = {.limit = SSE_EVENT_LIMIT}, .data = {.limit = SSE_EVENT_LIMIT}};
}

void sse_done(struct sse *sse) {
    buf_done(&sse->line);
    buf_done(&sse->data);
}

static int add_data(struct sse *sse, const char *value, size_t len) {
    int error = sse->has_data ? buf_add(&sse->data, "\n", 1) : 0;
    if (!error)
        error = buf_add(&sse->data, value, len);
    sse->has_data = true;
    return error ? -ERR_TOO_LARGE : 0;
}

static int end_line(struct sse *sse, int (*on_event)(void *, const char *, size_t), void *context) {
    static const char data_field[] = "data";
    const char *line = buf_text(&sse->line);
    size_t len = sse->line.len, name_len = sizeof data_field - 1;
    int result = 0;
    if (!len && sse->has_data)
        result = on_event(context, buf_text(&sse->data), sse->data.len);
    if (!len) {
        buf_clear(&sse->data);
        sse->has_data = false;
    } else if (len >= name_len && !memcmp(line, data_field, name_len) &&
               (len == name_len || line[name_len] == ':')) {
        size_t skip = len == name_len ? name_len : name_len + 1;
        skip += skip < len && line[skip] == ' ';
        result = add_data(sse, line + skip, len - skip);
    }
    buf_clear(&sse->line);
    return result;
}

int sse_feed(struct sse *sse, const void *bytes, size_t len,
    int (*on_event)(void *context, const char *data, size_t len), void *context) {
    const char *at = bytes, *end = at + len;
    while (at < end) {
        if (sse->after_return && *at == '\n')
            at++;
        sse->after_return = false;
        const char *stop = at;
        while (stop < end && *stop != '\n' && *stop != '\r')
            stop++;
        if (buf_add(&sse->line, at, (size_t)(stop - at)) < 0)
            return -ERR_TOO_LARGE;
        if (stop == end)
            return 0;
        sse->after_return = *stop == '\r';
        at = stop + 1;
        int result = end_line(sse, on_event, context);
        if (result < 0)
            return result;
    }
    return 0;
}
