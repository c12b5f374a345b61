/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "outside/http_inside.h"

/* Everything here reads what a stranger sent. Nothing allocates. */

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Digits only, at least one, within 64 bits; *at moves behind them. */
static bool number(const char **at, uint64_t *ret_number) {
    uint64_t value = 0;
    const char *from = *at;
    if (!is_digit(*from))
        return false;
    for (; is_digit(*from); from++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *from - '0', &value))
            return false;
    *at = from;
    *ret_number = value;
    return true;
}

bool http_parse_status(const char *line, size_t len, int *ret_status) {
    const char *blank = memchr(line, ' ', len);
    size_t at = blank ? (size_t)(blank - line) : len;
    while (at < len && line[at] == ' ')
        at++;
    if (len < 5 || strncasecmp(line, "HTTP/", 5) != 0 || at + 3 > len)
        return false;
    for (size_t i = 0; i < 3; i++)
        if (!is_digit(line[at + i]))
            return false;
    if (at + 3 < len && is_digit(line[at + 3]))
        return false;
    *ret_status = (line[at] - '0') * 100 + (line[at + 1] - '0') * 10 + (line[at + 2] - '0');
    return *ret_status >= 100;
}

/* ---- fields */

struct span {
    const char *start;
    size_t len;
};

static struct span trimmed(const char *start, size_t len) {
    while (len && is_blank(*start)) {
        start++;
        len--;
    }
    while (len && (is_blank(start[len - 1]) || start[len - 1] == '\r'))
        len--;
    return (struct span){start, len};
}

/* The next line of `rest` (moved behind it); false at the end. */
static bool next_line(struct span *rest, struct span *ret_line) {
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->start, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->start) : rest->len;
    *ret_line = (struct span){rest->start, len};
    size_t step = end ? len + 1 : len;
    rest->start += step;
    rest->len -= step;
    return true;
}

/* The value, when `line` is a field called `name`. */
static bool field_value(struct span line, const char *name, size_t name_len, struct span *ret_value) {
    if (line.len <= name_len || strncasecmp(line.start, name, name_len) != 0 || line.start[name_len] != ':')
        return false;
    *ret_value = trimmed(line.start + name_len + 1, line.len - name_len - 1);
    return true;
}

bool http_head_get(const struct http_head *head, const char *name, char *to, size_t size) {
    struct span rest = {buf_text(head->fields), head->fields->len}, line, value, found = {NULL, 0};
    size_t name_len = strlen(name);
    bool ours = false;
    while (next_line(&rest, &line)) {
        /* A folded line belongs to the field before it; only those who mean to confuse send them any more. */
        if (line.len && is_blank(*line.start) && ours)
            return false;
        ours = field_value(line, name, name_len, &value);
        if (!ours)
            continue;
        if (found.start && (found.len != value.len || memcmp(found.start, value.start, value.len) != 0))
            return false;
        found = value;
    }
    if (!found.start || found.len >= size || memchr(found.start, '\0', found.len))
        return false;
    memcpy(to, found.start, found.len);
    to[found.len] = '\0';
    return true;
}

bool http_parse_content_range(const char *value, uint64_t *ret_first, uint64_t *ret_last,
    uint64_t *ret_total) {
    uint64_t first, last, total = UINT64_MAX;
    if (strncasecmp(value, "bytes", 5) != 0 || !is_blank(value[5]))
        return false;
    const char *at = value + 5 + strspn(value + 5, " \t");
    if (!number(&at, &first) || *at++ != '-' || !number(&at, &last) || *at++ != '/')
        return false;
    if (*at == '*')
        at++;
    else if (!number(&at, &total) || total == UINT64_MAX)
        return false;
    if (*at || first > last || last >= total)
        return false;
    *ret_first = first;
    *ret_last = last;
    *ret_total = total;
    return true;
}

/* ---- Link: <target>; rel="next"; other=…, <target> … */

