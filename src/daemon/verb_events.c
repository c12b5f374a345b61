/* SPDX-License-Identifier: Apache-2.0 */
/* weightfs events: what happened, and with -f what happens. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"
#include "daemon/say.h"
#include "daemon/subject.h"
#include "daemon/verbs.h"
#include "outside/json.h"

#define PIECE 65536

const struct flag events_flags[] = {
    FLAG_MOUNT,
    {'f', "follow", NULL, "go on as things happen"},
    FLAG_AS_JSON,
    {0, NULL, NULL, NULL},
};

static void print_value(const struct json *value) {
    const char *text = json_text(value, NULL);
    int64_t number;
    if (text)
        printf(strpbrk(text, " \"") ? "\"%s\"" : "%s", text);
    else if (json_number(value, &number))
        printf("%lld", (long long)number);
    else
        fputs(json_type_of(value) != JSON_BOOL ? "…" : json_bool(value, false) ? "true" : "false", stdout);
}

/* TIME EVENT MODEL, then what else it says, as key=value. */
static void print_line(const char *line, size_t len) {
    JSON_CLEANUP struct json *event = NULL;
    if (json_parse(line, len, &event, NULL) < 0) {
        printf("%.*s\n", (int)len, line); /* of a newer daemon, perhaps */
        return;
    }
    const char *time = json_text(json_get(event, "time"), NULL),
               *what = json_text(json_get(event, "event"), NULL);
    const char *model = json_text(json_get(event, "model"), NULL);
    printf("%s %-15s %s", time ? time : "-", what ? what : "-", model ? model : "-");
    void *iterator = NULL;
    const char *key;
    const struct json *value;
    while (json_next(event, &iterator, &key, &value)) {
        if (strcmp(key, "time") == 0 || strcmp(key, "event") == 0 || strcmp(key, "model") == 0)
            continue;
        printf(" %s=", key);
        print_value(value);
    }
    putchar('\n');
}

/* Prints the whole lines in `pending`, and keeps the rest. */
static void print_lines(struct buf *pending, bool as_json) {
    const char *at = buf_text(pending), *end;
    while ((end = strchr(at, '\n'))) {
        if (as_json)
            printf("%.*s\n", (int)(end - at), at);
        else
            print_line(at, (size_t)(end - at));
        at = end + 1;
    }
    size_t rest = pending->len - (size_t)(at - buf_text(pending));
    char *kept = mem_text(at);
    buf_clear(pending);
    (void)buf_add(pending, kept, rest);
    free(kept);
}

/* To the end, or until something is wrong: -errno. -EPIPE: nobody reads what we print. */
static int print_events(int fd, bool as_json, bool goes_on) {
    BUF_CLEANUP struct buf pending = BUF_INIT;
    char piece[PIECE];
    for (;;) {
        ssize_t len = read(fd, piece, sizeof(piece));
        if (len < 0)
            return -errno;
        (void)buf_add(&pending, piece, (size_t)len); /* no limit */
        print_lines(&pending, as_json);
        if (len > 0)
            continue;
        if (fflush(stdout) != 0)
            return -EPIPE;
        if (!goes_on)
            return 0;
        struct pollfd wanted[] = {{.fd = fd, .events = POLLIN}, {.fd = STDOUT_FILENO, .events = 0}};
        if (poll(wanted, 2, -1) < 0)
            return -errno;
        if (wanted[1].revents & (POLLERR | POLLHUP))
            return -EPIPE;
        if (wanted[0].revents & POLLERR)
            return -ENOTCONN;
    }
}

int verb_events(int argc, char **argv) {
    bool as_json = false, goes_on = false;
    const char *value, *named = NULL;
    struct subject subject;
    struct reason reason = {""};
    int flag;
    flags_begin();
    while ((flag = flags_next(events_flags, argc, argv, &value)) > 0) {
        switch (flag) {
        case 'm': named = value; break;
        case 'f': goes_on = true; break;
        case FLAG_JSON: as_json = true; break;
        }
    }
    if (flag < 0)
        return WEIGHTFS_EXIT_USAGE;
    if (optind != argc)
        return verb_usage(argv[0]);
    int code = subject_find(named, NULL, &subject);
    if (code)
        return code;
    BUF_CLEANUP struct buf path = BUF_INIT;
    (void)buf_format(&path, "%s/events", subject.mount);
    FD_CLEANUP int fd = open(buf_text(&path), O_RDONLY | O_CLOEXEC);
    int error = fd < 0 ? -errno : print_events(fd, as_json, goes_on);
    if (error == -EPIPE)
        return WEIGHTFS_EXIT_OK; /* `| head` has seen enough */
    if (error >= 0)
        return WEIGHTFS_EXIT_OK;
    subject_because(&reason, error, subject.mount, buf_text(&path));
    return say(WEIGHTFS_EXIT_FATAL, "%s", reason.text);
}
