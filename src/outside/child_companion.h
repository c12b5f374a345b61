/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_OUTSIDE_CHILD_COMPANION_H
#define WEIGHTFS_OUTSIDE_CHILD_COMPANION_H

/*
 * A companion is a child that stays: this program again, with other words. Its descriptor 0 is its end of a
 * socket that keeps messages apart (SOCK_SEQPACKET) and ends when we do. No lock may be held.
 */

/* `arguments` NULL-ended, [1] is what main() knows it by; of the environment it gets what sanitizers read.
 * *ret_fd: our end of the socket (close-on-exec), the caller closes it. -errno. */
int companion_start(const char *const *arguments, int *ret_pid, int *ret_fd);
/* Kills and reaps it; -EBUSY: it hangs in the kernel, and is left there. */
int companion_end(int pid);

#endif
