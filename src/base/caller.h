/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_CALLER_H
#define WEIGHTFS_BASE_CALLER_H

/*
 * Who asked: the command line of another process, for logs and the audit. It is what that process says of
 * itself, and a program can say what it likes: a hint for people, never a proof.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * The command line of `pid` as it is now: words by spaces, control characters and malformed bytes as '?',
 * cut at `size`. What looks like a secret is "***": the value of an option or header whose name speaks of a
 * token, a password, a secret, a key or an authorization, whatever begins as the tokens of hubs do (hf_…),
 * and what log_secret() was told. "" when there is no such process, or its /proc entry can't be read.
 *
 * It may wait for a lock of that process's memory: not on a thread that others wait for.
 */
void caller_describe(pid_t pid, char *to, size_t size);
/* The same of a command line as the kernel gives it: words that each end in a NUL. (Pure.) */
void caller_describe_words(const char *words, size_t len, char *to, size_t size);

/* Is `group` among the supplementary groups of `pid`, as the kernel tells them? The process must be held (it
 * waits for our answer), else the number may be another's by now. false also when there is no telling. Does
 * not wait. */
bool caller_has_group(pid_t pid, gid_t group);

#endif
