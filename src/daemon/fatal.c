/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/fatal.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "base/log.h"

/* Only what may be called in a signal handler. SA_RESETHAND: the second time it kills as it would have
 * without us. */
static void print_and_die(int number) {
    static const char text[] = "weightfs: killed by a fatal signal; the log's last lines:\n";
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    log_dump_ring(STDERR_FILENO);
    raise(number);
}

void fatal_catch(void) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* those have better ones of their own */
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    struct sigaction action = {.sa_handler = print_and_die, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
        sigaction(fatal[i], &action, NULL);
#else
    (void)print_and_die;
#endif
}
