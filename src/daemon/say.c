/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/say.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"

int say(int exit_code, const char *format, ...) {
    BUF_CLEANUP struct buf line = BUF_INIT;
    va_list args;
    va_start(args, format);
    buf_text_add(&line, "weightfs: ");
    buf_vformat(&line, format, args);
    buf_text_add(&line, "\n");
    va_end(args);
    fputs(buf_text(&line),
        stderr); /* one write: stderr is unbuffered, and lines of a daemon may come in between */
    return exit_code;
}
