/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_CHAT_SESSION_H
#define WEIGHTFS_DAEMON_CHAT_SESSION_H

/*
 * A conversation of a model (infer/chats/NAME of a mount) that this process leads. One that was named stays;
 * one that was not is removed at the end. What goes wrong is said (say.h). One at a time: signals are about
 * the one that is open.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define CHAT_SESSION_NAME 256

struct chat_session {
    char folder[PATH_MAX]; /* infer/chats, for sentences */
    int folder_fd, fd;     /* -1: none */
    char name[CHAT_SESSION_NAME];
    bool is_temporary;
};
#define CHAT_SESSION_INIT \
    { .folder = "", .folder_fd = -1, .fd = -1 }

/* Opens the conversation `name` of the model in `dir`, or makes it; NULL: one for now. 0, or an exit code. */
int chat_session_open(const char *dir, const char *name, struct chat_session *session);
/* Ends it, and begins one for now. 0, or an exit code. */
int chat_session_renew(struct chat_session *session);
void chat_session_end(struct chat_session *session);

/* Asks, and shows the answer on standard output as it comes; on a terminal without control characters. 0, or
 * an exit code: the answer failed, or nobody reads us any more. SIGINT ends the answer, which is 0. */
int chat_session_ask(struct chat_session *session, const char *text, size_t len);
/* Writes a text into one of its files ("system", "params"), in the place of what was there or behind it. */
int chat_session_write(struct chat_session *session, const char *name, const char *text, bool append);
int chat_session_print(struct chat_session *session, const char *name); /* one of its files, as it is */
int chat_session_print_history(struct chat_session *session);           /* for people */

/* From now on SIGINT ends an answer, if `is_interactive`; else it ends us, as SIGTERM and SIGHUP do: the
 * answer first, then chat_session_is_over(). A conversation for now is always removed. */
void chat_session_catch_signals(bool is_interactive);
bool chat_session_is_over(void);

#endif
