/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_DAEMON_COMMAND_WORDS_H
#define WEIGHTFS_DAEMON_COMMAND_WORDS_H

/*
 * The commands of `ctl` as verbs: what a command's row says of its arguments decides how the words of a
 * command line become a line of ctl. All pure.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "manage/manage.h"

/* The row of a name at a place; NULL. */
const struct command_row *command_row_of(const char *name, enum command_place place);
/* In which places there is a command of this name: command_place bits; 0: nowhere. */
unsigned command_places(const char *name);

/* Do the arguments in a row ("[keep=N] [dry-run]", "KEY…|recommended") name `word` (of `len` bytes) as it is;
 * or, `with_value`, as `word=…`? Words in capitals stand for others and are not meant. */
bool command_mentions(const char *arguments, const char *word, size_t len, bool with_value);
/* Flags that are arguments of the command: "--keep 3" and "--keep=3" become "keep=3", "--dry-run" becomes
 * "dry-run", in place. Others are left. Returns the new argc; what is put in is allocated and lives on. */
int command_flags_to_words(const char *name, int argc, char **argv);

/* May this word name a model, not an argument: a path, or a key with a colon or a slash? */
bool command_is_subject(const char *word);
bool command_is_job(const char *word); /* a number */

/* " WORD", quoted as ctl reads it. -ERR_BAD_NAME: a line break in it. */
int command_add_word(struct buf *line, const char *word, struct reason *reason);

#endif
