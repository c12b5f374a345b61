/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_VERSION_H
#define WEIGHTFS_VERSION_H

/* MAJOR.MINOR.PATCH: what docs/ promises of the tree, the options and the command changes with MAJOR only. */
#define WEIGHTFS_VERSION "0.1.0"

#endif
