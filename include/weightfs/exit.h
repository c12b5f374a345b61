/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_EXIT_H
#define WEIGHTFS_EXIT_H

/*
 * How `weightfs` ends, as git does. A verb that was interrupted from the terminal ends with 128 + the
 * signal's number, as shells have it.
 */

#define WEIGHTFS_EXIT_OK      0
#define WEIGHTFS_EXIT_FAILURE 1 /* it was tried, and the answer is no: a pull that failed, an unknown model */
#define WEIGHTFS_EXIT_FATAL \
    128 /* it could not be tried: no mount, a wrong configuration, a mount that did not come up */
#define WEIGHTFS_EXIT_USAGE 129 /* the command line makes no sense; what would is on standard error */

#endif