/* Does a parameter say rel=next? `at` stands behind the ">" and moves to the "," or the end. */
static bool is_next(const char **at) {
    bool found = false;
    const char *from = *at;
    while (*from && *from != ',') {
        from += strspn(from, "; \t");
        size_t name_len = strcspn(from, "=;, \t");
        bool is_rel = name_len == 3 && !strncasecmp(from, "rel", 3);
        from += name_len;
        if (*from != '=') {
            if (name_len == 0 && *from && *from != ',')
                from++;
            continue;
        }
        from++;
        bool quoted = *from == '"';
        from += quoted;
        size_t value_len = strcspn(from, quoted ? "\"" : ";, \t");
        /* rel may hold several words. */
        for (size_t i = 0; is_rel && i + 4 <= value_len; i++)
            if (!strncasecmp(from + i, "next", 4) && (i == 0 || is_blank(from[i - 1])) &&
                (i + 4 == value_len || is_blank(from[i + 4])))
                found = true;
        from += value_len;
        if (quoted && *from)
            from++;
    }
    *at = from;
    return found;
}

bool http_parse_link_next(const char *value, char *to, size_t size) {
    const char *at = value;
    for (;;) {
        at += strspn(at, ", \t");
        if (*at != '<')
            return false;
        const char *start = ++at;
        size_t len = strcspn(start, ">");
        if (start[len] != '>')
            return false;
        at = start + len + 1;
        if (!is_next(&at))
            continue;
        if (len == 0 || len >= size)
            return false;
        memcpy(to, start, len);
        to[len] = '\0';
        return true;
    }
}

/* ---- how long to wait */

/* "Sun, 06 Nov 1994 08:49:37 GMT" to a stamp that clock.h reads. */
static bool date(const char *value, int64_t *ret_wall_ms) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *at = strchr(value, ',');
    int day, year, hour, minute, second, end = 0;
    char month[4], stamp[40];
    if (!at ||
        sscanf(at + 1, " %2d %3s %4d %2d:%2d:%2d GMT%n", &day, month, &year, &hour, &minute, &second, &end) !=
            6 ||
        !end)
        return false;
    const char *found = strlen(month) == 3 ? strstr(months, month) : NULL;
    if (!found || (found - months) % 3)
        return false;
    int length = snprintf(stamp, sizeof stamp, "%04d-%02d-%02dT%02d:%02d:%02dZ", year,
        (int)(found - months) / 3 + 1, day, hour, minute, second);
    return length > 0 && (size_t)length < sizeof stamp && clock_parse(stamp, ret_wall_ms) == 0;
}

/* The number after ";KEY=" (or at the start). */
static bool parameter(const char *value, char key, uint64_t *ret_number) {
    for (const char *at = value; *at; at++)
        if (at[0] == key && at[1] == '=' && (at == value || at[-1] == ';' || is_blank(at[-1]))) {
            at += 2;
            return number(&at, ret_number);
        }
    return false;
}

#define WAIT_MOST_S (24u * 3600) /* what says more is not believed */

bool http_head_retry_after(const struct http_head *head, unsigned *ret_seconds) {
    char value[128];
    uint64_t seconds, left;
    int64_t until_ms;
    const char *at = value;
    /* The limiter's own reckoning is the better one: it knows to the second when its window ends. */
    if (http_head_get(head, "RateLimit", value, sizeof value) && parameter(value, 'r', &left) && left == 0 &&
        parameter(value, 't', &seconds)) {
        *ret_seconds = (unsigned)(seconds < WAIT_MOST_S ? seconds + 1 : WAIT_MOST_S);
        return true;
    }
    if (!http_head_get(head, "Retry-After", value, sizeof value))
        return false;
    if (number(&at, &seconds) && !*at) {
        *ret_seconds = (unsigned)(seconds < WAIT_MOST_S ? seconds : WAIT_MOST_S);
        return true;
    }
    if (!date(value, &until_ms))
        return false;
    int64_t now_ms = clock_wall_ms();
    int64_t wait_s = until_ms > now_ms ? (until_ms - now_ms + 999) / 1000 : 0;
    *ret_seconds = (unsigned)(wait_s < (int64_t)WAIT_MOST_S ? wait_s : (int64_t)WAIT_MOST_S);
    return true;
}
