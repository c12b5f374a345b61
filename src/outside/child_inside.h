/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_OUTSIDE_CHILD_INSIDE_H
#define WEIGHTFS_OUTSIDE_CHILD_INSIDE_H

/* What child.c and child_service.c share, and nobody else includes. */

#include <sys/types.h>

/* A pipe from a child to us. Reading does not block; the writing end is number `lowest` or above, so that it
 * is none of those that the child is given. Both close-on-exec, the caller's to close (also of what an error
 * left: -1 is nothing). -errno. */
int child_pipe(int lowest, int *ret_read_fd, int *ret_write_fd);
/* Waits for a child that has ended, or is about to: its exit code; 128 and the signal's number as a shell has
 * it; -errno. */
int child_reap(pid_t pid);

#endif
