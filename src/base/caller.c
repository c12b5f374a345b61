/* SPDX-License-Identifier: Apache-2.0 */
#include "base/caller.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/path.h"
#include "base/utf8.h"

#define STATUS_LIMIT (1u << 20) /* 65,536 groups fit */
#define LINE_LIMIT   2048 /* of a command line; what stands behind is not looked at */

static const char MASK[] = "***";

static const char *const telling[] = {"token", "password", "passwd", "secret", "api-key", "api_key", "apikey",
    "authorization", "credential", "private-key"};
static const char *const beginnings[] = {"hf_", "api_org_", "ghp_", "sk-"};

static bool speaks_of_secret(const char *word, size_t len) {
    for (size_t i = 0; i < sizeof telling / sizeof *telling; i++) {
        size_t wanted = strlen(telling[i]);
        for (size_t at = 0; at + wanted <= len; at++)
            if (!strncasecmp(word + at, telling[i], wanted))
                return true;
    }
    return false;
}

/* "HF_TOKEN=hf_abc": the value is the secret; "Authorization: Bearer abc" too. */
static size_t name_len(const char *word) {
    return strcspn(word, "=: ");
}

static const char *secret_beginning(const char *word) {
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        const char *at = strstr(word, beginnings[i]);
        /* Inside a word it is one only behind something that is no letter: "half_", "task-". */
        if (at && (at == word || strchr("=:/,'\"@ ", at[-1])))
            return at;
    }
    return NULL;
}

/* One word, with what is secret in it left out; *hide_next: the next one is the value that this one names. */
static void add_word(struct buf *line, const char *word, bool *hide_next) {
    size_t name = name_len(word);
    bool hide = *hide_next, tells = speaks_of_secret(word, name);
    *hide_next = !hide && tells && !word[name] && word[0] == '-';
    /* No limit is set: none of these can fail. */
    if (line->len)
        (void)buf_text_add(line, " ");
    const char *begins = secret_beginning(word);
    if (hide)
        (void)buf_text_add(line, MASK);
    else if (tells && word[name])
        (void)buf_format(line, "%.*s%c%s", (int)name, word, word[name], MASK);
    else if (begins)
        (void)buf_format(line, "%.*s%s", (int)(begins - word), word, MASK);
    else
        (void)buf_text_add(line, word);
}

void caller_describe_words(const char *words, size_t len, char *to, size_t size) {
    BUF_CLEANUP struct buf line = BUF_INIT;
    bool hide_next = false;
    for (size_t at = 0; at < len;) {
        size_t word = strnlen(words + at, len - at);
        TEXT_CLEANUP char *copy = mem_array(word + 1, 1);
        memcpy(copy, words + at, word);
        add_word(&line, copy, &hide_next);
        at += word + 1;
    }
    if (line.data) {
        log_redact(line.data);
        utf8_tame(line.data);
    }
    utf8_cut(to, size, buf_text(&line));
}

void caller_describe(pid_t pid, char *to, size_t size) {
    char path[64], words[LINE_LIMIT];
    to[0] = '\0';
    if (pid <= 0)
        return; /* of another pid namespace: the kernel has no number for us */
    (void)snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, words, sizeof words);
    if (len > 0)
        caller_describe_words(words, (size_t)len, to, size);
}

/* proc_pid_status(5): "Groups:\t4 24 27". */
bool caller_has_group(pid_t pid, gid_t group) {
    char path[64];
    BUF_CLEANUP struct buf status = BUF_INIT;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    if (pid <= 0 || path_read(AT_FDCWD, path, STATUS_LIMIT, &status))
        return false;
    const char *at = strstr(buf_text(&status), "\nGroups:");
    at = at ? at + sizeof "\nGroups:" - 1 : "";
    for (char *end; *at && *at != '\n'; at = end) {
        unsigned long number = strtoul(at, &end, 10);
        if (end == at)
            break;
        if (number == group)
            return true;
        end += strspn(end, " \t");
    }
    return false;
}
