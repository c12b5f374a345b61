/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a text: the parser of JSON gives the line of what is no JSON, but not that of a value. */

#include <ctype.h>
#include <string.h>

#include "model/registry_inside.h"

struct scan {
    const char *at, *end;
    size_t line;
};

/* Over a string that begins here, to behind its last quote. */
static void skip_string(struct scan *scan) {
    for (scan->at++; scan->at < scan->end && *scan->at != '"'; scan->at++)
        scan->at += *scan->at == '\\';
    scan->at++;
}

static void skip_blanks(struct scan *scan) {
    for (; scan->at < scan->end && isspace((unsigned char)*scan->at); scan->at++)
        scan->line += *scan->at == '\n';
}

/* Over a value that begins here: to what ends it, a comma or a bracket of what it is in. */
static void skip_value(struct scan *scan) {
    size_t depth = 0;
    for (;;) {
        skip_blanks(scan);
        if (scan->at >= scan->end)
            return;
        char c = *scan->at;
        if (c == '"') {
            skip_string(scan);
            continue;
        }
        if (!depth && (c == ',' || c == ']' || c == '}'))
            return;
        depth += c == '[' || c == '{';
        depth -= c == ']' || c == '}';
        scan->at++;
    }
}

/* Is the member's name here (as it is: an escaped one is not found, and then there is no line)? */
static bool is_named(const struct scan *scan, const char *member) {
    size_t len = strlen(member);
    return (size_t)(scan->end - scan->at) > len + 1 && !memcmp(scan->at + 1, member, len) &&
           scan->at[len + 1] == '"';
}

/* To the first element of the array that is here; false when none is. */
static bool enter_array(struct scan *scan) {
    if (scan->at >= scan->end || *scan->at != '[')
        return false;
    scan->at++;
    skip_blanks(scan);
    return true;
}

static size_t line_of_element(struct scan *scan, size_t index) {
    if (!enter_array(scan))
        return 0;
    for (; index && scan->at < scan->end; index--) {
        skip_value(scan);
        if (scan->at >= scan->end || *scan->at != ',')
            return 0;
        scan->at++;
        skip_blanks(scan);
    }
    return scan->at < scan->end && *scan->at != ']' ? scan->line : 0;
}

size_t registry_line_of(const char *text, size_t len, const char *member, size_t index) {
    struct scan scan = {text, text + len, 1};
    skip_blanks(&scan);
    if (scan.at >= scan.end || *scan.at != '{')
        return 0;
    do {
        scan.at++;
        skip_blanks(&scan);
        bool found = scan.at < scan.end && *scan.at == '"' && is_named(&scan, member);
        skip_string(&scan);
        skip_blanks(&scan);
        scan.at++; /* the colon */
        skip_blanks(&scan);
        if (found)
            return line_of_element(&scan, index);
        skip_value(&scan);
    } while (scan.at < scan.end && *scan.at == ',');
    return 0;
}
